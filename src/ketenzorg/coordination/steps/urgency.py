"""How soon others must hear of what happens in a traject."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from ketenzorg.pathway.clocks import URGENCY
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region_file import Limit, Undelivered
from ketenzorg.referral.coordination_task import most_urgent


def how_soon(pathway: Pathway, counts: Mapping[str, int], *asked: str | None) -> str:
    """The soonest of what was asked and what the rules made of it. http://hl7.org/fhir/request-priority"""
    found = [
        urgency.priority for name, urgency in pathway.file.urgencies.items() if f"{URGENCY}:{name}" in counts
    ]
    soonest: str | None = None
    for each in (*asked, *found):
        soonest = most_urgent(soonest, each)
    return soonest or "routine"


def limits(region: Undelivered) -> dict[str, timedelta]:
    """Priority -> how long something may be on its way before a person hears of it."""
    found: dict[str, Limit] = msgspec.structs.asdict(region)
    return {name: timedelta(minutes=limit.minutes) for name, limit in found.items()}


def overdue_since(region: Undelivered, now: datetime) -> dict[str, datetime]:
    """Priority -> what was sent before this moment should have arrived by now."""
    return {name: now - within for name, within in limits(region).items()}
