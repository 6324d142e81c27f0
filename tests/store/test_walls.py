"""The second wall: what the application's role can reach when a query forgets who asks, for every table there is."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url, text

import ketenzorg
from audits import chained
from databases import APP_ROLE, Database, execute
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.readiness import check_ready
from ketenzorg.store.revision import newest
from ketenzorg.store.walls import NoWall
from ketenzorg.store.warnings import Warnings
from referrals import a_referral, said
from services import REGION, SETTINGS, Service, looks
from subscribed import listening
from systems import register

OWNER = "ketenzorg_owner"
SOURCES = Path(ketenzorg.__file__).parent
PRACTICE, COACH, HOSPITAL = (
    REGION.of_client(client).id for client in ("his-demo", "welzijn-demo", "ziekenhuis-demo")
)
READABLE = (
    "alembic_version", "due", "event", "findable", "part", "resource", "resource_history", "search_date",
    "search_reference", "search_token", "traject",
)  # fmt: skip
CLOSED = (
    "audit", "audit_chain", "audit_head", "audit_of_traject", "client", "client_assertion", "client_epoch",
    "data_key", "endpoint", "idempotency_key", "objection", "outbox", "personal_number", "referral_identity",
    "subscription", "throughput_cell", "throughput_cell_everybody", "throughput_cell_owner",
    "throughput_cell_requester", "throughput_cursor", "warning",
)  # fmt: skip
# Asks only what its caller set (policies run it as whoever queries), or only counts, or only reads its argument; or
# becomes a part of the query of a function that runs as the owner, and gives nothing to who may not read the table.
AS_ITS_CALLER = {
    "callers", "block_of", "lock_of", "new_id", "role_in", "stamp", "standing", "settled", "transactions_before",
}  # fmt: skip


@pytest.fixture
async def filled(service: Service) -> Service:
    """A traject with history, so that every table holds at least a row."""
    await service.rows(listening([COACH]))
    await (await register(service)).token()
    referral = await service.refer()
    await service.his.post("/fhir", json=a_referral("keyed"), headers={"Idempotency-Key": "k"})
    await service.happens(referral["Task"], "aannemen")
    withdrawn = (await service.refer(a_referral("withdrawn")))["Task"]
    no_more = said("ziet ervan af", reden_van_afzien="toestemming-ingetrokken")
    assert (await service.his.post(f"/fhir/{withdrawn}/$event", json=no_more)).status_code == 200
    await service.app.litestar.state.throughput.rollup.fold_until_current()
    await chained(service)
    late = datetime.now(UTC) + timedelta(days=9)
    await Warnings(service.app.litestar.state.database, "groningen").late({"routine": late}, now=late)
    for table in READABLE + CLOSED:
        assert await service.rows(f"select 1 from ketenzorg.{table}"), table
    return service


@pytest.fixture
async def app_role(filled: Service) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(for_asyncpg(filled.database.app_url))
    yield connection
    await connection.close()


async def seen(connection: asyncpg.Connection, callers: str | None) -> dict[str, int]:
    """The number of rows of each readable table, with this setting."""
    async with connection.transaction():
        if callers is not None:
            await connection.execute("select set_config('ketenzorg.callers', $1, true)", callers)
        return {
            table: await connection.fetchval(f"select count(*) from ketenzorg.{table}")
            for table in READABLE
            if table != "alembic_version"  # no secret
        }


async def test_only_a_party_sees_rows(app_role: asyncpg.Connection) -> None:
    nobody = str(UUID(int=0))
    for callers in (None, str(PRACTICE), "", str(HOSPITAL), nobody, f"{HOSPITAL},{nobody}"):
        rows = await seen(app_role, callers)
        assert all(rows.values()) if callers == str(PRACTICE) else not any(rows.values()), callers


async def test_who_knows_a_person_sees_no_row_by_that(filled: Service, app_role: asyncpg.Connection) -> None:
    """Our own functions look up all trajecten of a person; the application cannot."""
    [row] = await filled.rows("select distinct person from ketenzorg.traject")
    async with app_role.transaction():
        await app_role.execute("select set_config('ketenzorg.person', $1, true)", str(row["person"]))
        assert await app_role.fetchval("select count(*) from ketenzorg.traject") == 0


async def test_a_party_sees_no_row_of_a_type_that_its_role_does_not_show(
    app_role: asyncpg.Connection,
) -> None:
    async with app_role.transaction():
        await app_role.execute("select set_config('ketenzorg.callers', $1, true)", str(COACH))
        types = {row[0] for row in await app_role.fetch("select type from ketenzorg.resource")}
    assert types == {"Patient", "ServiceRequest", "QuestionnaireResponse", "Consent", "CarePlan", "Task"}


async def test_who_asked_is_forgotten_before_the_connection_goes_to_the_next(filled: Service) -> None:
    database = Pool(filled.database.app_url)
    async with database.as_callers([PRACTICE]) as connection:
        assert await connection.scalar(text("select count(*) from resource"))
    with pytest.raises(ZeroDivisionError):
        async with database.as_callers([PRACTICE]):
            raise ZeroDivisionError
    assert (await database.fetch("select count(*) as n from resource"))[0]["n"] == 0
    # A hot path names its callers too, on the same connections.
    hot = "select * from load_traject('groningen', $1, $2, $3, false)"
    task = (await filled.rows("select task from ketenzorg.traject"))[0]["task"]
    assert await database.fetch(hot, [HOSPITAL], task, looks(HOSPITAL).json) == []
    assert await database.fetch(hot, [PRACTICE], task, looks(PRACTICE).json)
    assert (await database.fetch("select count(*) as n from resource"))[0]["n"] == 0
    await database.close()


async def test_the_application_writes_nothing_itself_and_reads_no_closed_table(
    database: Database,
) -> None:
    kinds = ("insert", "update", "delete", "truncate", "references", "trigger")
    found = await rows(
        database,
        f"""select relname,
                array(select kind from unnest(array{list(kinds)}) as kind
                      where has_table_privilege('{APP_ROLE}', oid, kind)) as writes,
                has_any_column_privilege('{APP_ROLE}', oid, 'select') as reads,
                has_any_column_privilege('{APP_ROLE}', oid, 'insert, update') as columns
            from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
            order by relname""",
    )
    assert [(row["relname"], row["writes"]) for row in found if row["writes"] or row["columns"]] == []
    assert tuple(row["relname"] for row in found if row["reads"]) == READABLE
    assert tuple(row["relname"] for row in found if not row["reads"]) == CLOSED
    assert not await value(database, f"select has_schema_privilege('{APP_ROLE}', 'ketenzorg', 'create')")


async def test_the_application_is_nobody_special(database: Database) -> None:
    role = (
        await rows(
            database,
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as powers,"
            f" array(select roleid::regrole::text from pg_auth_members where member = oid) as roles"
            f" from pg_roles where rolname = '{APP_ROLE}'",
        )
    )[0]
    assert (role["powers"], role["roles"]) == (False, [])
    owned = "select count(*) from pg_class where relowner = '{0}'::regrole"
    assert await value(database, owned.format(APP_ROLE)) == 0
    # The functions run as the owner: it must stand behind the policies as well, and nobody logs in as it.
    owner = await rows(
        database, f"select rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname = '{OWNER}'"
    )
    assert tuple(owner[0]) == (False, False, False)


@pytest.mark.parametrize("power", ["superuser", "bypassrls", "in role ketenzorg_owner"])
async def test_a_role_that_walks_through_the_wall_is_refused_before_it_serves(
    database: Database, power: str
) -> None:
    name = f"kz_{secrets.token_hex(6)}"
    await execute(database.admin_url, f"create role {name} login password 'x' {power}")
    await execute(database.admin_url, f"grant usage on schema ketenzorg to {name}")
    await execute(database.admin_url, f"grant select on ketenzorg.alembic_version to {name}")
    revision = newest(SETTINGS.migrations)
    url = make_url(database.app_url).set(username=name, password="x").render_as_string(hide_password=False)
    try:
        for address, held in ((url, False), (database.app_url, True)):
            connection = await asyncpg.connect(for_asyncpg(address))
            with nullcontext() if held else pytest.raises(NoWall, match="use ketenzorg_app"):
                await check_ready(connection, revision)
            await connection.close()
    finally:
        await execute(database.admin_url, f"drop owned by {name}")
        await execute(database.admin_url, f"drop role {name}")


async def test_every_table_is_behind_the_wall_for_its_owner_too(database: Database) -> None:
    open_ = await rows(
        database,
        "select relname, relrowsecurity, relforcerowsecurity, relowner::regrole::text as owner from pg_class"
        " where relnamespace = 'ketenzorg'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'"
        f" and not (relrowsecurity and relforcerowsecurity and relowner = '{OWNER}'::regrole"
        "   and exists (select from pg_policy where polrelid = pg_class.oid))",
    )
    assert open_ == []
    # A view asks as who made it.
    views = "select count(*) from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind in ('v', 'm')"
    assert await value(database, views) == 0
    # A policy that lets everything through serves the owner's functions only.
    wide = await rows(
        database,
        "select tablename, roles::text[] from pg_policies where schemaname = 'ketenzorg' and qual = 'true'",
    )
    assert {(row["tablename"], *row["roles"]) for row in wide} == {
        (table, OWNER) for table in (*set(CLOSED) - {"referral_identity"}, "due", "findable", "part")
    }


async def test_every_function_runs_as_the_owner_in_a_schema_that_nobody_can_shadow(
    database: Database,
) -> None:
    functions = await rows(
        database,
        "select proname, prosecdef, proowner::regrole::text as owner, proconfig,"
        " has_function_privilege('public', oid, 'execute') as by_all"
        " from pg_proc where pronamespace = 'ketenzorg'::regnamespace",
    )
    assert len(functions) > len(AS_ITS_CALLER)
    for each in functions:
        assert (each["by_all"], each["owner"]) == (False, OWNER), each["proname"]
        if each["proname"] not in AS_ITS_CALLER:
            assert each["prosecdef"], each["proname"]
            assert "search_path=ketenzorg, pg_temp" in each["proconfig"], each["proname"]


async def test_the_application_may_execute_what_it_calls_and_no_more(database: Database) -> None:
    granted = await rows(
        database,
        f"select proname, has_function_privilege('{APP_ROLE}', oid, 'execute') as by_app"
        " from pg_proc where pronamespace = 'ketenzorg'::regnamespace",
    )
    ours = {row["proname"] for row in granted}
    source = "".join(path.read_text() for path in SOURCES.rglob("*.py"))
    called = {
        name for name in re.findall(r"(?:select|from) (?:ketenzorg\.)?([a-z_]+)\(", source) if name in ours
    }
    assert {row["proname"] for row in granted if row["by_app"]} == called | {"callers"}


async def test_every_key_and_index_starts_with_the_region_and_nothing_refers_across(
    database: Database,
) -> None:
    other = await rows(
        database,
        "select indexrelid::regclass::text from pg_index join pg_class on pg_class.oid = indrelid"
        " join pg_attribute on attrelid = indrelid and attnum = indkey[0]"
        " where relnamespace = 'ketenzorg'::regnamespace and relname <> 'alembic_version' and attname <> 'region'",
    )
    assert other == []
    assert await value(database, "select count(*) from pg_constraint where contype = 'f'") == 0
    assert await value(database, "select count(*) from pg_sequences where schemaname = 'ketenzorg'") == 0


async def rows(database: Database, statement: str) -> list[Any]:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def value(database: Database, statement: str) -> Any:
    return (await rows(database, statement))[0][0]
