"""Migrations go up, down and up again to the same schema, wait for each other, and happen whole or not at all."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects import postgresql

from databases import APP_PASSWORD, Database, execute, new_database
from ketenzorg.settings import MIGRATIONS, Settings, for_asyncpg
from ketenzorg.store.migrate import CannotMigrate, migrate
from ketenzorg.store.revision import known, revision_at
from ketenzorg.store.tables import METADATA

# Everything that a migration can make, as text that does not depend on oids.
SNAPSHOT = """
    select 'column', c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || coalesce(' collate ' || l.collname, '')
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        left join pg_collation l on l.oid = a.attcollation
    where c.relnamespace = 'ketenzorg'::regnamespace and c.relkind in ('r', 'v', 'm', 'S')
    union all
    select 'table', oid::regclass::text, relowner::regrole::text,
        relrowsecurity || ' ' || relforcerowsecurity || coalesce(' ' || relacl::text, '')
    from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind in ('r', 'v', 'm', 'S')
    union all
    select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'ketenzorg'::regnamespace
    union all
    select 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    from pg_index join pg_class on pg_class.oid = indrelid where relnamespace = 'ketenzorg'::regnamespace
    union all
    select 'policy', polrelid::regclass::text, polname,
        polroles::regrole[]::text || pg_get_expr(polqual, polrelid) || coalesce(polwithcheck::text, '')
    from pg_policy join pg_class on pg_class.oid = polrelid where relnamespace = 'ketenzorg'::regnamespace
    union all
    select 'function', oid::regprocedure::text, proowner::regrole::text || coalesce(proacl::text, ''),
        pg_get_functiondef(oid)
    from pg_proc where pronamespace = 'ketenzorg'::regnamespace
    union all
    select 'type', typname, typtype::text, '' from pg_type
    where typnamespace = 'ketenzorg'::regnamespace and typrelid = 0 and typelem = 0
    order by 1, 2, 3, 4
"""
BROKEN = '''"""Half a migration."""

from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("create table ketenzorg.half (region text)")
    op.execute("drop table ketenzorg.event")
    op.execute("select 1 / 0")
'''


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[Database]:
    async with new_database(postgres) as database:
        yield database


async def to(database: Database, revision: str) -> None:
    await migrate(database.admin_url, app_password=APP_PASSWORD, to=revision)


async def schema(database: Database) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        if not await connection.fetchval("select to_regnamespace('ketenzorg') is not null"):
            return []
        return [tuple(row) for row in await connection.fetch(SNAPSHOT)]
    finally:
        await connection.close()


async def test_up_down_and_up_again_is_the_same_schema(empty: Database) -> None:
    await to(empty, "head")
    first = await schema(empty)
    assert {row[0] for row in first} >= {"table", "column", "index", "constraint", "policy", "function"}

    await to(empty, "base")
    left = {row[1] for row in await schema(empty)}
    assert left <= {"ketenzorg.alembic_version", "ketenzorg.alembic_version_pkc"}, left

    await to(empty, "head")
    assert await schema(empty) == first


async def test_who_migrates_at_the_same_moment_waits_and_finds_nothing_to_do(empty: Database) -> None:
    await asyncio.gather(*(to(empty, "head") for _ in range(4)))
    once = await schema(empty)
    await to(empty, "head")
    assert await schema(empty) == once


async def test_one_step_down_is_a_revision_too(empty: Database) -> None:
    revisions = known(Settings.from_environ({}).migrations)
    for revision in (revisions[-1], revisions[0]):
        await to(empty, revision)
        assert await revision_at(empty.app_url) == revision


async def test_a_database_of_a_newer_version_is_left_alone(empty: Database) -> None:
    await to(empty, "head")
    await execute(empty.admin_url, "update ketenzorg.alembic_version set version_num = '9999'")
    before = await schema(empty)
    with pytest.raises(CannotMigrate, match="stands at 9999"):
        await to(empty, "head")
    assert await schema(empty) == before
    assert await revision_at(empty.app_url) == "9999"


async def test_a_revision_that_is_not_there_is_refused_with_those_that_are(empty: Database) -> None:
    with pytest.raises(CannotMigrate, match="no revision 4711; there are: head, base, 0001"):
        await to(empty, "4711")
    assert await schema(empty) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [({"database": "nowhere"}, "does not exist"), ({"password": "wrong"}, "authentication")],
)
async def test_a_server_that_lets_us_not_in_is_named(
    postgres: str, change: dict[str, str], said: str
) -> None:
    url = make_url(postgres).set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    with pytest.raises(CannotMigrate, match=f"KETENZORG_ADMIN_DATABASE_URL: .*{said}"):
        await migrate(url, app_password=APP_PASSWORD)


async def test_a_migration_that_fails_leaves_everything_as_it_was(
    database: Database, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(Settings.from_environ({}).migrations, folder)
    newest = max(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*.py"))
    (folder / "versions" / "9999_half.py").write_text(BROKEN.format(before=newest), "utf-8")
    before = await schema(database)

    monkeypatch.setenv(MIGRATIONS.name, str(folder))
    for target in (database, empty):
        with pytest.raises(Exception, match="division by zero"):
            await to(target, "head")

    assert await schema(database) == before
    assert await schema(empty) == []


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
async def test_what_queries_are_built_on_is_what_the_migrations_made(
    database: Database, table: object
) -> None:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    columns = await connection.fetch(
        "select attname, format_type(atttypid, atttypmod) as type, coalesce(array_position(conkey, attnum), 0) as key"
        " from pg_attribute left join pg_constraint on conrelid = attrelid and contype = 'p'"
        " where attrelid = $1::text::regclass and attnum > 0 and not attisdropped",
        f"ketenzorg.{table.name}",  # type: ignore[attr-defined]
    )
    await connection.close()
    made = {row["attname"]: (row["type"], row["key"]) for row in columns}

    keys = [column.name for column in table.primary_key]  # type: ignore[attr-defined]
    for column in table.columns:  # type: ignore[attr-defined]
        kind = column.type.compile(dialect=postgresql.dialect()).lower()
        key = keys.index(column.name) + 1 if column.name in keys else 0
        assert made[column.name] == (kind, key), column.name
    assert len(keys) == len([name for name, (_, key) in made.items() if key])
