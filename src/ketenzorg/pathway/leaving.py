"""The way out of a step when the patient takes consent back, or when something ends every traject of the patient."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ketenzorg.pathway.definition import Need
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.words import WITHDRAWN


class WayOut(NamedTuple):
    """An event that ends the traject, who says it, and the reason that it takes."""

    event: str
    by: str
    given: dict[str, str]


def withdrawal(
    step: Step, roles: Iterable[str], steps: Mapping[str, Step], needs: Mapping[str, Need]
) -> WayOut | None:
    """The end that one of these roles can give with that reason and nothing else; None when there is none."""
    for role in roles:
        for move in step.moves:
            if role not in move.by or not steps[move.to].ends or move.new_task:
                continue
            if move.reason == WITHDRAWN and not move.needs:
                return WayOut(move.event, role, {})
            if len(move.needs) == 1 and WITHDRAWN in needs[move.needs[0]].codes:
                return WayOut(move.event, role, {move.needs[0]: WITHDRAWN})
    return None


def end_of(exit_: str, step: Step, roles: Iterable[str], steps: Mapping[str, Step]) -> WayOut | None:
    """How one of these roles ends the traject with this exit, and nothing else to say; None when there is no way."""
    for role in roles:
        for move in step.moves:
            if role in move.by and steps[move.to].ends == exit_ and not (move.needs or move.new_task):
                return WayOut(move.event, role, {})
    return None
