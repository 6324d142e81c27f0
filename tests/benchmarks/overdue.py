"""How long finding what is overdue takes; not a test: `python -m tests.benchmarks.overdue`.

One practice has 100,000 running trajecten of Welzijn op Recept (each with four norms that run, of which the soonest
stands on its row), and once a tenth of that; in both 500 are late. The time is that of GET Task/$overdue in the
service: it must not grow with what is not due.
"""

# ruff: noqa: T201

import asyncio
import statistics
import sys
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, execute, new_database, server
from ketenzorg.logs import configure
from ketenzorg.store.migrate import migrate
from services import serving

LATE = 500
TIMES = 35  # the first five do not count
LOAD = """
    insert into ketenzorg.traject
    select t.region, gen_random_uuid(), t.pathway, t.version, t.step, t.counts, t.happened, t.seq, t.person,
        t.patient, t.service_request, t.care_plan, gen_random_uuid(), t.roles, t.parties, t.municipality, t.started,
        null, case when n <= {late} then t.started - n * interval '1 minute' else t.due + n * interval '1 minute' end,
        t.due_norm, t.involved, t.pseudonym
    from ketenzorg.traject t, generate_series(1, {many}) n
"""


async def main() -> None:
    """Load, and print a line for each size."""
    configure("error")
    with server(None) as url:
        for many in (10_000, 100_000):
            async with new_database(url) as database:
                await migrate(database.admin_url, app_password=APP_PASSWORD)
                async with serving(database) as service:
                    await service.refer()
                    await execute(database.admin_url, LOAD.format(many=many, late=LATE))
                    await execute(database.admin_url, "vacuum analyze")
                    print(
                        f"{many:>9,} running, {LATE} late: median {await median(service.his):.1f} ms for a page of 50"
                    )


async def median(his: httpx.AsyncClient) -> float:
    """Milliseconds of one page."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        found = (await his.get("/fhir/Task/$overdue")).json()["parameter"]
        times.append((time.perf_counter() - began) * 1000)
        assert len(found) == 51, found[-1]
    return statistics.median(times[5:])


if __name__ == "__main__":
    asyncio.run(main())
