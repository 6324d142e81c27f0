"""How long looking at the clock takes; not a test: `python -m tests.benchmarks.clock`.

100,000 running trajecten of Welzijn op Recept, each with four norms that run, of which none is past; and once a tenth
of that. Then 100 become late at one moment, and one day on which one in 200 of all norms runs out. It must not grow
with what runs, only with what is past.
"""

# ruff: noqa: T201

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, execute, new_database, server
from ketenzorg.logs import configure
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.migrate import migrate
from services import START, serving

LATE = 100
OF_A_DAY = 200  # one in so many
TIMES = 12  # the first two do not count
COPIES = """
    with copied as (
        insert into ketenzorg.traject
        select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*
        from ketenzorg.traject t, generate_series(1, {many}) returning region, id)
    insert into ketenzorg.due
    select (jsonb_populate_record(d, jsonb_build_object('traject', c.id))).* from ketenzorg.due d, copied c
"""
LATER = "update ketenzorg.due set at = at + interval '10 years', look = at + interval '10 years'"
PAST = """
    update ketenzorg.due set at = '{past}', look = '{past}'
    where (traject, norm, began, at) in (
        select traject, norm, began, at from ketenzorg.due where at > '{past}' order by random() limit {late})
"""


async def main() -> None:
    """Load, and print what each look took."""
    configure("error")
    with server(None) as url:
        for many in (10_000, 100_000):
            async with new_database(url) as database:
                await migrate(database.admin_url, app_password=APP_PASSWORD)
                async with serving(database) as service:
                    await service.refer()
                    await execute(database.admin_url, COPIES.format(many=many))
                    await execute(database.admin_url, LATER)
                    await execute(database.admin_url, "vacuum analyze")
                    await looks(service.app, database.admin_url, many)


async def looks(app: Any, url: str, many: int) -> None:
    """Nothing past, 100 past at once, and a whole day's."""
    watcher, now = app.litestar.state.watcher, START

    async def all_told() -> int:
        found = 0
        while looked := await watcher.look(now):
            found += looked
        return found

    idle = statistics.median([(await timed(all_told))[0] for _ in range(TIMES)])
    times = []
    for _ in range(TIMES):
        now += timedelta(minutes=10)
        await execute(url, PAST.format(past=now - timedelta(minutes=1), late=LATE))
        took, found = await timed(all_told)
        assert found == LATE, found
        times.append(took)
    print(
        f"{many:>9,} running: nothing past {idle:.1f} ms; {LATE} past {statistics.median(times[2:]):.0f} ms",
        end="; ",
    )
    now += timedelta(minutes=10)
    of_a_day = many * 4 // OF_A_DAY
    await execute(url, PAST.format(past=now - timedelta(minutes=1), late=of_a_day))
    took, found = await timed(all_told)
    assert found == of_a_day, found
    print(f"a day's {of_a_day:,} in {took:.0f} ms")
    connection = await asyncpg.connect(for_asyncpg(url))
    told = await connection.fetchval(
        "select count(*) from ketenzorg.event where body ->> 'kind' = 'norm-exceeded'"
    )
    await connection.close()
    assert told == LATE * TIMES + of_a_day, told


async def timed(what: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """Milliseconds, and what came of it."""
    began = time.perf_counter()
    found = await what()
    return (time.perf_counter() - began) * 1000, found


if __name__ == "__main__":
    asyncio.run(main())
