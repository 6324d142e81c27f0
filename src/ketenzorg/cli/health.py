"""`ketenzorg health`: what a container without a port is asked."""

import asyncio
from collections.abc import Mapping

from ketenzorg.cli.place import place
from ketenzorg.store.database import Database
from ketenzorg.store.readiness import check_ready
from ketenzorg.store.revision import newest


def health(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Return when all is well; raises Unavailable when the database is not there, not migrated, or may lose work."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_check(here.database_url, newest(here.settings.migrations)))


async def _check(url: str, revision: str) -> None:
    database = Database(url)
    try:
        await check_ready(database, revision)
    finally:
        await database.close()
