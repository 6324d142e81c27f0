"""The test databases themselves: each test its own, migrated, and gone afterwards."""

import asyncpg

from databases import APP_ROLE, Database, new_database
from ketenzorg.settings import for_asyncpg


async def test_each_test_has_a_database_of_its_own(postgres: str) -> None:
    connection = await asyncpg.connect(for_asyncpg(postgres))
    async with new_database(postgres) as one, new_database(postgres) as other:
        assert one.name != other.name
    left = await connection.fetchval(
        "select count(*) from pg_database where datname in ($1, $2)", one.name, other.name
    )
    assert left == 0
    await connection.close()


async def test_it_is_migrated_and_the_application_logs_in_without_power(database: Database) -> None:
    connection = await asyncpg.connect(for_asyncpg(database.app_url))
    who = await connection.fetchrow(
        "select rolname, current_database() as db, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
    )
    assert (who["rolname"], who["db"], who["rolsuper"], who["rolbypassrls"]) == (
        APP_ROLE,
        database.name,
        False,
        False,
    )
    assert await connection.fetchval("select to_regclass('ketenzorg.traject') is not null")
    await connection.close()
