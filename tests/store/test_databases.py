"""The test databases themselves."""

import asyncpg
from databases import new_database

from ketenzorg.settings import for_asyncpg


async def test_each_test_has_a_database_of_its_own(postgres: str) -> None:
    async with new_database(postgres) as one, new_database(postgres) as other:
        connection = await asyncpg.connect(for_asyncpg(one.admin_url))
        assert await connection.fetchval("select current_database()") == one.name != other.name
        await connection.close()
