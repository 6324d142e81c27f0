"""What a page of a worklist costs: the rows that the database reads do not grow with what is not on the page."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.worklist import PAGE, Place, Spot, Wanted, Which, Worklist
from services import REGION, START, Service, looks

TEAM = caller_for(REGION, "welzijn-demo").organisation
STEPS = ("aangemeld", "contact zoeken", "in gesprek")
PLACES = [Place("welzijn-op-recept", "0.1.0", step, "welzijnscoach") for step in STEPS]
WANTED = Wanted(
    TEAM, START + timedelta(days=365), "noor", {"new": PLACES[:1], "ours": PLACES, "waiting": PLACES[1:]}
)
COPIES = 4000
READ = """
    select (select sum(idx_tup_read) from pg_stat_all_indexes where relname = 'part')
        + (select seq_tup_read from pg_stat_all_tables where relname = 'part') as rows
"""


async def filled(service: Service, ended: str) -> list[Spot]:
    """Thousands of copies of one traject, all on every list but that of the other half; gives their order."""
    await service.refer()
    await service.rows(
        "insert into ketenzorg.traject select region, gen_random_uuid(), pathway, version,"
        f" (array{list(STEPS)})[1 + n % 3], counts, happened, seq, person, patient, service_request,"
        f" care_plan, gen_random_uuid(), roles, parties, municipality, started, {ended},"
        " case when n % 9 > 0 then due + n * interval '1 minute' end, due_norm, involved, pseudonym"
        f" from ketenzorg.traject, generate_series(1, {COPIES}) n"
    )
    await service.rows("update ketenzorg.part set colleague = 'noor', news = '{2}'")
    await service.rows("vacuum analyze ketenzorg.part")
    rows = await service.rows(
        "select coalesce(ended, term) as at, traject, role from ketenzorg.part"
        f" where organisation = '{TEAM}' order by 1"
    )
    return [Spot(row["at"], row["traject"], row["role"]) for row in rows]


@pytest.fixture
async def pool(service: Service) -> AsyncIterator[Pool]:
    """A pool of its own: used by one at a time it is one connection, that knows what it read."""
    pool = Pool(service.database.app_url)
    yield pool
    await pool.close()


async def read_so_far(service: Service, pool: Pool) -> int:
    async with pool.as_callers([TEAM]) as connection:
        await connection.execute(text("select pg_stat_force_next_flush()"))
    return int((await service.rows(READ))[0]["rows"])


@pytest.mark.parametrize("which", ["open", "new", "mine", "late", "waiting", "ours", "unread", "ended"])
async def test_a_page_reads_what_is_on_it(service: Service, pool: Pool, which: Which) -> None:
    order = await filled(service, "started + n * interval '1 minute'" if which == "ended" else "null")
    worklist = Worklist(pool, "groningen")
    deep = order[COPIES * 3 // 4]
    for where in ({}, {"after": deep}, {"before": deep}):
        before = await read_so_far(service, pool)
        lines, _ = await worklist.page(which, WANTED, looks(TEAM), **where)
        read = await read_so_far(service, pool) - before
        assert len(lines) == PAGE + 1
        # A page of each step, or twice that when the planner so chooses: never a share of the thousands.
        assert PAGE < read <= 2 * (PAGE + 2) * len(STEPS) < COPIES / 10, where


async def test_counting_stops(service: Service, pool: Pool) -> None:
    await filled(service, "null")
    worklist = Worklist(pool, "groningen")
    lists: list[Which] = ["open", "new", "mine", "late", "waiting", "ours", "unread"]
    before = await read_so_far(service, pool)
    _, counts = await worklist.page("open", WANTED, looks(TEAM), lists)
    assert counts == dict.fromkeys(lists, 1000)
    read = await read_so_far(service, pool) - before
    assert 1000 * len(lists) < read <= 1000 * len(lists) + 2 * PAGE
