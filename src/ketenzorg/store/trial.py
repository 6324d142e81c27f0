"""A database for several uses in one transaction: undone at the end, or kept as one."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.store.database import NO_SETTINGS, Database, Fetch, as_before, show_as
from ketenzorg.store.doorbell import Doorbell


class Trial(Database):
    """What Database does, inside a transaction of somebody else; what fails in it undoes no more than itself."""

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._connection = connection
        self._driver = driver

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """One statement."""
        with _deadlock_named():
            async with self._driver.transaction():
                rows: list[asyncpg.Record] = await self._driver.fetch(statement, *arguments)
                return rows

    @asynccontextmanager
    async def together(self) -> AsyncIterator[Fetch]:
        """Several statements: all that they write, or nothing."""
        with _deadlock_named():
            async with self._driver.transaction():
                yield self._driver.fetch

    @asynccontextmanager
    async def as_callers(
        self, callers: Sequence[UUID], settings: Mapping[str, str] = NO_SETTINGS
    ) -> AsyncIterator[AsyncConnection]:
        """The same, seeing what these callers see."""
        async with self._connection.begin_nested():
            await show_as(self._connection, callers, settings)
            yield self._connection
            if settings:
                await as_before(self._connection, settings)


class SilentBell(Doorbell):
    """Nothing is stored yet, so nobody has to hear of it."""

    def __init__(self) -> None: ...

    def ring(self) -> None:
        """Do not."""


@asynccontextmanager
async def on_trial(database: Database) -> AsyncIterator[Trial]:
    """Raises Unavailable as any use of the database."""
    async with database.in_one(kept=False) as (connection, driver):
        yield Trial(connection, driver)


@asynccontextmanager
async def kept(database: Database) -> AsyncIterator[Trial]:
    """The same, and all that was done stays when this ends well."""
    async with database.in_one(kept=True) as (connection, driver):
        yield Trial(connection, driver)


@contextmanager
def _deadlock_named() -> Iterator[None]:
    """Two that work on the same trajecten in another order: PostgreSQL ends one."""
    try:
        yield
    except asyncpg.DeadlockDetectedError as error:
        raise Unavailable(_IN_EACH_OTHERS_WAY, headers={"Retry-After": "1"}) from error


_IN_EACH_OTHERS_WAY = Issue(
    nl="Een ander werkt op dit moment aan dezelfde resources; er is niets opgeslagen. Stuur hetzelfde zo nog eens.",
    en="Somebody works on the same resources at this moment; nothing was stored. Send the same again in a moment.",
)
