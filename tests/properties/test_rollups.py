"""Counting along is the same as counting again, whatever comes late, is corrected, or is counted in what pieces."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content import CATALOGUE
from databases import Database
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.database import Database as Pool
from ketenzorg.throughput import rollup as rolling
from ketenzorg.throughput.rollup import Rollup
from throughput.counting import all_counted
from throughput.regions import Entry, Walker, write

PATHWAY = CATALOGUE.current("welzijn-op-recept")
BEGIN = datetime(2025, 11, 3, 10, tzinfo=UTC)
NUMBERS = count()


def shuffled(logs: list[list[Entry]], chance: random.Random) -> list[tuple[UUID, Entry]]:
    """All events in one order: those of a traject in their own, of different ones any way round."""
    turns = [place for place, log in enumerate(logs) for _ in log]
    chance.shuffle(turns)
    waiting = [iter(log) for log in logs]
    ids = [UUID(int=chance.getrandbits(128)) for _ in logs]
    return [(ids[place], next(waiting[place])) for place in turns]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), trajecten=st.integers(1, 8), pieces=st.lists(st.integers(1, 30), max_size=8)
)
async def test_folding_along_the_way_equals_a_recount(
    database: Database, seed: int, trajecten: int, pieces: list[int]
) -> None:
    chance = random.Random(seed)
    walker = Walker(PATHWAY, chance)
    until = BEGIN + timedelta(weeks=30)
    log = shuffled(
        [walker.walk(BEGIN + timedelta(days=chance.random() * 90), until) for _ in range(trajecten)], chance
    )
    region = f"region-{next(NUMBERS)}"
    pool = Pool(database.app_url)
    one, other = Rollup(pool, region, CATALOGUE), Rollup(pool, region, CATALOGUE)
    try:
        for size in [*pieces, len(log)]:
            now, log = log[:size], log[size:]
            await write(database, [(traject, [entry]) for traject, entry in now], region)
            # Two at once, each as far as it comes.
            await asyncio.gather(one.fold(), other.fold_until_current(), one.fold())
        await all_counted(one)
        along = await cells(database, region)
        await one.recount()
        await all_counted(one)
        assert along == await cells(database, region)
        assert all(n >= 0 for row in along for n in numbers(row["numbers"]))
    finally:
        await pool.close()


async def test_a_new_definition_counts_everything_again(database: Database) -> None:
    walker = Walker(PATHWAY, random.Random(3))
    logs = [walker.walk(BEGIN, BEGIN + timedelta(weeks=20)) for _ in range(5)]
    await write(database, [(UUID(int=place + 1), log) for place, log in enumerate(logs)], "groningen")
    pool = Pool(database.app_url)
    await all_counted(Rollup(pool, "groningen", CATALOGUE))
    before = await cells(database, "groningen")
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    await connection.execute("update ketenzorg.throughput_cursor set stamp = 'older'")
    await connection.execute("update ketenzorg.throughput_cell set numbers = numbers + 1")
    await connection.close()
    await all_counted(Rollup(pool, "groningen", CATALOGUE))
    await pool.close()
    assert before
    assert await cells(database, "groningen") == before


async def test_an_event_that_commits_late_is_not_skipped(database: Database) -> None:
    """A transaction that began first and commits last: a reader by id alone would never see its event."""
    walker = Walker(PATHWAY, random.Random(5))
    first, second = ([(1, walker.received(BEGIN))] for _ in range(2))
    pool = Pool(database.app_url)
    rollup = Rollup(pool, "groningen", CATALOGUE)
    await all_counted(rollup)
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select pg_current_xact_id()")
    await write(database, [(UUID(int=1), second)], "groningen")
    assert await rollup.fold() == 0  # the earlier one could still write before it
    assert await rollup.behind() == 1
    await write(connection, [(UUID(int=2), first)], "groningen")
    await transaction.commit()
    await connection.close()
    await all_counted(rollup)
    await pool.close()
    everybody = [
        row for row in await cells(database, "groningen") if row["organisation"] == rolling.EVERYBODY
    ]
    assert sum(sum(numbers(row["numbers"])) for row in everybody if row["kind"] == "in") == 2


def numbers(stored: object) -> list[int]:
    """The places of a cell, read the slow way."""
    text = str(int(stored))  # type: ignore[call-overload]
    text = text.zfill(-(-len(text) // 8) * 8)
    return [int(text[at : at + 8]) for at in range(0, len(text), 8)]


async def cells(database: Database, region: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        return list(
            await connection.fetch(
                "select * from ketenzorg.throughput_cell where region = $1 and numbers <> 0"
                " order by pathway, side, organisation, kind, grain, day, municipality, name, detail, outcome, first",
                region,
            )
        )
    finally:
        await connection.close()
