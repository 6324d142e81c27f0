"""Which roles take part in the hand-over that a step belongs to, and which look on."""

from functools import cache

from ketenzorg.pathway.loaded import Pathway


@cache  # the same for every traject of the version
def onlookers(pathway: Pathway) -> tuple[str, ...]:
    """The roles that neither ask nor perform, in any hand-over."""
    asked = {role for step in pathway.steps.values() for role in (step.requester, step.performer)}
    return tuple(role for role in pathway.file.roles if role not in asked)


@cache
def taking_part(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who asks, who performs, who holds regie, who may say something here, and who looks on.

    The others have no business in this step.
    """
    here = pathway.steps[step]
    regie = (pathway.file.regie,) if pathway.file.regie else ()
    asking = (here.requester, here.performer)
    return tuple(dict.fromkeys((*asking, *regie, *_speaking(pathway, here.main), *onlookers(pathway))))


@cache
def bystanders(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who takes part in a step that they neither ask for nor perform: a referral that begins there may name them."""
    here = pathway.steps[step]
    return tuple(role for role in taking_part(pathway, step) if role not in (here.requester, here.performer))


def _speaking(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who may say that something happened; that anybody may report an emergency makes nobody take part."""
    said_by = (role for move in pathway.steps[step].moves if not move.emergency for role in move.by)
    return tuple(role for role in dict.fromkeys(said_by) if role in pathway.file.roles)
