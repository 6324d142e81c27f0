"""A back-up comes back on a server that counts its transactions anew: and then delivers, chains and counts on."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from audits import chained, walked
from databases import APP_PASSWORD, Database, binaries, execute, wanted_versions
from ketenzorg.access.outgoing import LOOPBACK, Outgoing
from ketenzorg.app import real_time
from ketenzorg.cli.backup import MANIFEST, backup, restore
from ketenzorg.delivery.rest_hook import RestHook
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.serving import Tools
from ketenzorg.delivery.worker import Worker
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.backup import CannotCopy
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.embedded import DATABASE, EmbeddedPostgres
from ketenzorg.store.outbox import Outbox
from ketenzorg.store.stamps import StampedAhead, check_stamps
from ketenzorg.throughput.rollup import Rollup
from receivers import receiver
from referrals import a_referral
from services import CATALOGUE, REGION, SECRET, Service, serving

COACH = REGION.of_client("welzijn-demo").id
# A server that has worked for a while: its numbers are beyond those of a new one.
BURN = "do $$ begin for n in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret.key").write_bytes(SECRET)
    return tmp_path / "secret.key"


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database on a new server."""
    server = EmbeddedPostgres(tmp_path / "data", pg_bin=binaries(wanted_versions()[0]))
    await asyncio.to_thread(server.start)
    try:
        yield Database(DATABASE, server.admin_url, server.url(DATABASE, "ketenzorg_app", APP_PASSWORD))
    finally:
        await asyncio.to_thread(server.stop)


def environ(database: Database, secret: Path) -> dict[str, str]:
    return {
        "KETENZORG_DATABASE_URL": database.app_url,
        "KETENZORG_ADMIN_DATABASE_URL": database.admin_url,
        "KETENZORG_SECRET_FILE": str(secret),
    }


async def test_what_comes_back_goes_on(
    service: Service, elsewhere: Database, secret: Path, tmp_path: Path
) -> None:
    await execute(service.database.admin_url, BURN)
    async with receiver() as ear:
        await service.listens(COACH, ear.url)
        first = (await service.refer())["Task"]
        await chained(service)
        await counted(service.database)
        await service.refer(a_referral("2026-000124"))  # neither chained, counted nor delivered
        folder = tmp_path / "backup"
        await asyncio.to_thread(backup, environ(service.database, secret), folder, embedded=False)

        assert await asyncio.to_thread(restore, environ(elsewhere, secret), folder, embedded=False) == 0
        async with serving(elsewhere) as again:
            assert (await again.coach.get(f"/fhir/{first}")).status_code == 200
            await again.happens(first, "aannemen")
            await chained(again)
            findings, lines = await walked(again)
            assert findings == []
            assert lines == (await again.rows("select count(*) from ketenzorg.audit"))[0]["count"]
            assert await counted(elsewhere) == 0
            [row] = await again.rows(
                "select count(*) from ketenzorg.event where xid > (select xid from ketenzorg.throughput_cursor)"
            )
            assert row["count"] == 0
            await delivered(again)
        numbers = await read(
            elsewhere, "select resource, version, number from ketenzorg.outbox order by number"
        )
    assert len(ear.got) == len(numbers) == 3
    assert [row["number"] for row in numbers] == [1, 2, 3]
    assert [row["version"] for row in numbers if str(row["resource"]) in first] == [1, 2]


async def test_only_a_whole_back_up_goes_into_an_empty_database(
    service: Service, secret: Path, tmp_path: Path
) -> None:
    here = environ(service.database, secret)
    folder = tmp_path / "backup"
    await service.refer()
    await asyncio.to_thread(backup, here, folder, embedded=False)
    text = (folder / MANIFEST).read_text()
    assert SECRET.hex() not in text
    assert APP_PASSWORD not in text
    with pytest.raises(CannotCopy, match="not empty"):
        await asyncio.to_thread(backup, here, folder, embedded=False)
    with pytest.raises(CannotCopy, match="not empty"):
        await asyncio.to_thread(restore, here, folder, embedded=False)

    (tmp_path / "other.key").write_bytes(b"another secret, also long enough")
    with pytest.raises(CannotCopy, match="of another secret"):
        await asyncio.to_thread(
            restore, environ(service.database, tmp_path / "other.key"), folder, embedded=False
        )
    for break_it in (_flip_a_bit, _put_something_in, _take_something_out, _newer):
        kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        said = break_it(folder)
        with pytest.raises(CannotCopy, match=said):
            await asyncio.to_thread(restore, here, folder, embedded=False)
        (folder / "extra").unlink(missing_ok=True)
        for path, content in kept.items():
            path.write_bytes(content)


async def test_a_copy_made_by_other_means_is_not_served(service: Service) -> None:
    pool = Pool(service.database.app_url)
    try:
        await service.refer()
        await check_stamps(pool)
        await service.rows("update ketenzorg.data_key set region = region")
        await service.rows(
            "create or replace function ketenzorg.transactions_before() returns bigint language sql immutable"
            " parallel safe as 'select -1000000::bigint'"
        )
        with pytest.raises(StampedAhead, match="ketenzorg restore"):
            await check_stamps(pool)
    finally:
        await pool.close()


async def counted(database: Database) -> int:
    """Counts all events; gives how many are left."""
    pool = Pool(database.app_url)
    try:
        rollup = Rollup(pool, REGION.code, CATALOGUE)
        await rollup.fold_until_current(100)
        return int((await pool.fetch("select counts_behind($1, 100) as n", REGION.code))[0]["n"])
    finally:
        await pool.close()


async def delivered(service: Service) -> None:
    """Round after round until nothing is left."""
    pool = Pool(service.database.app_url)
    world = service.app.litestar.state.world
    try:
        async with new_client(Outgoing(LOOPBACK)) as client:
            carriers = {"rest-hook": RestHook(client, world.keyring, "http://test/fhir")}
            tools = Tools(Outbox(pool, REGION.code), world, carriers, real_time, lambda: 0.5)
            worker = Worker(tools, asyncio.Event())
            while await worker.deliver_due():
                pass
    finally:
        await pool.close()


async def read(database: Database, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


def _flip_a_bit(folder: Path) -> str:
    content = bytearray((folder / "database.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "database.dump").write_bytes(content)
    return "changed or cut: database.dump"


def _put_something_in(folder: Path) -> str:
    (folder / "extra").write_text("")
    return "changed or cut: extra"


def _take_something_out(folder: Path) -> str:
    (folder / MANIFEST).unlink()
    return "no .whole. back-up"


def _newer(folder: Path) -> str:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"revision": "9999"}))
    return "does not know revision 9999"
