"""What opens row level security without anybody noticing it: each trap once, on the application's own connection.

https://www.postgresql.org/docs/18/ddl-rowsecurity.html
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from databases import APP_ROLE, execute
from ketenzorg.settings import for_asyncpg
from services import REGION, Service

PRACTICE, HOSPITAL = (REGION.of_client(client).id for client in ("his-demo", "ziekenhuis-demo"))
COUNT = "select count(*) from resource"


@pytest.fixture
async def app_role(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """The application on a connection of its own, and something to see."""
    await service.refer()
    connection = await asyncpg.connect(
        for_asyncpg(service.database.app_url), server_settings={"search_path": "ketenzorg"}
    )
    yield connection
    await connection.close()


@asynccontextmanager
async def asking(connection: asyncpg.Connection, caller: UUID | None) -> AsyncIterator[None]:
    """A transaction in which this organisation asks."""
    async with connection.transaction():
        if caller is not None:
            await connection.execute("select set_config('ketenzorg.callers', $1, true)", str(caller))
        yield


async def test_a_setting_that_was_taken_back_is_empty_and_not_null_and_shows_nothing(
    app_role: asyncpg.Connection,
) -> None:
    setting = "select current_setting('ketenzorg.callers', true)"
    assert await app_role.fetchval(setting) is None
    async with asking(app_role, PRACTICE):
        assert await app_role.fetchval(COUNT) > 0
    assert await app_role.fetchval(setting) == ""
    assert await app_role.fetchval(COUNT) == 0  # and not an error of a cast


async def test_a_setting_that_cannot_be_read_shows_nothing(app_role: asyncpg.Connection) -> None:
    for setting in ("nonsense", "null", "*", "{}", "'", f"{PRACTICE} or true", f",{PRACTICE}"):
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            async with app_role.transaction():
                await app_role.execute("select set_config('ketenzorg.callers', $1, true)", setting)
                await app_role.fetch("select * from resource")


async def test_no_connection_of_the_pool_remembers_who_asked(service: Service) -> None:
    referral = await service.refer()
    for location in referral.locations:
        await service.his.get(f"/fhir/{location}")
    await service.coach.get("/fhir/Task?_include=Task:patient")
    await service.coach.get(f"/fhir/{referral['Task']}/$next")
    await service.happens(referral["Task"], "aannemen")
    await service.team.get("/throughput/welzijn-op-recept")
    database = service.app.litestar.state.database
    held = [await database._take() for _ in range(8)]
    for each in held:
        settings = await each.driver.fetch(
            "select name, setting from pg_settings where name like 'ketenzorg.%' and setting <> ''"
        )
        assert settings == []
        assert await each.driver.fetchval(COUNT) == 0
        await database._give_back(each)


async def test_a_plan_that_was_made_for_one_shows_another_nothing(app_role: asyncpg.Connection) -> None:
    await app_role.execute("set plan_cache_mode = force_generic_plan")
    prepared = await app_role.prepare("select count(*) from resource where region = $1")
    for caller, sees in ((PRACTICE, True), (HOSPITAL, False), (None, False), (PRACTICE, True)):
        async with asking(app_role, caller):
            for _ in range(7):  # after the fifth time PostgreSQL would keep a plan by itself too
                assert (await prepared.fetchval("groningen") > 0) is sees


async def test_parallel_workers_know_who_asks(app_role: asyncpg.Connection) -> None:
    forced = "debug_parallel_query" if app_role.get_server_version().major > 15 else "force_parallel_mode"
    for setting in (f"{forced} = on", "parallel_setup_cost = 0", "min_parallel_table_scan_size = 0"):
        await app_role.execute(f"set {setting}")
    async with asking(app_role, PRACTICE):
        plan = await app_role.fetch(f"explain (analyze, costs off) {COUNT}")
        assert re.search("Workers Launched: [1-9]", str(plan)), plan
        assert await app_role.fetchval(COUNT) > 0
    async with asking(app_role, HOSPITAL):
        assert await app_role.fetchval(COUNT) == 0


async def test_the_wall_cannot_be_switched_off_or_walked_around(app_role: asyncpg.Connection) -> None:
    for statement in (
        "alter table resource disable row level security",
        "alter table resource no force row level security",
        "drop policy parties_only on resource",
        "set role ketenzorg_owner",
        "set session authorization ketenzorg_owner",
        f"alter role {APP_ROLE} bypassrls",
        "create function ketenzorg.callers() returns uuid[] language sql as 'select null::uuid[]'",
        "grant select on audit to public",
        "select let_in('groningen', gen_random_uuid(), now(), '[]', '{}', '[]')",
        "copy resource to '/tmp/resource'",
        "copy resource to program 'cat'",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await app_role.execute(statement)
    # Without the wall PostgreSQL answers nothing at all.
    await app_role.execute("set row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app_role.fetch("select * from resource")


async def test_a_function_or_table_of_the_own_session_takes_nobodys_place(
    app_role: asyncpg.Connection,
) -> None:
    await app_role.execute("set search_path = pg_temp, ketenzorg")
    await app_role.execute("create temp table personal_number as select 1 as mine")
    await app_role.execute(
        f"create function pg_temp.callers() returns uuid[] language sql as $$ select array['{PRACTICE}'::uuid] $$"
    )
    assert await app_role.fetchval(COUNT) == 0
    token = await app_role.fetchval("select person from traject")
    assert token is None
    assert await app_role.fetch("select * from personal_numbers('groningen', $1, '{}')", [HOSPITAL]) == []


async def test_a_curious_function_in_a_condition_is_shown_no_hidden_row(app_role: asyncpg.Connection) -> None:
    told: list[str] = []
    app_role.add_log_listener(lambda _, message: told.append(str(message)))
    await app_role.execute(
        "create function pg_temp.curious(bytea) returns boolean language plpgsql cost 0.0000001 as"
        " $$ begin raise notice 'saw %', $1; return true; end $$"
    )
    curious = "select count(*) from resource where pg_temp.curious(body)"
    async with asking(app_role, HOSPITAL):
        assert await app_role.fetchval(curious) == 0
    assert told == []
    async with asking(app_role, PRACTICE):
        assert await app_role.fetchval(curious) == len(told) > 0


async def test_statistics_plans_and_the_activity_of_others_tell_nothing(
    service: Service, app_role: asyncpg.Connection
) -> None:
    await execute(service.database.admin_url, "analyze")
    values = await service.rows("select count(*) from pg_stats where schemaname = 'ketenzorg'")
    assert values[0][0] > 0
    seen = await app_role.fetch("select distinct tablename from pg_stats where schemaname = 'ketenzorg'")
    assert {row["tablename"] for row in seen} <= {"alembic_version"}
    for catalogue in ("pg_statistic", "pg_authid", "pg_statistic_ext_data"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_role.fetch(f"select 1 from {catalogue}")
    ids = {str(row["id"]) for row in await service.rows("select id from ketenzorg.resource")}
    async with asking(app_role, HOSPITAL):
        plan = str(
            await app_role.fetch("explain (analyze, verbose) select * from resource where type = 'Patient'")
        )
    assert [id_ for id_ in ids if id_ in plan] == []
    activity = str(await app_role.fetch("select query from pg_stat_activity"))
    assert [id_ for id_ in (*ids, str(PRACTICE)) if id_ in activity] == []


# Columns of which we make the values ourselves, or that are of the organisation that asks.
OURS = {"id", "organisation", "traject", "token", "subscription", "task", "n", "jti"}
OTHERS = {
    # The same number has the same token, and it is by the token that it is claimed: tests/api says that nobody is told.
    "ketenzorg.personal_number_region_blind_index_key",
    # One row for a whole region.
    "ketenzorg.client_epoch_pkey",
    "ketenzorg.throughput_cursor_pkey",
}


async def test_no_unique_key_is_over_what_two_organisations_can_choose_alike(service: Service) -> None:
    """Its error (23505) would tell one of them what the other has, though the row itself is hidden."""
    keys = await service.rows(
        "select indexrelid::regclass::text as key, array(select attname from pg_attribute"
        "   where attrelid = indrelid and attnum = any (indkey)) as columns"
        " from pg_index join pg_class on pg_class.oid = indrelid"
        " where relnamespace = 'ketenzorg'::regnamespace and indisunique and relname <> 'alembic_version'"
    )
    assert {key["key"] for key in keys if not set(key["columns"]) & OURS} == OTHERS
