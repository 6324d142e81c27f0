"""The clock of every running traject: which norms and controls run, and telling of those that are past."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from ketenzorg.store.database import Database
from ketenzorg.store.doorbell import Doorbell


class Running(msgspec.Struct, frozen=True):
    """A norm or control that runs, as the database keeps it."""

    norm: str
    began: datetime
    within: str
    at: datetime
    look: datetime  # when somebody must be told first


class LateNorm(NamedTuple):
    """A norm or control that is past, of one traject."""

    traject: UUID
    norm: str
    began: datetime
    at: datetime


class Before(msgspec.Struct, frozen=True):
    """Something that was told of this norm since it was armed."""

    kind: str  # as the event log calls it
    after: str | None  # of an escalation


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A norm or control that must be looked at, with what decides who hears of it."""

    traject: UUID
    norm: str
    began: datetime
    within: str
    at: datetime
    look: datetime
    until: datetime | None  # it was past when it ended then, and nobody knows yet
    step: str
    pathway: str
    version: str
    municipality: str
    counts: dict[str, int]
    roles: dict[str, UUID]
    parties: tuple[UUID, ...]  # everybody who ever took part
    involved: tuple[UUID, ...]  # who takes part now
    task: UUID
    told: tuple[Before, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is told, as it goes into the log, and who hears of it."""

    traject: UUID
    id: UUID
    event: str
    at: datetime
    step: str
    body: Any
    parties: tuple[UUID, ...]  # who may know of it
    told: tuple[UUID, ...]  # who hears of it
    task: UUID  # that it is about
    priority: str


class Looked(msgspec.Struct, frozen=True):
    """When to look at a norm again; never, when all is told."""

    traject: UUID
    norm: str
    began: datetime
    at: datetime
    look: datetime | None


Decided = tuple[Sequence[Told], Sequence[Looked]]


class Dues:
    """The clocks of one region."""

    def __init__(self, database: Database, region: str, bell: Doorbell) -> None:
        self._database = database
        self._region = region
        self._bell = bell

    async def tell(self, now: datetime, most: int, decide: Callable[[list[Past]], Decided]) -> int:
        """Look at what is past, the earliest first, and write what `decide` makes of it; how many that were.

        One transaction: who dies on the way has told nothing, and what another looks at now is passed over.
        """
        async with self._database.as_callers([]) as connection:
            claim = text("select * from claim_due(:region, :now, :most)")
            rows = await connection.execute(claim, {"region": self._region, "now": now, "most": most})
            past = [msgspec.convert(dict(row), Past) for row in rows.mappings()]
            if past:
                told, looks = decide(past)
                await connection.execute(
                    text(
                        "select tell_due(:region, :callers, :now, cast(:told as jsonb), cast(:looks as jsonb))"
                    ),
                    {
                        "region": self._region,
                        "callers": list({party for each in past for party in each.parties}),
                        "now": now,
                        "told": msgspec.json.encode(told).decode(),
                        "looks": msgspec.json.encode(looks).decode(),
                    },
                )
        if past:
            self._bell.ring()
        return len(past)

    async def late(self, organisation: UUID, trajecten: Sequence[UUID], now: datetime) -> list[LateNorm]:
        """What is past of these trajecten, the longest first, as far as the organisation takes part in them."""
        statement = text(
            "select traject, norm, began, at from due where region = :region and traject = any(:trajecten)"
            " and until is null and at < :now order by at, traject, norm"
        )
        values = {"region": self._region, "trajecten": list(trajecten), "now": now}
        async with self._database.as_callers([organisation]) as connection:
            return [LateNorm(*row) for row in await connection.execute(statement, values)]

    async def next_look(self) -> datetime | None:
        """The earliest moment at which somebody must be told of something."""
        rows = await self._database.fetch("select next_look($1) as at", self._region)
        at: datetime | None = rows[0]["at"]
        return at
