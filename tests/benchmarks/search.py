"""How long a search takes among 1,000,000 Tasks; not a test: `python -m tests.benchmarks.search [how many] [folder]`.

Filled once in the folder, then measured in a minute. Beside the median: the processor time of the service
and its client ("own"), and the rows and blocks that the database reads, which do not depend on what else runs.
"""

# ruff: noqa: T201

import asyncio
import statistics
import sys
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.many_tasks import FEW, MANY, PRACTICE, SOME, many_tasks
from ketenzorg.logs import configure
from services import Service
from spec.talking import call

TIMES = 35  # the first five do not count
WHO = {MANY: "very many", FEW: "few", PRACTICE: "all"}
DAILY = tuple(
    (party, f"owner=Organization/{party}&status={status}{order}&_count=20", page)
    for party, pages in ((MANY, (1, 50)), (FEW, (1,)))
    for page in pages
    for status in ("accepted", "failed")
    for order in ("", "&_sort=-_lastUpdated")
    if page == 1 or status == "failed"
)
OTHER = (
    (MANY, "status=requested&_count=20", 1),
    (MANY, "_count=20", 1),
    (MANY, "_lastUpdated=ge2026-01-12&_count=20", 1),
    (MANY, "_lastUpdated=ge2026-01-12T09:00:00Z&status=accepted,requested&_count=20", 1),
    (MANY, "_sort=-_lastUpdated&_count=20", 1),
    (MANY, "_sort=-_lastUpdated&_count=20&_total=accurate", 1),
    (MANY, f"owner={MANY}&status:not=failed&_count=20", 1),
    (MANY, "status=accepted&_count=20&_include=Task:focus", 1),
    (MANY, "owner:missing=true&_count=20", 1),
    (MANY, "owner:missing=true&status=requested&_count=20", 1),
    (MANY, "code=bestaat-niet&_count=20", 1),
    (MANY, "business-status=contact%20zoeken&_count=20", 1),
    (MANY, "authored-on=ge2026-01-12&_count=20", 1),
    (MANY, "authored-on=gt2099&_count=20", 1),
    (MANY, f"requester={PRACTICE}&status=failed&_count=20", 1),
    (PRACTICE, f"owner=Organization/{FEW}&status=failed&_sort=-_lastUpdated&_count=20", 1),
    (PRACTICE, f"owner=Organization/{SOME}03&status=failed&_sort=-_lastUpdated&_count=20", 1),
    (PRACTICE, "identifier=urn:his|a&_count=20", 1),
    (MANY, "_sort=-authored-on&_count=20", 1),
    (PRACTICE, "priority=urgent&_count=20", 1),
)
ASKED = DAILY + OTHER
FOLDER = "/tmp/search"  # noqa: S108  (an own one is said)
READ = """
    select (select sum(idx_tup_read) from pg_stat_all_indexes where schemaname = 'ketenzorg')
        + (select sum(seq_tup_read) from pg_stat_all_tables where schemaname = 'ketenzorg') as rows,
        (select sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))
            from pg_statio_all_tables where schemaname = 'ketenzorg') as blocks
"""


async def main(many: int, folder: Path) -> None:
    """A line for each search."""
    configure("error")
    async with many_tasks(folder, many) as service:
        print(f"{'median ms':>9} {'own ms':>7} {'rows':>9} {'blocks':>8} {'found':>5}")
        for who, query, page in ASKED:
            await one(service, who, query, page)


async def one(service: Service, party: UUID, query: str, page: int) -> None:
    times, busy, found = [], [], 0
    address = f"/fhir/Task?{query}"
    for _ in range(page - 1):
        answer = (await call(service, party, "GET", address, None, 200)).json()
        address = next(each["url"] for each in answer["link"] if each["relation"] == "next")
    for number in range(TIMES):
        before = await read_so_far(service) if number == TIMES - 1 else (0, 0)
        began, worked = time.perf_counter(), time.process_time()
        answer = await call(service, party, "GET", address)
        busy.append((time.process_time() - worked) * 1000)
        times.append((time.perf_counter() - began) * 1000)
        found = len(answer.json().get("entry", ())) if answer.status_code == 200 else -answer.status_code
        if times[-1] > 2000:
            before = (0, 0)
            break
    after = await read_so_far(service)
    rows, blocks = (new - old for new, old in zip(after, before, strict=True))
    took, own = (statistics.median(each[5:] or each) for each in (times, busy))
    print(
        f"{took:>9.1f} {own:>7.1f} {rows:>9} {blocks:>8} {found:>5}  {WHO[party]}, page {page}: {query}",
        flush=True,
    )


async def read_so_far(service: Service) -> tuple[int, int]:
    async with service.app.litestar.state.database.as_callers([]) as connection:  # that searches, too
        await connection.execute(text("select pg_stat_force_next_flush()"))
    [row] = await service.rows(READ)
    return int(row["rows"]), int(row["blocks"])


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000,
            Path(sys.argv[2] if len(sys.argv) > 2 else FOLDER),
        )
    )
