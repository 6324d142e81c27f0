"""Which roles take part in the hand-over that a step belongs to, and which look on."""

from collections.abc import Mapping
from functools import cache

from ketenzorg.pathway.definition import Move, PathwayFile
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Pathway

Steps = Mapping[str, Step]


def onlookers(file: PathwayFile, steps: Steps) -> tuple[str, ...]:
    """The roles that neither ask nor perform, in any hand-over."""
    asked = {role for step in steps.values() for role in (step.requester, step.performer)}
    return tuple(role for role in file.roles if role not in asked)


@cache  # the same for every traject of the version
def taking_part(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who takes part in a step of this version."""
    return parts_in(pathway.file, pathway.steps, step)


def parts_in(file: PathwayFile, steps: Steps, step: str) -> tuple[str, ...]:
    """Who asks, who performs, who holds regie, who may say or must hear something here, and who looks on.

    The others have no business in this step.
    """
    here = steps[step]
    regie = (file.regie,) if file.regie else ()
    concerned = _concerned(file, steps, here.main)
    return tuple(dict.fromkeys((here.requester, here.performer, *regie, *concerned, *onlookers(file, steps))))


@cache
def bystanders(pathway: Pathway, step: str) -> tuple[str, ...]:
    """Who takes part in a step that they neither ask for nor perform: a referral that begins there may name them."""
    here = pathway.steps[step]
    return tuple(role for role in taking_part(pathway, step) if role not in (here.requester, here.performer))


def _concerned(file: PathwayFile, steps: Steps, step: str) -> tuple[str, ...]:
    """Who may say that something happened, and who is named to hear of it.

    Nobody takes part because anybody may report an emergency, because an end is told to everybody, or because the
    work may be handed to them.
    """
    moves = [move for move in steps[step].moves if not move.emergency]
    said_by = (role for move in moves for role in move.by)
    told = (role for move in moves for role in _told_by_name(move, file, steps))
    return tuple(role for role in dict.fromkeys((*said_by, *told)) if role in file.roles)


def _told_by_name(move: Move, file: PathwayFile, steps: Steps) -> list[str]:
    if set(move.tell) == set(file.roles):
        return []
    after = steps[move.to]
    handed_to = (after.requester, after.performer) if move.new_task else ()
    return [role for role in move.tell if role not in handed_to]
