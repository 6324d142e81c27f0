"""What the demo asks of its own database: to keep its statistics at the pace of a year and a half in a minute."""

import asyncpg

from ketenzorg.cli.place import Place
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded import EmbeddedPostgres

# Usually a minute: plans made for empty tables would then read whole ones for half of the demo.
LOOK_AGAIN = "1s"


async def keep_pace(here: Place) -> None:
    """Have the tables of a place analysed as soon as they have grown.

    https://www.postgresql.org/docs/18/runtime-config-vacuum.html#GUC-AUTOVACUUM-NAPTIME
    """
    with EmbeddedPostgres(here.settings.data_dir, pg_bin=here.settings.pg_bin, attach=True) as server:
        connection = await asyncpg.connect(for_asyncpg(server.admin_url))
        try:
            await connection.execute(f"alter system set autovacuum_naptime = '{LOOK_AGAIN}'")
            await connection.execute("select pg_reload_conf()")
        finally:
            await connection.close()
