"""Whom a referrer must call, as what was sent about its referral has not arrived: nothing is told of why not."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from ketenzorg.coordination.showing.names import name_of
from ketenzorg.coordination.steps.urgency import overdue_since
from ketenzorg.coordination.world import Visit, World


class ToCall(msgspec.Struct, frozen=True):
    """Somebody who has not heard yet."""

    name: str
    phone: str  # empty: not known


async def to_call(
    trajecten: Collection[UUID], visit: Visit, world: World
) -> Mapping[UUID, tuple[ToCall, ...]]:
    """Traject -> who takes part and has not heard within the limit of its urgency, in real time as messages go."""
    if not trajecten:
        return {}
    before = overdue_since(world.region.file.undelivered, world.real_now())
    found = await world.messages.not_reached(visit.caller.organisation, [*trajecten], before)
    return {traject: tuple(_to_call(each, world) for each in sorted(who)) for traject, who in found.items()}


def _to_call(organisation: UUID, world: World) -> ToCall:
    known = world.region.by_id(organisation)
    return ToCall(name_of(organisation, world), (known.phone or "") if known else "")
