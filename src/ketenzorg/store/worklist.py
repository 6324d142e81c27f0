"""What an organisation has to do, and the events of one traject: for people, in the order in which they need it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import text

from ketenzorg import events
from ketenzorg.store.database import Database
from ketenzorg.store.reading import Access

Which = Literal["open", "new", "mine", "late", "waiting", "ended"]
PAGE = 50  # lines of one page


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
    started: datetime
    ended: datetime | None
    due: datetime | None
    due_norm: str | None
    colleague: str | None
    file_number: str | None


class Recorded(msgspec.Struct, frozen=True):
    """An event of the log, with when it happened and when we heard of it."""

    seq: int
    happened: datetime
    recorded: datetime
    body: events.Event


SELECT = """
    select p.traject, p.role, p.pathway, p.version, p.step, p.task, p.patient, p.started, p.ended, p.due, p.due_norm,
        p.colleague, p.file_number, t.roles, r.body as patient_body
    from part p
    join traject t on t.region = p.region and t.id = p.traject
    left join resource r on r.region = p.region and r.type = 'Patient' and r.id = p.patient
    where p.region = :region and p.organisation = :organisation
"""
WHICH: dict[Which, str] = {
    "open": "and p.ended is null",
    "new": "and p.ended is null and p.step = any(:steps)",
    "mine": "and p.ended is null and p.colleague = :colleague",
    "late": "and p.ended is null and p.due < :now",
    "waiting": "and p.ended is null and p.step = any(:steps)",
    "ended": "and p.ended is not null",
}
ONE = (
    "and p.traject = (select traject from resource where region = :region and type = 'Task' and id = :task)"
    " order by p.role limit 1"
)
COUNTS = """
    select count(*) as open,
        count(*) filter (where p.step = any(:steps_new)) as new,
        count(*) filter (where p.colleague = :colleague) as mine,
        count(*) filter (where p.due < :now) as late,
        count(*) filter (where p.step = any(:steps_waiting)) as waiting
    from part p where p.region = :region and p.organisation = :organisation and p.ended is null
"""
ORDER = {True: "order by p.ended desc, p.traject", False: "order by p.due nulls last, p.traject"}


class Worklist:
    """Where worklists are read."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def lines(
        self,
        organisation: UUID,
        which: Which,
        *,
        now: datetime,
        steps: Sequence[str] = (),
        colleague: str = "",
        offset: int = 0,
    ) -> list[Line]:
        """One page of lines; `steps` narrows "new" and "waiting". One more than PAGE says that there is more."""
        statement = text(f"{SELECT} {WHICH[which]} {ORDER[which == 'ended']} limit :limit offset :offset")
        values: dict[str, Any] = {
            "region": self._region,
            "organisation": organisation,
            "limit": PAGE + 1,
            "offset": offset,
        }
        if which in ("new", "waiting"):
            values["steps"] = list(steps)
        elif which == "mine":
            values["colleague"] = colleague
        elif which == "late":
            values["now"] = now
        async with self._database.as_callers([organisation]) as connection:
            rows = await connection.execute(statement, values)
            return [msgspec.convert(dict(row), Line) for row in rows.mappings()]

    async def counts(
        self, organisation: UUID, steps: dict[Which, Sequence[str]], *, now: datetime, colleague: str
    ) -> dict[Which, int]:
        """How many lines each list of open work has."""
        values = {
            "region": self._region,
            "organisation": organisation,
            "now": now,
            "colleague": colleague,
            "steps_new": list(steps.get("new", ())),
            "steps_waiting": list(steps.get("waiting", ())),
        }
        async with self._database.as_callers([organisation]) as connection:
            row = (await connection.execute(text(COUNTS), values)).mappings().one()
            return msgspec.convert(dict(row), dict[Which, int])

    async def line(self, organisation: UUID, task: UUID) -> Line | None:
        """The line of one Task's traject; None when the organisation has no part in it."""
        statement = text(f"{SELECT} {ONE}")
        async with self._database.as_callers([organisation]) as connection:
            values = {"region": self._region, "organisation": organisation, "task": task}
            row = (await connection.execute(statement, values)).mappings().first()
            return msgspec.convert(dict(row), Line) if row else None

    async def events(self, organisation: UUID, traject: UUID) -> list[Recorded]:
        """The events of a traject, in their order."""
        statement = text(
            "select seq, happened, recorded, body from event where region = :region and traject = :traject"
            " order by seq"
        )
        async with self._database.as_callers([organisation]) as connection:
            rows = await connection.execute(statement, {"region": self._region, "traject": traject})
            return [
                Recorded(row.seq, row.happened, row.recorded, msgspec.convert(row.body, events.Event))
                for row in rows
            ]

    async def resources(
        self, organisation: UUID, traject: UUID, kinds: Sequence[str]
    ) -> list[tuple[str, UUID, bytes]]:
        """(type, id, body) of the traject's resources of these types that the organisation is a party to."""
        statement = text(
            "select type, id, body from resource where region = :region and traject = :traject"
            " and type = any(:kinds) order by type, id"
        )
        async with self._database.as_callers([organisation]) as connection:
            rows = await connection.execute(
                statement, {"region": self._region, "traject": traject, "kinds": list(kinds)}
            )
            return [(row.type, row.id, row.body) for row in rows]

    async def earlier(self, organisation: UUID, kind: str, id_: UUID, version: int) -> bytes | None:
        """An earlier version of a resource."""
        statement = text(
            "select body from resource_history where region = :region and type = :kind and id = :id"
            " and version = :version"
        )
        values: dict[str, Any] = {"region": self._region, "kind": kind, "id": id_, "version": version}
        async with self._database.as_callers([organisation]) as connection:
            body: bytes | None = await connection.scalar(statement, values)
            return body

    async def set_part(
        self, traject: UUID, access: Access, *, colleague: str | None = None, file_number: str | None = None
    ) -> bool:
        """Write who of its people has it, or its own file number; None leaves it, '' clears it."""
        rows = await self._database.fetch(
            "select set_part($1, $2, $3, $4, $5, $6, $7, $8) as done",
            self._region,
            [access.organisation],
            traject,
            colleague,
            file_number,
            access.audit_id,
            access.request,
            access.client,
        )
        return bool(rows[0]["done"])
