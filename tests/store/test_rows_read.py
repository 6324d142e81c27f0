"""What a referral, a read and a step cost: the rows that the database reads do not grow with what is stored."""

from collections.abc import Awaitable, Callable

from referrals import a_referral
from services import Service

COPIES = 1000
MOST = 150  # rows that one request reads; none of them reads a row of each copy
READ = """
    select (select sum(idx_tup_read) from pg_stat_all_indexes where schemaname = 'ketenzorg')
        + (select sum(seq_tup_read) from pg_stat_all_tables where schemaname = 'ketenzorg') as rows
"""
COPY = (
    "insert into ketenzorg.traject select t.* from ketenzorg.traject, generate_series(1, {n}) n,"
    " jsonb_populate_record(traject, jsonb_build_object('n', n, 'id', gen_random_uuid(), 'person', gen_random_uuid(),"
    " 'task', gen_random_uuid())) t",
    "insert into ketenzorg.resource select r.* from ketenzorg.resource, generate_series(1, {n}) n,"
    " jsonb_populate_record(resource, jsonb_build_object('n', n, 'id', gen_random_uuid(), 'traject',"
    " gen_random_uuid())) r",
)


async def read_so_far(service: Service) -> int:
    # The connection that was used last is the next.
    await service.app.litestar.state.database.fetch("select pg_stat_force_next_flush()")
    return int((await service.rows(READ))[0]["rows"])


async def rows_of(service: Service, request: Callable[[], Awaitable[object]]) -> int:
    before = await read_so_far(service)
    await request()
    return await read_so_far(service) - before


async def test_a_request_reads_by_key_also_where_the_planner_knows_nothing_yet(service: Service) -> None:
    """The plans are made while the tables are as good as empty, and no statistics are ever taken."""
    tasks: list[str] = []

    async def refer() -> None:
        tasks.append((await service.refer(a_referral(f"number-{len(tasks)}")))["Task"])

    async def read() -> None:
        assert (await service.his.get(f"/fhir/{tasks[-1]}")).status_code == 200

    async def step() -> None:
        await service.happens(tasks[-1], "aannemen")

    requests = (refer, read, step)
    for request in requests:
        await request()
    for statement in COPY:
        await service.rows(statement.format(n=COPIES))
    read_by = {request.__name__: await rows_of(service, request) for request in requests}
    assert max(read_by.values()) < MOST, read_by
