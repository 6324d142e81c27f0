"""What an organisation has to do, and the events of one traject: for people, in the order in which they need it.

Every list is a walk along an index of its own, and a page begins after the last line of the one before it, so
that what is not shown costs nothing: https://use-the-index-luke.com/no-offset
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg import events
from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access, note_looks
from ketenzorg.store.database import Database

Which = Literal["open", "new", "mine", "late", "waiting", "ours", "unread", "ended"]
PAGE = 50  # lines of one page
MOST = 999  # lines that are counted; who has more is told that there are more


class Line(msgspec.Struct, frozen=True):
    """One line of a worklist."""

    traject: UUID
    role: str
    pathway: str
    version: str
    step: str
    task: UUID
    patient: UUID
    patient_body: bytes | None
    roles: dict[str, UUID]
    phases: dict[str, str]
    started: datetime
    ended: datetime | None
    due: datetime | None
    due_norm: str | None
    term: datetime  # where it stands among what is open
    news: list[int]
    seen: int
    colleague: str | None
    file_number: str | None
    edition: int
    to_choose: bool  # it is up to who asked several
    withdrawn: int | None = None  # the patient took consent back: this is all that is left to see

    @property
    def standing(self) -> Standing:
        """What decides how much of it the organisation sees."""
        return Standing(self.step, self.roles, self.phases)

    @property
    def unread(self) -> tuple[int, ...]:
        """The news that nobody of the organisation has looked at."""
        return tuple(seq for seq in self.news if seq > self.seen)

    @property
    def spot(self) -> "Spot":
        """Where it stands in the order of its list."""
        return Spot(self.ended or self.term, self.traject, self.role)


class Spot(NamedTuple):
    """A place in the order of a list."""

    at: datetime
    traject: UUID
    role: str


class Place(NamedTuple):
    """A step in a version of a pathway, as one of its roles sees it."""

    pathway: str
    version: str
    step: str
    role: str
    provided: Literal["", "to choose"] = ""  # only as long as it is so; empty: always


class Wanted(msgspec.Struct, frozen=True):
    """Whose list, and what decides which lines are on it."""

    organisation: UUID
    now: datetime
    colleague: str = ""
    places: Mapping[Which, Sequence[Place]] = {}  # for the lists of what stands at certain steps


class Recorded(msgspec.Struct, frozen=True):
    """An event of the log, with when it happened and when we heard of it."""

    seq: int
    happened: datetime
    recorded: datetime
    body: events.Event


# Of those that were asked by name one said yes and waits to be chosen, or nobody is left who may still say so.
TO_CHOOSE = """exists (
    select from (select asides, roles from traject where region = p.region and id = p.traject limit 1) t
    cross join lateral jsonb_each_text(t.asides) aside
    where aside.key like 'kandidaat %' and (
        not exists (select from jsonb_object_keys(t.roles) asked where asked like '%?%')
        or (
            select true from search_token
            where region = p.region and type = 'Task' and param = 'status' and code = 'accepted'
                and system = 'http://hl7.org/fhir/task-status' and id = cast(aside.value as uuid)
        )
    )
)"""
COLUMNS = f"""
    select p.traject, p.role, p.pathway, p.version, p.step, p.task, p.patient, p.started, p.ended, p.due, p.due_norm,
        p.term, p.news, p.seen, p.colleague, p.file_number, p.edition, p.withdrawn,
        coalesce(t.roles, '{{}}') as roles, coalesce(t.phases, '{{}}') as phases, r.body as patient_body,
        {TO_CHOOSE} as to_choose
"""
BESIDE = """
    -- Of whom consent was withdrawn the organisation has its own line only.
    left join traject t on t.region = p.region and t.id = p.traject
    left join resource r on r.region = p.region and r.type = 'Patient' and r.id = p.patient
"""
OWN = "p.region = :region and p.organisation = :organisation"
AT_STEPS = (
    "p.ended is null and (p.step, p.pathway, p.version, p.role) = (w.step, w.pathway, w.version, w.role)"
    f" and (w.provided = '' or {TO_CHOOSE})"
)
WHICH: dict[Which, str] = {
    "open": "p.ended is null",
    "new": AT_STEPS,
    "mine": "p.ended is null and p.colleague = :colleague",
    "late": "p.ended is null and p.term < :now",
    "waiting": AT_STEPS,
    "ours": AT_STEPS,
    "unread": "p.news[cardinality(p.news)] > p.seen",
    "ended": "p.ended is not null",
}
ONE = (
    "and p.traject = coalesce("
    "(select traject from resource where region = :region and type = 'Task' and id = :task),"
    " (select w.traject from part w where w.region = :region and w.organisation = :organisation"
    " and w.task = :task and w.withdrawn is not null limit 1),"
    # A practice that passed its part on keeps the versions of before.
    " (select h.traject from resource_history h where h.region = :region and h.type = 'Task' and h.id = :task limit 1))"
    " order by p.edition desc, p.role limit 1"
)


class Worklist:
    """Where worklists are read."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def page(
        self,
        which: Which,
        wanted: Wanted,
        access: Access,
        counted: Sequence[Which] = (),
        *,
        after: Spot | None = None,
        before: Spot | None = None,
    ) -> tuple[list[Line], dict[Which, int]]:
        """The lines next to a spot in their order, and how long these lists are; whose lines they are is on record.

        One line more than PAGE says that there is more; before a spot that one is the first.
        """
        async with self._database.as_callers([wanted.organisation]) as connection:
            lines = await self._lines(which, wanted, after, before, connection)
            shown = lines[-PAGE:] if before else lines[:PAGE]
            await note_looks(connection, self._region, access, "Task", {line.traject for line in shown})
            return lines, await self._counts(counted, wanted, connection)

    async def _lines(
        self,
        which: Which,
        wanted: Wanted,
        after: Spot | None,
        before: Spot | None,
        connection: AsyncConnection,
    ) -> list[Line]:
        order, backwards = _order(which), before is not None
        descending = backwards != (which == "ended")
        sort = ", ".join(f"{column} desc" if descending else column for column in order)
        spot = before or after
        beyond = (
            f"and ({', '.join(order)}) {'<' if descending else '>'} (:at, :traject, :spot_role)"
            if spot
            else ""
        )
        found = _walk(which, "p.*", beyond, f"order by {sort}", PAGE + 1)
        values = self._values(which, wanted)
        if spot:
            values |= {"at": spot.at, "traject": spot.traject, "spot_role": spot.role}
        rows = await connection.execute(text(f"{COLUMNS} from ({found}) p {BESIDE} order by {sort}"), values)
        lines = [msgspec.convert(dict(row), Line) for row in rows.mappings()]
        return lines[::-1] if backwards else lines

    async def _counts(
        self, counted: Sequence[Which], wanted: Wanted, connection: AsyncConnection
    ) -> dict[Which, int]:
        """How many lines, of those that are worth counting."""
        if not counted:
            return {}
        # One statement for all: each would cost a round trip of its own.
        each = [
            f'(select count(*) from ({_walk(which, "1", "", "", MOST + 1)}) p) as "{which}"'  # noqa: S608  (as in _walk)
            for which in counted
        ]
        values: dict[str, Any] = {}
        for which in counted:
            values |= self._values(which, wanted)
        row = (await connection.execute(text(f"select {', '.join(each)}"), values)).mappings().one()
        return msgspec.convert(dict(row), dict[Which, int])

    def _values(self, which: Which, wanted: Wanted) -> dict[str, Any]:
        values: dict[str, Any] = {"region": self._region, "organisation": wanted.organisation}
        if which == "mine":
            values["colleague"] = wanted.colleague
        elif which == "late":
            values["now"] = wanted.now
        elif WHICH[which] == AT_STEPS:
            places = wanted.places.get(which, ())
            values |= {
                f"{which}_{name}": [getattr(place, name) for place in places] for name in Place._fields
            }
        return values

    async def line(self, organisation: UUID, task: UUID) -> Line | None:
        """The line of one Task's traject; None when the organisation has no part in it."""
        statement = text(f"{COLUMNS} from part p {BESIDE} where {OWN} {ONE}")
        async with self._database.as_callers([organisation]) as connection:
            values = {"region": self._region, "organisation": organisation, "task": task}
            row = (await connection.execute(statement, values)).mappings().first()
            return msgspec.convert(dict(row), Line) if row else None

    async def events(self, callers: Sequence[UUID], traject: UUID) -> list[Recorded]:
        """The events of a traject that one of these parties may know, in their order."""
        statement = text(
            "select seq, happened, recorded, body from event where region = :region and traject = :traject"
            " order by seq"
        )
        async with self._database.as_callers(callers) as connection:
            rows = await connection.execute(statement, {"region": self._region, "traject": traject})
            return [
                Recorded(row.seq, row.happened, row.recorded, msgspec.convert(row.body, events.Event))
                for row in rows
            ]

    async def resources(
        self, callers: Sequence[UUID], traject: UUID, kinds: Sequence[str]
    ) -> list[tuple[str, UUID, bytes]]:
        """(type, id, body) of the traject's resources of these types that one of these is a party to."""
        statement = text(
            "select type, id, body from resource where region = :region and traject = :traject"
            " and type = any(:kinds) order by type, id"
        )
        async with self._database.as_callers(callers) as connection:
            rows = await connection.execute(
                statement, {"region": self._region, "traject": traject, "kinds": list(kinds)}
            )
            return [(row.type, row.id, row.body) for row in rows]

    async def earlier(self, callers: Sequence[UUID], kind: str, id_: UUID, version: int) -> bytes | None:
        """An earlier version of a resource that one of these may see."""
        statement = text(
            "select body from resource_history where region = :region and type = :kind and id = :id"
            " and version = :version"
        )
        values: dict[str, Any] = {"region": self._region, "kind": kind, "id": id_, "version": version}
        async with self._database.as_callers(callers) as connection:
            body: bytes | None = await connection.scalar(statement, values)
            return body

    async def see(self, organisation: UUID, traject: UUID, seq: int) -> None:
        """Somebody of the organisation has looked at the traject as it stood after this event."""
        await self._database.fetch(
            "select see_part($1, $2, $3, $4)", self._region, [organisation], traject, seq
        )

    async def set_part(
        self,
        traject: UUID,
        edition: int,
        access: Access,
        *,
        colleague: str | None = None,
        file_number: str | None = None,
    ) -> bool:
        """Write who of its people has it, or its own file number; None leaves it, '' clears it.

        False when the part is not at this edition any more: somebody else wrote first.
        """
        rows = await self._database.fetch(
            "select set_part($1, $2, $3, $4, $5, $6, $7) as done",
            self._region,
            [access.organisation],
            traject,
            edition,
            colleague,
            file_number,
            access.json,
        )
        return bool(rows[0]["done"])


def _order(which: Which) -> tuple[str, ...]:
    return ("p.ended" if which == "ended" else "p.term", "p.traject", "p.role")


def _walk(which: Which, columns: str, beyond: str, sort: str, limit: int) -> str:
    """The first lines of a list: of each step apart where it is of several, so that no line is read in vain."""
    # Every piece is a constant of this module. The limit stands in the text: planned for any limit, the database
    # would rather sort the whole list.
    own = f"select {columns} from part p where {OWN} and {WHICH[which]} {beyond} {sort} limit {limit}"  # noqa: S608
    if WHICH[which] != AT_STEPS:
        return own
    steps = ", ".join(f"cast(:{which}_{name} as text[])" for name in Place._fields)
    each = f"unnest({steps}) as w({', '.join(Place._fields)}) cross join lateral ({own}) p"
    return f"select p.* from {each} {sort} limit {limit}"  # noqa: S608
