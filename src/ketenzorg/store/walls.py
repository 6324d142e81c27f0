"""Whether row level security holds the role that we connect with: some roles walk through it.

https://www.postgresql.org/docs/18/ddl-rowsecurity.html
"""

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.settings import DATABASE_URL
from ketenzorg.store.durability import Connection

UNHELD = """
    select rolsuper or rolbypassrls or pg_has_role(oid, 'ketenzorg_owner', 'member') as unheld
    from pg_roles where rolname = current_user
"""


class NoWall(Unavailable):
    """A forgotten filter would show everything: nothing is shown on such a connection."""


async def check_walls(connection: Connection) -> None:
    """Raise NoWall for a superuser, for a role with BYPASSRLS, and for one that may become the owner."""
    [row] = await connection.fetch(UNHELD)
    if row["unheld"]:
        raise NoWall(
            Issue(
                nl=f"{DATABASE_URL.name} noemt een rol die door row level security heen gaat; neem ketenzorg_app.",
                en=f"{DATABASE_URL.name} names a role that row level security does not hold; use ketenzorg_app.",
            )
        )
