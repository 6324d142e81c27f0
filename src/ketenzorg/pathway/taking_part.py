"""Which roles take part in the hand-over that a step belongs to, and which look on."""

from functools import cache

from ketenzorg.pathway.definition import Move
from ketenzorg.pathway.loaded import Pathway


@cache  # the same for every traject of the version
def onlookers(pathway: Pathway) -> tuple[str, ...]:
    """The roles that neither ask nor perform, in any hand-over."""
    asked = {role for step in pathway.steps.values() for role in (step.requester, step.performer)}
    return tuple(role for role in pathway.file.roles if role not in asked)


@cache
def taking_part(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who asks, who performs, who holds regie, who may say or must hear something here, and who looks on.

    The others have no business in this step.
    """
    here = pathway.steps[step]
    regie = (pathway.file.regie,) if pathway.file.regie else ()
    asking = (here.requester, here.performer)
    return tuple(dict.fromkeys((*asking, *regie, *_concerned(pathway, here.main), *onlookers(pathway))))


@cache
def bystanders(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who takes part in a step that they neither ask for nor perform: a referral that begins there may name them."""
    here = pathway.steps[step]
    return tuple(role for role in taking_part(pathway, step) if role not in (here.requester, here.performer))


def _concerned(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who may say that something happened, and who is named to hear of it.

    Nobody takes part because anybody may report an emergency, because an end is told to everybody, or because the
    work may be handed to them.
    """
    moves = [move for move in pathway.steps[step].moves if not move.emergency]
    said_by = (role for move in moves for role in move.by)
    told = (role for move in moves for role in _told_by_name(move, pathway))
    return tuple(role for role in dict.fromkeys((*said_by, *told)) if role in pathway.file.roles)


def _told_by_name(move: Move, pathway: Pathway) -> list[str]:
    if set(move.tell) == set(pathway.file.roles):
        return []
    after = pathway.steps[move.to]
    handed_to = (after.requester, after.performer) if move.new_task else ()
    return [role for role in move.tell if role not in handed_to]
