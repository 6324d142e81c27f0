"""kill -9 of PostgreSQL under load: the API says 503, recovers by itself, and loses nothing that it acknowledged."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
from sqlalchemy import make_url

from crash.load import HEARS, Load, counted, do, headers, moments
from databases import APP_PASSWORD, APP_ROLE, binaries, wanted_versions
from ketenzorg.app import create_app
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded import DATABASE, EmbeddedPostgres
from ketenzorg.store.migrate import migrate
from services import SECRET, SETTINGS

DATABASE_KILLS = 4


async def test_an_api_outlives_its_database_and_says_so_meanwhile(
    tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    postgres = EmbeddedPostgres(tmp_path / "data", pg_bin=binaries(wanted_versions()[0]))
    # A restarted server has another socket; the API must not need to know.
    with postgres, tempfile.TemporaryDirectory(prefix="kz-") as short:
        address = Path(short) / "s"
        address.symlink_to(postgres.socket_dir)
        await migrate(postgres.admin_url, app_password=APP_PASSWORD)
        await do(postgres.admin_url, HEARS)
        url = make_url(postgres.url(DATABASE, APP_ROLE, APP_PASSWORD)).set(query={"host": str(address)})
        app = create_app(SETTINGS, SECRET, url.render_as_string(hide_password=False), in_sandbox=True)

        def client(name: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers(name))

        load = Load(client, total=150)
        async with load.running():
            for turn, moment in enumerate(moments(DATABASE_KILLS, most=60)):
                await load.promises.reach(moment)
                if turn % 2:
                    os.kill(postgres.pid, signal.SIGKILL)
                    await asyncio.to_thread(restart, postgres, address)
                else:
                    # One backend that dies takes all connections with it; the postmaster then recovers.
                    os.kill(await a_backend(postgres), signal.SIGKILL)
        await app.litestar.state.database.close()
        await counted(postgres.admin_url, load.promises)

    assert load.promises.statuses == {200, 503}
    record_testsuite_property("acknowledged while the database was killed", len(load.promises))
    record_testsuite_property("unknown while the database was killed", load.promises.unknown)


def restart(postgres: EmbeddedPostgres, address: Path) -> None:
    postgres.stop()
    postgres.start()
    address.unlink()
    address.symlink_to(postgres.socket_dir)


async def a_backend(postgres: EmbeddedPostgres) -> int:
    connection = await asyncpg.connect(for_asyncpg(postgres.admin_url))
    try:
        pid: int = await connection.fetchval(
            f"select pid from pg_stat_activity where usename = '{APP_ROLE}' order by state = 'active' desc limit 1"
        )
        return pid
    finally:
        await connection.close()
