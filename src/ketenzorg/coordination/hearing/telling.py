"""What an organisation is told of an event: as much of the resource as it asked for, and may see now."""

from uuid import UUID

import msgspec

from ketenzorg.access.tokens import Caller
from ketenzorg.coordination.hearing.notification import Told
from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.world import Trail, Visit, World
from ketenzorg.errors import NotFound
from ketenzorg.store.outbox import Event
from ketenzorg.store.subscriptions import Content


async def told(event: Event, content: Content, visit: Visit, world: World) -> Told:
    """With the resource in that version, cut to the reader's view, for who asked for it: a reading on record."""
    if content != "full-resource" or not event.readable:
        return Told(event)
    try:
        seen = await read(event.type, str(event.resource), visit, world, event.version)
    except NotFound:
        return Told(msgspec.structs.replace(event, readable=False))
    return Told(event, seen.body)


def brought(event: Event, subscription: UUID, organisation: UUID, world: World) -> Visit:
    """What goes on record when an event is brought: nobody asks at that moment."""
    known = world.region.by_id(organisation)
    caller = Caller(
        f"bericht:{subscription}", organisation, known.kind if known else "", frozenset(), world.region.code
    )
    return Visit(caller, Trail(str(event.id)))
