"""What a pathway file calls its events and its steps, where they stand, and the names that nothing there has."""

from collections.abc import Iterable, Iterator

from ketenzorg.pathway.definition import Enter, Move, Norm, PathwayFile, Watch
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.flatten import EVERY


def moves(file: PathwayFile) -> Iterator[tuple[Place, Move]]:
    """Every transition of the file with its place."""
    for name, step in file.steps.items():
        for number, move in enumerate(step.next):
            yield ("steps", name, "next", number), move
    for index, shared in enumerate(file.shared):
        for number, move in enumerate(shared.next):
            yield ("shared", index, "next", number), move
    for index, side in enumerate(file.side):
        for number, move in enumerate(side.next):
            yield ("side", index, "next", number), move


def happenings(file: PathwayFile) -> Iterator[tuple[Place, Move | Enter]]:
    """Transitions, and the begin and end of side steps."""
    yield from moves(file)
    for index, side in enumerate(file.side):
        yield ("side", index, "enter"), side.enter
        yield ("side", index, "leave"), side.leave


def clocks(file: PathwayFile) -> Iterator[tuple[Place, Norm | Watch]]:
    """Every norm and every control, with its place."""
    for index, norm in enumerate(file.norm):
        yield ("norm", index), norm
    for index, watch in enumerate(file.watch):
        yield ("watch", index), watch


def known_events(file: PathwayFile) -> set[str]:
    """The name of every event that the file knows, also of those with which a traject begins."""
    starts = {step.begins_with for step in file.steps.values() if step.begins_with}
    return {file.begins_with, *starts, *(move.event for _, move in happenings(file))}


def lists_of_steps(file: PathwayFile) -> list[str]:
    """What may stand where steps are listed: a step, a group, or all of them."""
    return [*file.steps, *file.groups, *file.by_task, EVERY]


def unknown_events(place: Place, names: Iterable[str], file: PathwayFile) -> Iterator[Finding]:
    """Those of these names that no event of the file has."""
    known = known_events(file)
    return (unknown(place, "gebeurtenis", "event", name, known) for name in names if name not in known)


def unknown_steps(place: Place, names: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    """Those of these names that are none of the known steps, groups or lists."""
    known = list(known)
    return (unknown(place, "stap", "step", name, known) for name in names if name not in known)
