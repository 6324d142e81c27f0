"""What is refused from a strict client and kept, with a warning, from a liberal one.

Two things only: what a profile says of a resource that claims it, and a reference in supporting data to nothing.
Never lenient: R4 itself, who it is about, the request, the Task and the consent, alarm rules and other stops, what
changes the meaning unknown to us, personal numbers. What is kept is what was sent, to the letter.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue
from ketenzorg.referral.bundle import Posted


class Judged(NamedTuple):
    """What was found, by what it means for this client."""

    refused: list[Issue]
    told: list[Issue]


async def claims_of(posted: Posted, world: World) -> list[Issue]:
    """What is wrong with the resources by the profiles that they claim, as they were sent."""
    claiming = [
        (each.path, each.raw) for each in posted.entries if each.content.get("meta", {}).get("profile")
    ]
    return await world.claims(claiming) if claiming else []


def judged(found: Iterable[Issue], visit: Visit) -> Judged:
    """What is wrong is refused, unless it is soft and the client liberal."""
    refused: list[Issue] = []
    told: list[Issue] = []
    for each in found:
        wrong = each.severity in ("error", "fatal")
        if wrong and not (each.soft and visit.liberal):
            refused.append(each)
        else:
            told.append(msgspec.structs.replace(each, severity="warning") if wrong else each)
    return Judged(refused, told)
