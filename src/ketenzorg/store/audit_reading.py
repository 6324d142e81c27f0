"""The audit log read again, as entries: a line once for each traject that it tells of. Reading is on record too."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.store.audit import Access, Action
from ketenzorg.store.database import Database

SLACK = timedelta(hours=1)  # between the moment in an id, which we make, and that of the database
EVER, NEVER = datetime(1970, 1, 2, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


class Spot(NamedTuple):
    """An entry: the line, and which of its trajecten (0: it is about none)."""

    line: UUID
    place: int


class Entry(msgspec.Struct, frozen=True):
    """What was done, by whom, to whose data and why."""

    id: UUID
    place: int
    many: int  # of so many trajecten the line tells
    at: datetime
    request: str
    correlation: str
    address: str
    client: str
    user_id: str
    responsible: str
    organisation: UUID
    roles: tuple[str, ...]  # of the organisation in the traject
    action: Action
    interaction: str
    what: str
    version: int | None
    query: tuple[str, ...]
    digest: str
    rule: str
    purpose: str
    outcome: str
    traject: UUID | None
    pathway: str | None
    pseudonym: UUID | None
    patient: UUID | None  # the Patient of the traject; None when there is none, or it is gone
    consent: UUID | None

    @property
    def spot(self) -> Spot:
        return Spot(self.id, self.place)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries, of those that the reader may see: a page after a spot."""

    begin: datetime = EVER
    end: datetime = NEVER
    action: str | None = None
    what: str | None = None
    whose: UUID | None = None  # organisation that did it
    after: Spot | None = None
    most: int

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "begin", _within_time(self.begin))
        msgspec.structs.force_setattr(self, "end", _within_time(self.end))


class Course(NamedTuple):
    """One of the trajecten of a person."""

    id: UUID
    pathway: str
    version: str
    started: datetime
    ended: datetime | None


class AuditReading:
    """Where the log is read."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def own(self, wanted: Wanted, access: Access) -> list[Entry]:
        """What the reader's organisation did."""
        after, until = _bounds(wanted)
        rows = await self._database.fetch(
            "select * from own_log($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            self._region,
            [access.organisation],
            access.json,
            after.line,
            after.place,
            until,
            wanted.begin,
            wanted.end,
            wanted.action,
            wanted.most,
        )
        return _entries(rows)

    async def about(self, trajecten: Sequence[UUID], wanted: Wanted, access: Access) -> list[Entry]:
        """What was done in trajecten, as far as the reader is a party to them."""
        after, until = _bounds(wanted)
        rows = await self._database.fetch(
            "select * from log_about($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            self._region,
            [access.organisation],
            access.json,
            list(trajecten),
            wanted.whose,
            wanted.what,
            after.line,
            after.place,
            until,
            wanted.begin,
            wanted.end,
            wanted.action,
            wanted.most,
        )
        return _entries(rows)

    async def one(self, spot: Spot, access: Access, *, holder: bool) -> Entry | None:
        """One entry; `holder`: also of what others did in a traject of the reader."""
        rows = await self._database.fetch(
            "select * from log_entry($1, $2, $3, $4, $5, $6)",
            self._region,
            [access.organisation],
            access.json,
            spot.line,
            spot.place,
            holder,
        )
        return next(iter(_entries(rows)), None)

    async def courses_of(self, patient: UUID, organisation: UUID) -> list[Course]:
        """The trajecten of the person behind a Patient that the organisation is a party to."""
        rows = await self._database.fetch(
            "select * from trajecten_of_person($1, $2, $3)", self._region, [organisation], patient
        )
        return [Course(**row) for row in rows]

    async def traject_of(self, kind: str, id_: UUID, organisation: UUID) -> UUID | None:
        """The traject of a resource that the organisation is a party to."""
        rows = await self._database.fetch(
            "select traject_of($1, $2, $3, $4) as id", self._region, [organisation], kind, id_
        )
        found: UUID | None = rows[0]["id"]
        return found


def _within_time(moment: datetime) -> datetime:
    """A moment, or the end of the time in which there can be lines."""
    return min(max(moment, EVER), NEVER)


def _bounds(wanted: Wanted) -> tuple[Spot, UUID]:
    """After which entry, and the last id that can be of before the end: ids begin with their moment."""
    first = Spot(_id_at(wanted.begin - SLACK), -1)
    return max(wanted.after or first, first), _id_at(wanted.end + SLACK)


def _id_at(moment: datetime) -> UUID:
    """The lowest uuid that begins with this moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _entries(rows: Sequence[Any]) -> list[Entry]:
    return [msgspec.json.decode(row["entry"], type=Entry) for row in rows]
