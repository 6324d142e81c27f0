"""Which norms and controls run in each step, over every walk that leads there."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ketenzorg.pathway.definition import Move, Norm, PathwayFile
from ketenzorg.pathway.flatten import Step, resolve, sides_begun, still_to_come

Steps = Mapping[str, Step]
Norms = frozenset[str]


class Running(msgspec.Struct, frozen=True):
    """Of one step: what may be running there, and whether a walk leads there on which nothing runs."""

    may: Norms
    none: bool


def beginnings(file: PathwayFile) -> list[str]:
    """The steps with which a traject may begin: that of the file, and those to which a table points."""
    return list(
        dict.fromkeys([file.begins, *(row.then.to for t in file.table for row in t.rows if row.then.to)])
    )


def norms_running(file: PathwayFile, steps: Steps) -> dict[str, Running]:
    """For each step that can be reached.

    Of the sets of norms that may run together only the smallest are followed: whatever happens next, what leads
    to nothing running from a larger set does so from the smaller one.
    """
    about = sides_begun(file)
    side_of = {norm.name: name for norm in file.norm for event in norm.from_ if (name := about.get(event))}
    # A norm for some urgencies does not run for everybody; one about a side step only runs in it.
    clocks = _Clocks([norm for norm in file.norm if not norm.urgency and norm.name not in side_of], steps)
    most: dict[str, _On] = {}
    least: dict[str, set[_On]] = {}
    todo: list[tuple[str, _On]] = []
    for first in beginnings(file):
        event = file.steps[first].begins_with or file.begins_with
        todo.append((first, clocks.begun(event, frozenset(), first)))
    while todo:
        name, running = todo.pop()
        smaller = any(small.within(running) for small in least.get(name, ()))
        if smaller and running.within(most[name]):
            continue
        most[name] = most.get(name, NOTHING).with_(running)
        if not smaller:
            least[name] = {small for small in least.get(name, ()) if not running.within(small)} | {running}
        todo += [(move.to, clocks.by(move, running)) for move in steps[name].moves]
    controls = {
        name: frozenset(watch.name for watch in file.watch if step.main in resolve(watch.over, file))
        for name, step in steps.items()
    }
    found = {}
    for name, sets in least.items():
        own = frozenset(norm for norm, side in side_of.items() if steps[name].side == side)
        paused = own and steps[name].clock_stops
        may = own if paused else own | most[name].now | controls[name]
        silent = any(not each.now for each in sets)
        found[name] = Running(may, not own and not controls[name] and silent)
    return found


class _On(NamedTuple):
    """The norms that run together now, and those that ran when the hand-over began."""

    now: Norms
    begun: Norms

    def within(self, other: "_On") -> bool:
        """Whether the other has these too."""
        return self.now <= other.now and self.begun <= other.begun

    def with_(self, other: "_On") -> "_On":
        """Both together."""
        return _On(self.now | other.now, self.begun | other.begun)


NOTHING = _On(frozenset(), frozenset())


class _Clocks:
    """What an event does to the norms that run."""

    def __init__(self, norms: list[Norm], steps: Steps) -> None:
        self._begun: dict[str, set[str]] = {}
        self._met: dict[str, set[str]] = {}
        for norm in norms:
            for event in norm.from_:
                self._begun.setdefault(event, set()).add(norm.name)
            for event in norm.to:
                self._met.setdefault(event, set()).add(norm.name)
        # A norm that nothing can meet any more has lapsed.
        self._alive = {
            name: frozenset(norm.name for norm in norms if not events.isdisjoint(norm.to))
            for name, events in still_to_come(dict(steps)).items()
        }

    def by(self, move: Move, running: _On) -> _On:
        """What runs after this move; sent on, what met a norm in this hand-over counts no more."""
        if move.forward:
            return self.begun(move.event, running.begun, move.to)
        if move.new_task:
            return self.begun(move.event, running.now if move.closes else frozenset(), move.to)
        return _On(self._after(move.event, running.now, move.to), running.begun)

    def begun(self, event: str, running: Norms, step: str) -> _On:
        """At the beginning of a hand-over."""
        now = self._after(event, running, step)
        return _On(now, now)

    def _after(self, event: str, running: Norms, step: str) -> Norms:
        """The norms that run once this event has led to this step."""
        still = running - self._met.get(event, set())
        return (still | self._begun.get(event, set())) & self._alive[step]
