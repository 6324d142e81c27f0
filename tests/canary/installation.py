"""An installation as somebody runs it: processes of its own, everything that they write below one folder."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded import EmbeddedPostgres

KETENZORG = (sys.executable, "-m", "ketenzorg")


@dataclass
class Installation:
    """The service, the worker and the database, with what they said."""

    folder: Path
    port: int
    environ: dict[str, str]
    metrics: tuple[int, int]  # ports of the service's and of the worker's
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *verb: str) -> None:
        """A process that goes on."""
        with (self.folder / f"{verb[0]}.log").open("ab") as log:
            process = subprocess.Popen((*KETENZORG, *verb), env=self.environ, stdout=log, stderr=log)
        self.started.append(process)

    async def ready(self) -> None:
        async with asyncio.timeout(90), httpx.AsyncClient(base_url=self.address, trust_env=False) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                assert self.started[0].poll() is None, (self.folder / "serve.log").read_text()
                await asyncio.sleep(0.05)  # until it listens

    async def run(self, *verb: str) -> str:
        """A verb of the command line, to its end; what it says goes to a file too."""
        done = await asyncio.to_thread(
            subprocess.run, (*KETENZORG, *verb), env=self.environ, capture_output=True, timeout=60
        )
        with (self.folder / "verbs.log").open("ab") as log:
            log.write(done.stdout + done.stderr)
        return done.stdout.decode()

    async def scrape(self) -> None:
        """What Prometheus would read, to files."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for port in self.metrics:
                answer = await client.get(f"http://127.0.0.1:{port}/metrics")
                (self.folder / f"metrics.{port}").write_bytes(answer.raise_for_status().content)

    async def stop(self) -> None:
        """The worker first: the database ends with the service."""
        for process in reversed(self.started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 60)
        self.started.clear()

    async def sql(self, statement: str) -> list[Any]:
        """Past every wall."""
        with EmbeddedPostgres(Path(self.environ["KETENZORG_DATA_DIR"]), attach=True) as server:
            connection = await asyncpg.connect(for_asyncpg(server.admin_url))
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """Serving at a free port, with a worker."""
    for name in ("tmp", "home"):
        (folder / name).mkdir()
    with ExitStack() as free:
        servers = [free.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        port, of_service, of_worker = (server.getsockname()[1] for server in servers)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    environ = kept | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "KETENZORG_DATA_DIR": str(folder / "data"),
        "KETENZORG_SANDBOX": "yes",
        "KETENZORG_LOG_LEVEL": "debug",
        "KETENZORG_OUTGOING_NETWORKS": "127.0.0.0/8",
    }
    one = Installation(folder, port, environ, (of_service, of_worker))
    try:
        await one.start("serve", "--embedded", "--port", str(port), "--metrics", f"127.0.0.1:{of_service}")
        await one.ready()
        await one.start("worker", "--embedded", "--metrics", f"127.0.0.1:{of_worker}")
        yield one
    finally:
        await one.stop()
