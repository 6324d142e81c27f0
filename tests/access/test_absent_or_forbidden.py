"""What is not there and what is not for the asker cost the same: by the work that is done, not by a clock.

Both are asked for by an organisation without a part: the same statements go to the database, which looks for as many
rows in the same indexes, and writes the same line. They differ in one thing: of what is there, the wall reads the row
that it then refuses. tests/benchmarks/absent_or_forbidden.py shows what that comes to.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import event

from databases import Database
from ketenzorg.access import registry
from ketenzorg.store import database as pool
from ketenzorg.store.ids import uuid7
from referrals import said
from services import REGION, Service, serving
from spec.talking import call

STRANGER = next(each.id for each in REGION.organisations if each.kind == "fysiotherapie")
COUNTED = """
    select 'looked' as what, relname || ' ' || indexrelname as name, idx_scan as many from pg_stat_all_indexes
    where schemaname = 'ketenzorg'
    union all
    select what, relname, many from pg_stat_all_tables cross join lateral (values
        ('looked', seq_scan), ('read', idx_tup_fetch + seq_tup_read), ('written', n_tup_ins + n_tup_upd + n_tup_del)
    ) each(what, many)
    where schemaname = 'ketenzorg'
"""
COUNT_NOW = "select pg_stat_force_next_flush()"
LINE = "select * from ketenzorg.audit order by id desc limit {many}"
OWN = ("id", "at", "xid", "request")  # of each line of the log
WALLED = {"resource", "resource_history"}
ASKED = {  # method and what comes after the id; the types that have it
    "GET ": ("Task", "Patient", "ServiceRequest"),
    "GET /_history/1": ("Task", "Patient"),
    "GET /_history": ("Task", "Patient"),
    "GET /$next": ("Task",),
    "POST /$event": ("Task",),
    "PATCH ": ("Task",),
    "PUT ": ("Task",),
    "DELETE ": ("ServiceRequest",),
    "GET /$validate": ("Patient",),
}


class Work(NamedTuple):
    """What one request made the database do."""

    answer: tuple[int, Any]
    statements: list[str]
    looked: Counter[str]  # how often in each index and table
    read: Counter[str]  # rows of each table
    written: Counter[str]
    lines: list[dict[str, Any]]


class Watch:
    """Counts what the database does for one request after another, all on one connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._statements: list[str] = []
        self._database = service.app.litestar.state.database
        event.listen(self._database._engine.sync_engine, "connect", self._listen)

    def _listen(self, connection: Any, _: Any) -> None:
        connection.driver_connection.add_query_logger(lambda asked: self._statements.append(asked.query))

    async def of(self, method: str, address: str, body: Any) -> Work:
        """Ask, and count."""
        before = await self._counted()
        self._statements.clear()
        response = await call(self._service, STRANGER, method, address, body)
        await self._database.fetch(COUNT_NOW)
        counted = {what: now - before[what] for what, now in (await self._counted()).items()}
        lines = await self._service.rows(LINE.format(many=counted["written"]["audit"]))
        return Work(
            answer=(response.status_code, response.json()),
            statements=[each for each in self._statements if each != COUNT_NOW],
            lines=list(map(dict, lines)),
            **counted,
        )

    async def _counted(self) -> dict[str, Counter[str]]:
        counted: dict[str, Counter[str]] = {"looked": Counter(), "read": Counter(), "written": Counter()}
        for row in await self._service.rows(COUNTED):
            counted[row["what"]][row["name"]] = row["many"] or 0
        return counted


@pytest.fixture
async def watched(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """The service with one connection, that looks for revoked clients once."""
    monkeypatch.setattr(pool, "POOL_SIZE", 1)
    monkeypatch.setattr(pool, "KEPT", 0)
    monkeypatch.setattr(registry, "STALE_S", 3600.0)
    async with serving(database) as service:
        yield service


async def test_what_is_not_there_and_what_is_not_for_you_are_the_same_work(watched: Service) -> None:
    watch = Watch(watched)
    referral = await watched.refer()
    for asked, kinds in ASKED.items():
        for kind in kinds:
            there, nowhere = UUID(referral[kind].partition("/")[2]), uuid7()
            whole = (await watched.his.get(f"/fhir/{referral[kind]}")).json()
            for _ in range(2):  # the first time makes plans and fills caches
                hidden = await watch.of(*request(asked, kind, there, whole))
                absent = await watch.of(*request(asked, kind, nowhere, whole))

            named = f"{asked} {kind}"
            assert hidden.answer == absent.answer, named
            assert hidden.answer[0] == 404, named
            assert hidden.statements == absent.statements != [], named
            assert hidden.looked == absent.looked, named
            assert hidden.written == absent.written, named
            assert lines_of(hidden, there) == lines_of(absent, nowhere) != [], named
            # What the wall read before it refused: no more than one row each time that it looked.
            assert not absent.read - hidden.read, named
            refused = hidden.read - absent.read
            assert refused.keys() <= WALLED, (named, refused)
            assert refused.total() <= sum(hidden.looked[f"{each} {each}_pkey"] for each in WALLED), named


def request(asked: str, kind: str, id_: UUID, whole: dict[str, Any]) -> tuple[str, str, Any]:
    """Method, address and body."""
    method, _, rest = asked.partition(" ")
    bodies = {
        "POST": said("aannemen"),
        "PATCH": [{"op": "replace", "path": "/status", "value": "accepted"}],
        "PUT": whole | {"id": str(id_)},
    }
    return method, f"/fhir/{kind}/{id_}{rest}", bodies.get(method)


def lines_of(work: Work, id_: UUID) -> list[str]:
    """The lines without what is of each line alone."""
    return [
        str({name: value for name, value in line.items() if name not in OWN}).replace(str(id_), "<id>")
        for line in work.lines
    ]
