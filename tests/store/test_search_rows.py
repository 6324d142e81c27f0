"""What a search costs: a bounded number of rows, whatever is stored, and of statements, whatever is asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import combinations

import pytest
from sqlalchemy import event, text

from benchmarks.many_tasks import FEW, MANY, PRACTICE, SOME, copied
from databases import new_database
from ketenzorg.store import walking
from services import Service, serving
from spec.talking import call
from store.test_rows_read import READ

TASKS, FEW_TASKS = 2_000, 20
DAILY = (
    f"owner=Organization/{MANY}&status=failed",
    f"owner=Organization/{MANY}&status=failed&_sort=-_lastUpdated",
    f"owner=Organization/{MANY}&status=failed&_sort=-authored-on",
    "status=requested,accepted",
    "status:not=failed",
    "_sort=-_lastUpdated",
    "_lastUpdated=ge2026-01-12",
    "_lastUpdated=ge2026-01-12&status=failed&_sort=-_lastUpdated",
    "authored-on=ge2026-01-12",
    "authored-on=gt2099",
    f"requester={PRACTICE}&status=rejected",
    "identifier=urn:his|niets",
    "status=accepted&_include=Task:focus",
)
MOST = 700  # rows that a page of twenty reads: four of each, and a request's for each that comes along


@pytest.fixture(scope="module")
async def many(postgres: str, template: str) -> AsyncIterator[Service]:
    async with new_database(postgres, template) as database, serving(database) as service:
        async for _ in copied(service, TASKS):
            pass
        yield service


async def read_so_far(service: Service) -> int:
    async with service.app.litestar.state.database.as_callers([]) as connection:  # that searches, too
        await connection.execute(text("select pg_stat_force_next_flush()"))
    return int((await service.rows(READ))[0]["rows"])


async def rows_of(service: Service, ask: Callable[[], Awaitable[None]]) -> int:
    before = await read_so_far(service)
    await ask()
    return await read_so_far(service) - before


async def test_a_page_reads_what_it_shows_also_where_the_planner_knows_nothing_yet(many: Service) -> None:
    async def read(query: str, times: int) -> int:
        async def ask() -> None:
            address = f"/fhir/Task?{query}&_count=20"
            for _ in range(times):
                answer = (await call(many, MANY, "GET", address, None, 200)).json()
                address = next(
                    (each["url"] for each in answer["link"] if each["relation"] == "next"), address
                )

        return await rows_of(many, ask)

    read_by = {query: await read(query, 1) for query in DAILY}
    assert {query: rows for query, rows in read_by.items() if rows > MOST} == {}
    # Further on it costs the same.
    ten = await read(DAILY[1], 10)
    assert ten < 12 * read_by[DAILY[1]], (ten, read_by[DAILY[1]])


async def test_what_others_have_is_not_read(many: Service) -> None:
    async def ask() -> None:
        answer = await call(many, FEW, "GET", "/fhir/Task?status=failed&code=niets", None, 200)
        assert "entry" not in answer.json()

    assert await rows_of(many, ask) < MOST


@pytest.mark.parametrize("order", ["", "&_sort=_lastUpdated", "&_sort=-_lastUpdated", "&_sort=-authored-on"])
async def test_next_leads_on_where_a_page_looked_at_enough(
    many: Service, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LONGEST_WALK", 30)
    address: str | None = f"/fhir/Task?owner=Organization/{FEW}&_count=5{order}"
    pages: list[list[str]] = []
    told: list[str] = []
    while address is not None:
        page = (await call(many, PRACTICE, "GET", address, None, 200)).json()
        entries = page.get("entry", [])
        pages.append([each["resource"]["id"] for each in entries if each["search"]["mode"] == "match"])
        told += [
            each["resource"]["issue"][0]["code"] for each in entries if each["search"]["mode"] == "outcome"
        ]
        address = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
    found = [id_ for page in pages for id_ in page]
    assert len(found) == len(set(found)) == FEW_TASKS
    assert [] in pages[:-1]
    assert set(told) == {"incomplete"}


async def test_any_search_is_one_of_few_statements(many: Service) -> None:
    texts: set[str] = set()
    engine = many.app.litestar.state.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: texts.add(given[2]))
    asked = (
        f"owner=Organization/{MANY},Organization/{FEW}", f"owner={SOME}03", "status=failed", "status:not=failed",
        "status=failed,rejected", "_lastUpdated=ge2020", "_lastUpdated=ge2020,lt2030", "authored-on=ap2026",
        "authored-on=ne2026,sa2030", "code=1,2,3", "code:not=urn:x|y", "business-status=x", "identifier=a,b,c",
        "owner:missing=true", f"requester={PRACTICE}", "_sort=-_lastUpdated", "_sort=authored-on", "_total=accurate",
        "_include=Task:focus", "_include=Task:owner", "patient.identifier=x", f"patient={MANY}", f"_id={MANY},{FEW}",
        "_has:ServiceRequest:based-on:status=active", "priority=urgent",
    )  # fmt: skip
    for pair in combinations(asked, 2):
        response = await call(many, FEW, "GET", f"/fhir/Task?{'&'.join(pair)}")
        assert response.status_code in (200, 400), response.text
    for kind in ("ServiceRequest", "CarePlan", "Patient", "Observation"):
        await call(many, FEW, "GET", f"/fhir/{kind}?_lastUpdated=ge2020&patient={MANY}")
    # Settings, five walks, a count, two ways to be led, by key, of a traject, personal numbers, and the line on record.
    assert len(texts) <= 13, sorted(texts)
