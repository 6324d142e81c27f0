"""What is too late of an organisation's trajecten: norms that were not met, and controls that did not come back.

A part of an organisation keeps the moment of whatever is due first: finding the trajecten in which something is late is
a walk along the index of those moments, up to now. What is late in them are rows of the clock.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.world import Visit, World
from ketenzorg.events import NormExceeded
from ketenzorg.pathway.known_names import clocks
from ketenzorg.pathway.telling import rungs, told_by
from ketenzorg.pathway.words import Source
from ketenzorg.store.dues import LateNorm
from ketenzorg.store.worklist import PAGE, Line, Spot, Wanted


class Late(NamedTuple):
    """One thing that should have happened in a traject."""

    task: UUID
    pathway: str
    step: str
    norm: str
    source: Source
    control: bool  # it comes back, rather than that it is met once
    since: datetime
    tell: tuple[str, ...]  # the roles that hear that it is late


async def overdue(after: Spot | None, visit: Visit, world: World) -> tuple[list[Late], Spot | None]:
    """What is late in a page of trajecten of the caller's organisation, the longest first; where the next begins."""
    organisation, now = visit.caller.organisation, world.now()
    lines, _ = await world.worklist.page(
        "late", Wanted(organisation, now), visit.access(world, "overdue", "Task"), after=after
    )
    shown = {line.traject: line for line in lines[:PAGE]}
    late = await world.dues.late(organisation, list(shown), now)
    found = [_late(shown[each.traject], each, world) for each in late]
    return found, lines[PAGE - 1].spot if len(lines) > PAGE else None


def _late(line: Line, late: LateNorm, world: World) -> Late:
    pathway = world.catalogue.version(line.pathway, line.version)
    clock = pathway.clock(late.norm)
    rule = next(each for _, each in clocks(pathway.file) if each.name == late.norm)
    past = next(rung for rung in rungs(clock, late.began, late.at) if rung.kind is NormExceeded)
    tell = tuple(told_by(past, pathway, line.step))
    return Late(
        line.task, line.pathway, line.step, late.norm, rule.source, clock.over is not None, late.at, tell
    )
