"""What is too late of an organisation's trajecten: norms that were not met, and controls that did not come back.

A traject keeps the moment of whatever is due first, on its own row and on the part of each organisation in it; the
others follow from its state, so that no second copy of them can differ. Finding what is late is a walk along
the index of those moments, up to now: what is not due is never looked at.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.world import Visit, World
from ketenzorg.pathway.words import Source
from ketenzorg.store.worklist import PAGE, Spot, Wanted


class Late(NamedTuple):
    """One traject in which something should have happened."""

    task: UUID
    pathway: str
    step: str
    norm: str
    source: Source
    control: bool  # it comes back, rather than that it is met once
    since: datetime
    tell: tuple[str, ...]  # the roles that hear of a control that is late


async def overdue(after: Spot | None, visit: Visit, world: World) -> tuple[list[Late], Spot | None]:
    """A page of what is late for the caller's organisation, the longest first, and where the next page begins."""
    wanted = Wanted(visit.caller.organisation, world.now())
    lines, _ = await world.worklist.page("late", wanted, visit.access(world, "overdue", "Task"), after=after)
    found = []
    for line in lines[:PAGE]:
        pathway = world.catalogue.version(line.pathway, line.version)
        watch = next((each for each, _ in pathway.watches if each.name == line.due_norm), None)
        rule = watch or next(norm for norm, _ in pathway.norms if norm.name == line.due_norm)
        tell = tuple(watch.tell) if watch else ()
        since = line.due or world.now()
        found.append(
            Late(line.task, line.pathway, line.step, rule.name, rule.source, bool(watch), since, tell)
        )
    return found, lines[PAGE - 1].spot if len(lines) > PAGE else None
