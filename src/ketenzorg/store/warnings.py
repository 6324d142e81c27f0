"""What a person is told about what does not arrive, as the database keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from ketenzorg.store.database import Database


class Late(msgspec.Struct, frozen=True):
    """Events of one subscription that are known from now on not to have arrived in time."""

    subscription: UUID
    organisation: UUID
    priority: str
    events: int


class Untold(msgspec.Struct, frozen=True):
    """What somebody must be mailed, who looks after a receiver."""

    id: UUID
    organisation: UUID
    contact: str
    kind: Literal["late", "off"]
    priority: str
    events: int
    oldest: datetime | None
    why: str


class Warnings:
    """The warnings of one region."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def late(self, before: Mapping[str, datetime], *, now: datetime) -> list[Late]:
        """Note what should have arrived: owed since before these moments, by priority. Each event once."""
        rows = await self._database.fetch(
            "select * from warn_late($1, $2, $3, $4)", self._region, now, [*before], [*before.values()]
        )
        return [Late(**row) for row in rows]

    async def claim(self, *, seconds: float, room: int) -> list[Untold]:
        """Warnings to mail, which nobody else mails for so long."""
        rows = await self._database.fetch(
            "select * from claim_warnings($1, $2, $3)", self._region, seconds, room
        )
        return [Untold(**row) for row in rows]

    async def mailed(self, warning: UUID, *, now: datetime) -> None:
        """Somebody was told, or there is nobody to tell."""
        await self._database.fetch("select warning_mailed($1, $2, $3)", self._region, warning, now)
