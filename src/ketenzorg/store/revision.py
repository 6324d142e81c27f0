"""At which migration a database stands, and whether that is enough for this program."""

from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy.exc import DBAPIError

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.settings import for_asyncpg

STANDS_AT = "select version_num from ketenzorg.alembic_version"
# No table; no right to it; no role or another password; no database.
NOT_MADE = (
    asyncpg.UndefinedTableError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


class NotMigrated(Unavailable):
    """The tables that this program works on are not there."""


class Connection(Protocol):
    """What is used of an asyncpg connection, or of our pool."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...


def known(migrations: Path) -> list[str]:
    """The revisions of the folder, in order: a file is named after its revision."""
    return sorted(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*_*.py"))


def newest(migrations: Path) -> str:
    """The revision that this program works on."""
    return known(migrations)[-1]


async def revision_at(url: str) -> str | None:
    """Where the database at this address stands, as its user sees it; None when nothing was migrated."""
    try:
        connection = await asyncpg.connect(for_asyncpg(url))
        try:
            return await _stands_at(connection)
        finally:
            await connection.close()
    except NOT_MADE:
        return None


async def check_migrated(connection: Connection, needed: str) -> None:
    """Raise NotMigrated when the database stands before `needed`.

    After it is fine: while a new version comes, its migration runs before its processes do.
    """
    try:
        found = await _stands_at(connection)
    except NOT_MADE:
        found = None
    except DBAPIError as error:  # our pool could not even connect
        if error.orig is None or not isinstance(error.orig.__cause__, NOT_MADE):
            raise
        found = None
    if found is None or found < needed:
        raise NotMigrated(
            Issue(
                nl=f"De database is niet bijgewerkt tot {needed} (nu: {found or 'niets te zien'}). "
                "Doe: ketenzorg migrate",
                en=f"The database is not migrated to {needed} (now: {found or 'nothing to be seen'}). "
                "Run: ketenzorg migrate",
            )
        )


async def _stands_at(connection: Connection) -> str | None:
    rows = await connection.fetch(STANDS_AT)
    return rows[0]["version_num"] if rows else None
