"""A database on which all can be done and nothing stays: one transaction, undone at the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.store.database import Database, Fetch, show_as
from ketenzorg.store.doorbell import Doorbell


class Trial(Database):
    """What Database does, inside a transaction of somebody else; what fails in it undoes no more than itself."""

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._connection = connection
        self._driver = driver

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """One statement."""
        async with self._driver.transaction():
            rows: list[asyncpg.Record] = await self._driver.fetch(statement, *arguments)
            return rows

    @asynccontextmanager
    async def together(self) -> AsyncIterator[Fetch]:
        """Several statements: all that they write, or nothing."""
        async with self._driver.transaction():
            yield self._driver.fetch

    @asynccontextmanager
    async def as_callers(
        self, callers: Sequence[UUID], longest_ms: int = 0
    ) -> AsyncIterator[AsyncConnection]:
        """The same, seeing what these callers see."""
        async with self._connection.begin_nested():
            await show_as(self._connection, callers, longest_ms)
            yield self._connection


class SilentBell(Doorbell):
    """Nothing is stored, so nobody has to hear of it."""

    def __init__(self) -> None: ...

    def ring(self) -> None:
        """Do not."""


@asynccontextmanager
async def on_trial(database: Database) -> AsyncIterator[Trial]:
    """Raises Unavailable as any use of the database."""
    async with database.undone() as (connection, driver):
        yield Trial(connection, driver)
