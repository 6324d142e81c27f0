"""A party reads how something became what it is: the versions that it may see, each as its role sees it."""

from typing import NamedTuple

from ketenzorg.coordination.reading.looking import Seen, as_seen, not_found, read
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import NotFound
from ketenzorg.store.audit import Interaction
from ketenzorg.store.history import Asked, Spot


class Page(NamedTuple):
    """Versions, the newest first, and after which the next page goes on."""

    versions: list[Seen]
    next_after: Spot | None


async def history(asked: Asked, pairs: list[tuple[str, str]], visit: Visit, world: World) -> Page:
    """A page of versions. Raises NotFound for one resource that is not there, or not for the caller.

    `pairs`: the parameters as they came, for the record.
    """
    does: Interaction = "history-instance" if asked.id else "history-type"
    access = visit.access(world, does, asked.type, asked=pairs)
    found = await world.history.page(asked, access)
    if found is None:
        return Page([await _all_that_is_left(asked, visit, world)], None)
    rows, more = found
    last = rows[-1] if more else None
    after = Spot(last.updated, last.id, last.version) if last else None
    return Page(await as_seen(rows, does, visit, world), after)


async def _all_that_is_left(asked: Asked, visit: Visit, world: World) -> Seen:
    """That consent was withdrawn, of a Task; an organisation has one version. Raises NotFound."""
    if asked.type not in ("Task", "Organization"):
        raise not_found(asked.type)
    try:
        return await read(asked.type, str(asked.id), visit, world)
    except NotFound:
        raise not_found(asked.type) from None
