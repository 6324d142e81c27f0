"""`ketenzorg health`: what a container without a port is asked."""

import asyncio
from collections.abc import Mapping

from ketenzorg.app import check_all_ready, keyring_of
from ketenzorg.cli.place import Place, place
from ketenzorg.store.database import Database
from ketenzorg.store.revision import newest


def health(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Return when all is well; raises Unavailable when the database or a key is not as it must be."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_check(here))


async def _check(here: Place) -> None:
    database = Database(here.database_url)
    try:
        keyring = keyring_of(here.settings, here.secret, database)
        await check_all_ready(database, newest(here.settings.migrations), keyring)
    finally:
        await database.close()
