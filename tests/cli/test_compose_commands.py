"""What compose.yaml tells its containers to run, run as processes: migrate, serve, worker and the health checks."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from databases import Database, new_database
from ketenzorg.logs import STARTED
from ketenzorg.settings import for_asyncpg
from services import SECRET

SERVICES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())[
    "services"
]
PORT = "8080"  # inside the container; ours is any that is free
STATE = """
    select relname, relacl::text, pg_relation_filenode(oid)::text from pg_class
    where relnamespace = 'ketenzorg'::regnamespace order by relname
"""


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[Database]:
    async with new_database(postgres) as database:
        yield database


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret.key").write_bytes(SECRET)
    return tmp_path / "secret.key"


@pytest.fixture
def port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def environment(database: Database, secret: Path) -> dict[str, str]:
    """As compose gives it to a serving container."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KETENZORG_")}
    return ours | {"KETENZORG_DATABASE_URL": database.app_url, "KETENZORG_SECRET_FILE": str(secret)}


async def started(command: list[str], environ: dict[str, str], port: str = PORT) -> Process:
    """A command of compose.yaml (CMD and python stand for what the image has) on another port."""
    words = [word.replace(PORT, port) for word in command]
    program = words[2:] if words[:2] == ["CMD", "python"] else ["-m", "ketenzorg", *words]
    return await create_subprocess_exec(
        sys.executable, *program, env=environ, stdout=PIPE, stderr=PIPE, start_new_session=True
    )


async def ended(command: list[str], environ: dict[str, str], port: str = PORT) -> tuple[int | None, str]:
    """Its exit code and what it said on standard error."""
    process = await started(command, environ, port)
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def migrated(database: Database, secret: Path) -> tuple[int | None, str]:
    admin = {"KETENZORG_ADMIN_DATABASE_URL": database.admin_url}
    return await ended(SERVICES["migrate"]["command"], environment(database, secret) | admin)


@asynccontextmanager
async def running(name: str, environ: dict[str, str], port: str) -> AsyncIterator[None]:
    """A service of compose.yaml that has started and is healthy; it must end cleanly when asked."""
    process = await started(SERVICES[name]["command"], environ, port)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while STARTED.id.encode() not in await process.stderr.readline():
                assert process.returncode is None
            while (await ended(SERVICES[name]["healthcheck"]["test"], environ, port))[0] != 0:
                assert process.returncode is None
        yield
        process.terminate()
        assert await process.wait() == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, said = await process.communicate()
    assert b"Traceback" not in said


async def state(database: Database) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        return [tuple(row) for row in await connection.fetch(STATE)]
    finally:
        await connection.close()


async def test_migrate_makes_a_fresh_database_ready_and_the_second_time_changes_nothing(
    empty: Database, secret: Path
) -> None:
    health = SERVICES["worker"]["healthcheck"]["test"]
    code, said = await ended(health, environment(empty, secret))
    assert code != 0
    assert said.endswith("Run: ketenzorg migrate\n")
    assert said.count("\n") == 1

    assert await migrated(empty, secret) == (0, "")
    made = await state(empty)
    assert made
    assert await ended(health, environment(empty, secret)) == (0, "")

    assert await migrated(empty, secret) == (0, "")
    assert await state(empty) == made


async def test_databases_of_one_server_are_migrated_at_the_same_moment(postgres: str, secret: Path) -> None:
    async with new_database(postgres) as one, new_database(postgres) as other:
        assert await asyncio.gather(migrated(one, secret), migrated(other, secret)) == [(0, ""), (0, "")]
        made = [[row[:2] for row in await state(database)] for database in (one, other)]
    assert made[0] == made[1]


@pytest.mark.parametrize("name", ["KETENZORG_ADMIN_DATABASE_URL", "KETENZORG_DATABASE_URL"])
async def test_migrate_without_a_database_says_what_it_needs(
    empty: Database, secret: Path, name: str
) -> None:
    environ = environment(empty, secret) | {"KETENZORG_ADMIN_DATABASE_URL": empty.admin_url}
    del environ[name]
    code, said = await ended(SERVICES["migrate"]["command"], environ)
    assert code == 2
    assert said == "ketenzorg: migrate needs KETENZORG_ADMIN_DATABASE_URL and KETENZORG_DATABASE_URL.\n"


@pytest.mark.parametrize("name", ["api", "worker"])
async def test_what_stays_up_becomes_healthy_and_ends_when_asked(
    database: Database, secret: Path, port: str, name: str
) -> None:
    async with running(name, environment(database, secret), port):
        pass


async def test_an_api_process_that_falls_is_replaced_and_none_outlives_the_first(
    database: Database, secret: Path, port: str
) -> None:
    process = await started(SERVICES["api"]["command"], environment(database, secret), port)
    try:
        fallen, *_ = await two_children(process.pid)
        os.kill(fallen, signal.SIGKILL)
        await two_children(process.pid, without=fallen)
        process.kill()
        await process.wait()
        async with asyncio.timeout(60):
            while is_taken(port):
                await asyncio.sleep(0.02)  # until the others have seen it
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def two_children(parent: int, without: int = 0) -> list[int]:
    """Its processes, as soon as there are two and a certain one is not there."""
    async with asyncio.timeout(60):
        while True:
            found = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
            if len(found) == 2 and without not in found:
                return found
            await asyncio.sleep(0.02)  # until they are forked


def is_taken(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


async def test_a_port_in_use_is_one_line(database: Database, secret: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104
        port = str(taken.getsockname()[1])
        code, said = await ended(SERVICES["api"]["command"], environment(database, secret), port)
    assert code == 2
    assert said.startswith(f"ketenzorg: Port {port} on 0.0.0.0 cannot be had (Address already in use)")
    assert said.count("\n") == 1
