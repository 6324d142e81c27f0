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
    """Who asks, who performs, who holds regie, and who looks on; the others have no business in this step."""
    here = pathway.steps[step]
    regie = (pathway.file.regie,) if pathway.file.regie else ()
    return tuple(dict.fromkeys((here.requester, here.performer, *regie, *onlookers(pathway))))
