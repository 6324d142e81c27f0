"""What a crash test is done to: a PostgreSQL of its own, API processes behind one port, workers, proxies between them.

All of it ends with this process; what was killed is started again by whoever killed it.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import asyncpg
import httpx
from sqlalchemy import make_url

from ketenzorg.app import tokens_of
from ketenzorg.cli.bench.processes import NotStarted, apart, family, free_port
from ketenzorg.cli.crash.proxy import Proxy, Streams
from ketenzorg.cli.place import APP_ROLE, DATABASE
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.errors import Issue
from ketenzorg.pathway.content import read_content
from ketenzorg.secret_file import read_or_make_secret
from ketenzorg.settings import BASE_URL, DATABASE_URL, OUTGOING_NETWORKS, SANDBOX, Settings, for_asyncpg
from ketenzorg.store import embedded_postmaster as postmaster
from ketenzorg.store.embedded import EmbeddedPostgres
from ketenzorg.store.migrate import migrate

HOST = "127.0.0.1"
API_PROCESSES = 2
WORKERS = 2  # so that one takes over what the other held
START_S = 180.0  # generous: other work may hold the machine
LOOK_S = 0.02
ANSWER_S = 20.0  # after this an answer counts as not come
LIFETIME = timedelta(hours=24)
PASSWORD = "only-here"  # noqa: S105  (of a database that lives as long as the run)


class Running:
    """A command in a process group of its own, that can be killed and started again."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environ = environ
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0  # in the log

    @property
    def pid(self) -> int | None:
        """None: it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def children(self) -> list[int]:
        """Processes below it."""
        return family(self.pid)[1:] if self.pid is not None else []

    def said(self, word: str) -> bool:
        """Whether a word stands in its log since it was started."""
        return word.encode() in self._log.read_bytes()[self._began :]

    def start(self) -> None:
        """Where it does not run."""
        if self.pid is None:
            with self._log.open("ab") as log:
                self._began = log.tell()
                self._process = subprocess.Popen(  # noqa: S603
                    self._command,
                    env=dict(self._environ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us
                )

    def send(self, number: signal.Signals) -> bool:
        """A signal to all of its processes. False: there are none."""
        if self.pid is None:
            return False
        os.killpg(self.pid, number)
        return True

    def kill(self) -> bool:
        """SIGKILL, and wait until it is gone."""
        killed = self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        return killed


class Stand:
    """The service as it runs in production, in a folder. `program`: the module of the API and of the workers."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self._port = free_port()
        self.base = f"http://{HOST}:{self._port}"
        self.environ = apart(folder) | {
            BASE_URL.name: self.base,
            SANDBOX.name: "yes",  # tokens by hand
            OUTGOING_NETWORKS.name: "127.0.0.0/8",
        }
        self.settings = Settings.from_environ(self.environ)
        self._secret = read_or_make_secret(self.settings.secret_file)
        self.region = read_content(self.settings.pathways, self.settings.region).region
        self.postgres = EmbeddedPostgres(folder / "database", pg_bin=self.settings.pg_bin)
        self._moving = Lock()  # a thread goes on when whoever waits for it is told to stop
        self.to_database = Proxy(self._behind)
        self._program = program
        self._serving: dict[str, str] = {}
        self.api = Running([], {}, folder)
        self.workers: list[Running] = []

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._restart)
            await migrate(self.postgres.admin_url, app_password=PASSWORD)
            await self.to_database.start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self.api, *self.workers):
            each.kill()
        await self.to_database.stop()
        with self._moving:
            self.postgres.stop()

    # What it is made of

    async def serve(self) -> None:
        """Start the API and the workers."""
        address = make_url(f"postgresql+asyncpg://{HOST}/{DATABASE}").set(
            username=APP_ROLE, password=PASSWORD, port=self.to_database.port
        )
        self._serving = self.environ | {DATABASE_URL.name: address.render_as_string(hide_password=False)}
        run = [sys.executable, "-m", self._program]
        self.api = Running(
            [*run, "serve", "--port", str(self._port), "--processes", str(API_PROCESSES)],
            self._serving,
            self.folder / "api.log",
        )
        self.workers = [
            Running([*run, "worker"], self._serving, self.folder / f"worker-{number}.log")
            for number in range(WORKERS)
        ]
        await self.bring_up()

    async def bring_up(self) -> None:
        """Whatever was killed or stopped runs again; returns when the API takes work."""
        if postmaster.live(self.postgres.data) is None:
            await self.restart_database()
        for each in (self.api, *self.workers):
            each.start()
            each.send(signal.SIGCONT)
        await self.ready()

    async def ready(self) -> None:
        """Until the API says so. Raises NotStarted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S), self.line() as line:
                while self.api.pid is not None:
                    with contextlib.suppress(httpx.TransportError):
                        if (await line.get("/health/ready")).status_code == httpx.codes.OK:
                            return
                    await asyncio.sleep(LOOK_S)
        said = "\n".join((self.folder / "api.log").read_text(errors="replace").splitlines()[-5:])
        raise NotStarted(Issue(nl=f"De API komt niet op:\n{said}", en=f"The API does not come up:\n{said}"))

    async def restart_database(self) -> None:
        """After its postmaster was killed."""
        await asyncio.to_thread(self._restart)

    def _restart(self) -> None:
        with self._moving:
            self.postgres.stop()
            self.postgres.start()

    # How it is reached

    def line(self, client: str | None = None) -> httpx.AsyncClient:
        """HTTP, as a client of the sandbox."""
        headers = {"Content-Type": "application/fhir+json"}
        if client is not None:
            token = tokens_of(self.settings, self._secret).issue(caller_for(self.region, client), LIFETIME)
            headers["Authorization"] = f"Bearer {token}"
        return httpx.AsyncClient(base_url=self.base, headers=headers, timeout=ANSWER_S, trust_env=False)

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """What stands in the database, past every wall and without the proxy."""
        connection = await asyncpg.connect(for_asyncpg(self.postgres.admin_url))
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    async def execute(self, statements: str) -> None:
        """As the owner of everything."""
        connection = await asyncpg.connect(for_asyncpg(self.postgres.admin_url))
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def verify_log(self) -> str:
        """What `audit verify` finds wrong with the audit log; empty when it is in order."""
        verb = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ketenzorg", "audit", "verify"),
            env=self._serving,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await verb.communicate()
        return said.decode(errors="replace").strip() if verb.returncode else ""

    async def _behind(self) -> Streams:
        """A database that was killed comes back under another address."""
        found = postmaster.live(self.postgres.data)
        if found is None or found.socket_dir is None:
            raise ConnectionRefusedError
        return await asyncio.open_unix_connection(str(found.socket_dir / f".s.PGSQL.{postmaster.PORT}"))
