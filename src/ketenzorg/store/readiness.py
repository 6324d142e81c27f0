"""Whether the database may be worked on: it answers, is migrated, keeps what it acknowledges in order, and holds us."""

from ketenzorg.store.durability import check_durability
from ketenzorg.store.revision import Connection, check_migrated
from ketenzorg.store.stamps import check_stamps
from ketenzorg.store.walls import check_walls


async def check_ready(connection: Connection, revision: str) -> None:
    """Raise Unavailable, with what to do about it."""
    await check_migrated(connection, revision)
    await check_durability(connection)
    await check_walls(connection)
    await check_stamps(connection)
