"""What a referral, a read and a step cost: the rows that the database reads do not grow with what is stored."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from referrals import a_referral
from services import REGION, Service

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
# A key is looked up through as many organisations as there are, where it does not name one.
ELSEWHERE = (
    "insert into ketenzorg.part select p.* from ketenzorg.part, generate_series(1, {n}) n,"
    " jsonb_populate_record(part, jsonb_build_object('n', n, 'organisation', gen_random_uuid())) p"
)
LOOKED_AT = "select idx_blks_hit + idx_blks_read from pg_statio_all_indexes where indexrelname = 'part_pkey'"


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


async def test_what_is_put_right_is_looked_up_with_its_organisations(service: Service) -> None:
    """A wrong click of one is no news any more for the others in the traject, however many there are in the region."""
    world, coach = service.app.litestar.state.world, Visit(caller_for(REGION, "welzijn-demo"), Trail("test"))
    task = (await service.refer())["Task"]
    await service.happens(task, "aannemen")
    await service.happens(task, "ziet ervan af", reden_van_afzien="wil-niet")
    await service.rows(ELSEWHERE.format(n=COPIES))
    await read_so_far(service)
    [before] = await service.rows(LOOKED_AT)
    await undo(UUID(task.removeprefix("Task/")), 3, coach, world)
    await read_so_far(service)
    [after] = await service.rows(LOOKED_AT)
    assert after[0] - before[0] < MOST
    practice = REGION.of_client("his-demo").id
    [news] = await service.rows(f"select news from ketenzorg.part where organisation = '{practice}'")
    assert news[0] == []
