"""Whether a 2xx of ours means "on disk": the server's settings that decide it.

https://www.postgresql.org/docs/18/runtime-config-wal.html
"""

from typing import Any, Protocol

from ketenzorg.errors import Issue, Unavailable

# "local" and the stronger values of synchronous_commit all wait for our own disk.
NEEDED = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(Unavailable):
    """The server may lose what it acknowledged: no referral is taken on it."""


class Connection(Protocol):
    """What is used of an asyncpg connection."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...


async def check_durability(connection: Connection) -> None:
    """Raise when a setting is off, as this connection (its role and database) has it."""
    rows = await connection.fetch(
        "select name from pg_settings where name = any($1) and setting = 'off' order by name", list(NEEDED)
    )
    if rows:
        raise NotDurable(
            *(
                Issue(
                    nl=f"PostgreSQL: {row['name']} staat uit; zet het aan, anders kan werk verloren gaan.",
                    en=f"PostgreSQL: {row['name']} is off; turn it on, or stored work can be lost.",
                )
                for row in rows
            )
        )
