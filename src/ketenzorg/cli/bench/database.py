"""The databases of a bench: ours, and others like it, in which the limit and the audit line are measured."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
from sqlalchemy import make_url

from ketenzorg.cli.bench import limit as limits
from ketenzorg.cli.place import DATABASE
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded import EmbeddedPostgres

T = TypeVar("T")

LIMIT_DATABASE = f"{DATABASE}_limit"
AUDITED, UNAUDITED = f"{DATABASE}_audited", f"{DATABASE}_unaudited"  # for what the audit line costs


def with_connection(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something as the owner of everything, on a connection of its own."""

    async def connected() -> T:
        connection = await asyncpg.connect(for_asyncpg(url))
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def prepare(database: EmbeddedPostgres, region: str, organisations: Sequence[str]) -> None:
    """An endpoint for everybody, so that messages are written as well, and then the scratch databases."""

    async def make(connection: asyncpg.Connection) -> None:
        await connection.executemany(
            "insert into ketenzorg.subscription (region, id, organisation, client, version, updated, body, type,"
            " channel, endpoint, content, timeout_s, contact, status, since) values ($1, gen_random_uuid(), $2,"
            " 'bench', 1, now(), '', 'Task', 'rest-hook', 'http://127.0.0.1:9', 'id-only', 15, '', 'active', now())",
            [(region, organisation) for organisation in organisations],
        )
        for name in (LIMIT_DATABASE, AUDITED, UNAUDITED):
            await connection.execute(f"create database {name} template {DATABASE}")

    with_connection(database.admin_url, make)


def limit_address(database: EmbeddedPostgres) -> str:
    """Where the limit is measured."""
    return at_database(database, LIMIT_DATABASE)


def at_database(database: EmbeddedPostgres, name: str) -> str:
    """Another database of the same server, as its admin."""
    return make_url(database.admin_url).set(database=name).render_as_string(hide_password=False)


def start_afresh(database: EmbeddedPostgres) -> None:
    """An empty database for the limit, and a checkpoint, so that every load pays alike for full pages."""

    async def empty(connection: asyncpg.Connection) -> None:
        await connection.execute(
            "set session_replication_role = replica"
        )  # the audit log is not emptied otherwise
        await connection.execute(f"truncate {', '.join(await limits.tables(connection))}")
        # The statement writes what a trigger would write.
        await connection.execute("alter table ketenzorg.traject disable trigger all")
        await connection.execute("checkpoint")

    with_connection(limit_address(database), empty)


def rows_and_wal(database: EmbeddedPostgres) -> tuple[int, int]:
    """Rows in our database, and bytes of WAL written by the whole server, so far."""

    async def read(connection: asyncpg.Connection) -> tuple[int, int]:
        rows = 0
        for table in await limits.tables(connection):
            rows += await connection.fetchval(f"select count(*) from {table}")  # noqa: S608
        wal = await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'")
        return rows, int(wal)

    return with_connection(database.admin_url, read)
