"""Connections that the server ended, or that outlive their pool: nobody hears of it, and none stays behind."""

import asyncio

import asyncpg

from databases import APP_ROLE
from databases import Database as Fresh
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.database import POOL_SIZE, Database

END_ALL = f"""
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where usename = '{APP_ROLE}' and datname = current_database()
"""
AT_WORK = f"""
    select count(*) from pg_stat_activity
    where usename = '{APP_ROLE}' and datname = current_database() and state = 'active'
"""
SLOW = "select pg_sleep(0.2), pg_backend_pid() as pid"  # so that each takes one of its own


async def test_each_of_them_is_opened_again(database: Fresh) -> None:
    pool = Database(database.app_url)

    async def pids() -> set[int]:
        return {
            rows[0]["pid"] for rows in await asyncio.gather(*(pool.fetch(SLOW) for _ in range(POOL_SIZE)))
        }

    async def reads() -> None:
        async with pool.as_callers([]) as connection:
            await connection.exec_driver_sql("select pg_sleep(0.2)")

    before = await pids()
    assert len(before) == POOL_SIZE
    admin = await asyncpg.connect(for_asyncpg(database.admin_url))
    await admin.fetch(END_ALL)
    await asyncio.gather(*(reads() for _ in range(POOL_SIZE // 2)))
    assert not before & await pids()
    await admin.fetch(END_ALL)
    await admin.close()
    await pids()
    await pool.close()


async def test_what_is_at_work_at_the_end_is_closed_when_it_is_done(database: Fresh) -> None:
    pool = Database(database.app_url)
    admin = await asyncpg.connect(for_asyncpg(database.admin_url))
    at_work = asyncio.create_task(pool.fetch(SLOW))
    async with asyncio.timeout(30):
        while not await admin.fetchval(AT_WORK):
            pass
        await pool.close()
        [row] = await at_work
        while await admin.fetchval(f"select count(*) from pg_stat_activity where pid = {row['pid']}"):
            pass
    await admin.close()
