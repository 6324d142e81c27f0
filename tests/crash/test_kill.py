"""kill -9 of the API under load: what was acknowledged is there, whole and once; what was not can be sent again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from crash.load import HEARS, Load, bundle, counted, do, headers, moments
from databases import Database
from ketenzorg.settings import IN_A_HURRY
from services import SECRET, SETTINGS, Referral

API_KILLS = 4


class Api:
    """`ketenzorg serve` with two processes in a process group of its own, on one port for the whole test."""

    def __init__(self, database: Database, folder: Path) -> None:
        (folder / "secret.key").write_bytes(SECRET)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / "api.log"
        self._environ = {
            **os.environ,
            **IN_A_HURRY,
            "KETENZORG_DATABASE_URL": database.app_url,
            "KETENZORG_SECRET_FILE": str(folder / "secret.key"),
            "KETENZORG_AUDIENCE": SETTINGS.audience,
            "KETENZORG_SANDBOX": "yes",
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "ketenzorg", "serve", "--port", str(self.port), "--processes", "2"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=self.address) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                assert self._process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.02)  # until it listens

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def client(self, name: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, headers=headers(name), timeout=60)

    def crashes(self) -> list[str]:
        return [
            line for line in self._log.read_text().splitlines() if "KZ-API-002" in line or "Traceback" in line
        ]


@contextmanager
def an_api(database: Database, folder: Path) -> Iterator[Api]:
    api = Api(database, folder)
    try:
        yield api
    finally:
        api.kill()


async def test_an_api_that_is_killed_loses_nothing_and_halves_nothing(
    database: Database, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    await do(database.admin_url, HEARS)
    with an_api(database, tmp_path) as api:
        await api.start()
        load = Load(api.client, total=150)
        async with load.running():
            for moment in moments(API_KILLS, most=60):
                await load.promises.reach(moment)
                load.up.clear()
                api.kill()
                await api.start()
                load.up.set()
        promises = load.promises
        await counted(database.admin_url, promises)

        async with api.client("his-demo") as his:
            for number, locations in promises.referred.items():
                again = await his.post("/fhir", json=bundle(number))
                assert (again.status_code, Referral(again).locations) == (200, locations)
        await counted(database.admin_url, promises)
        assert api.crashes() == []

    assert promises.unknown > 0  # or the kills came between requests, and proved nothing
    assert promises.statuses == {200}
    record_testsuite_property("acknowledged while the API was killed", len(promises))
    record_testsuite_property("unknown while the API was killed", promises.unknown)
