"""How long a search takes among 1,000,000 Tasks; not a test: `python -m tests.benchmarks.search [how many]`.

Half are of one team, the others of forty; a quarter is requested. Beside the time in the service: rows and blocks that
it reads, which do not depend on what else the machine does.
"""

# ruff: noqa: T201

import asyncio
import statistics
import sys
import time
from pathlib import Path

import httpx
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, execute, new_database, server
from ketenzorg.logs import configure
from ketenzorg.store.migrate import migrate
from services import REGION, Service, serving

TIMES = 35  # the first five do not count
TEAM = REGION.of_client("welzijn-demo").id
LOAD = """
    create temporary table copy as
    select n, gen_random_uuid() as traject, gen_random_uuid() as task,
        case when n % 2 = 0 then '{team}'::uuid
            else ('00000000-0000-4000-9000-' || lpad((n % 40)::text, 12, '0'))::uuid end as team,
        (array['requested', 'accepted', 'in-progress', 'completed'])[1 + n / 2 % 4] as status
    from generate_series(1, {many}) n;
    insert into ketenzorg.traject
    select (jsonb_populate_record(t, jsonb_build_object('id', c.traject, 'task', c.task, 'person', gen_random_uuid(),
        'roles', jsonb_build_object('verwijzer', t.roles -> 'verwijzer', 'welzijnscoach', c.team),
        'parties', array[(t.roles ->> 'verwijzer')::uuid, c.team]))).*
    from ketenzorg.traject t, copy c where t.id not in (select traject from copy);
    insert into ketenzorg.resource
    select r.region, r.type, c.task, 1, r.updated + c.n * interval '1 second', c.traject, r.source,
        array[r.source, c.team], r.body
    from ketenzorg.resource r, copy c where r.type = 'Task' and r.id not in (select task from copy);
    insert into ketenzorg.search_token
    select r.region, r.type, r.param, case when r.param = 'status' then c.status else r.code end, r.system, c.task,
        array[o.source, c.team]
    from ketenzorg.resource o join ketenzorg.search_token r on (r.type, r.id) = (o.type, o.id), copy c
    where o.type = 'Task' and o.version = 1 and o.id not in (select task from copy);
    insert into ketenzorg.search_reference
    select r.region, r.type, r.param, case when r.param = 'owner' then c.team else r.target end, r.target_type, c.task,
        array[o.source, c.team]
    from ketenzorg.resource o join ketenzorg.search_reference r on (r.type, r.id) = (o.type, o.id), copy c
    where o.type = 'Task' and o.version = 1 and o.id not in (select task from copy);
    insert into ketenzorg.search_date
    select r.region, r.type, r.param, r.low + c.n * interval '1 second', r.high + c.n * interval '1 second', c.task,
        array[o.source, c.team]
    from ketenzorg.resource o join ketenzorg.search_date r on (r.type, r.id) = (o.type, o.id), copy c
    where o.type = 'Task' and o.version = 1 and o.id not in (select task from copy);
"""
ASKED = (
    f"owner={TEAM}&status=requested&_count=20",
    f"owner=Organization/{TEAM}&status=requested,accepted&_count=20",
    "status=requested&_count=20",
    "_count=20",
    "owner=Organization/00000000-0000-4000-9000-000000000003&status=requested&_count=20",
    "business-status=bestaat niet&_count=20",
    f"owner={TEAM}&status:not=requested&_count=20",
    "owner:missing=true&_count=20",
    f"owner={TEAM}&authored-on=gt2099&_count=20",
)
READ = """
    select (select sum(idx_tup_read) from pg_stat_all_indexes where schemaname = 'ketenzorg')
        + (select sum(seq_tup_read) from pg_stat_all_tables where schemaname = 'ketenzorg') as rows,
        (select sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))
            from pg_statio_all_tables where schemaname = 'ketenzorg') as blocks
"""


async def main(many: int) -> None:
    """Load, and print a line for each search."""
    configure("error")
    with server(None) as url:
        async with new_database(url) as database:
            await migrate(database.admin_url, app_password=APP_PASSWORD)
            async with serving(database) as service:
                await service.refer()
                began = time.perf_counter()
                await execute(database.admin_url, LOAD.format(many=many, team=TEAM))
                await execute(database.admin_url, "vacuum analyze")
                print(f"{many:,} Tasks: {time.perf_counter() - began:.0f} s to load")
                print(f"{'median ms':>9} {'rows':>9} {'blocks':>8} {'found':>5}")
                for client, query in [(service.coach, each) for each in ASKED] + [(service.his, ASKED[0])]:
                    await one(service, client, query)


async def one(service: Service, client: httpx.AsyncClient, query: str) -> None:
    times, found = [], 0
    for number in range(TIMES):
        before = await read_so_far(service) if number == TIMES - 1 else (0, 0)
        began = time.perf_counter()
        answer = await client.get(f"/fhir/Task?{query}")
        times.append((time.perf_counter() - began) * 1000)
        found = len(answer.json().get("entry", ())) if answer.status_code == 200 else -answer.status_code
        if times[-1] > 2000:
            before = (0, 0)
            break
    after = await read_so_far(service)
    rows, blocks = (new - old for new, old in zip(after, before, strict=True))
    who = "practice" if client is service.his else "team"
    print(
        f"{statistics.median(times[5:] or times):>9.1f} {rows:>9} {blocks:>8} {found:>5}  {who}: {query}",
        flush=True,
    )


async def read_so_far(service: Service) -> tuple[int, int]:
    async with service.app.litestar.state.database.as_callers([]) as connection:  # that searches, too
        await connection.execute(text("select pg_stat_force_next_flush()"))
    [row] = await service.rows(READ)
    return int(row["rows"]), int(row["blocks"])


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
