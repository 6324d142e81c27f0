"""Whether the database may be worked on: it answers, is migrated, and keeps what it acknowledges."""

from ketenzorg.store.durability import check_durability
from ketenzorg.store.revision import Connection, check_migrated


async def check_ready(connection: Connection, revision: str) -> None:
    """Raise Unavailable, with what to do about it."""
    await check_migrated(connection, revision)
    await check_durability(connection)
