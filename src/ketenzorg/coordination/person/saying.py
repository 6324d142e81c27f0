"""A party says that something happened: of this traject, or of the person in all of them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ketenzorg.coordination.person.changing_practice import change_practice
from ketenzorg.coordination.person.practice import PASSED, UNKNOWN
from ketenzorg.coordination.steps.stepping import TaskNow, take_event
from ketenzorg.coordination.world import Visit, World
from ketenzorg.referral.intake import Named


async def say_event(
    task: UUID,
    event: str,
    given: Mapping[str, str],
    at: datetime | None,
    visit: Visit,
    world: World,
    if_match: int | None,
    named: Named | None = None,
    *,
    open_: bool = False,
) -> TaskNow:
    """Record a named event. Raises TransitionNotAllowed naming what is allowed, and to whom.

    `named`: who gets the hand-over that the event begins, or which practice the patient has now.
    """
    if event in (PASSED, UNKNOWN):
        return await change_practice(task, event, given, at, visit, world, if_match, named)
    return await take_event(task, event, given, at, visit, world, if_match, named, open_=open_)
