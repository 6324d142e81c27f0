"""Which transition an event takes: the first of the step that is open to this role at these counts."""

from collections.abc import Mapping

from ketenzorg.pathway.definition import Count, Move
from ketenzorg.pathway.flatten import Step


def fire(
    step: Step, event: str, by: str, counts: Mapping[str, int], limits: Mapping[str, Count]
) -> Move | None:
    """None when this event does not exist here, or not by this role, or not at this count, as it is after the event."""
    for move in step.moves:
        if move.event == event and by in move.by and holds(move, counts, limits):
            return move
    return None


def holds(move: Move, counts: Mapping[str, int], limits: Mapping[str, Count]) -> bool:
    """Whether the counts, as they are after the event, allow this transition."""
    return all(
        (counts.get(name, 0) >= limits[name].limit) == (wanted == "op grens")
        for name, wanted in move.when.items()
    )
