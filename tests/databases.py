"""Where the tests' PostgreSQL comes from, and a fresh database for each test.

In this order: KETENZORG_TEST_DATABASE_URL (an admin's; a server for tests only, its roles are changed), a
container where a Docker engine answers, else the embedded server in a folder of its own. With
KETENZORG_TEST_PG=15,18 every test that takes a database runs once on each of those versions.
"""

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from ketenzorg.settings import for_asyncpg, for_sqlalchemy
from ketenzorg.store.embedded import EmbeddedPostgres
from ketenzorg.store.embedded_binaries import installations

APP_ROLE = "ketenzorg_app"
APP_PASSWORD = "only-for-tests"  # the same in every session: sessions may share one server
NEWEST = 18
DOCKER_SOCKET = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Database:
    """One database of one test: as the admin sees it and as the application does."""

    name: str
    admin_url: str
    app_url: str


def wanted_versions() -> list[int | None]:
    """The major versions that were asked for; None is: whatever comes first."""
    asked = os.environ.get("KETENZORG_TEST_PG", "")
    return [int(version) for version in asked.split(",") if version.strip()] or [None]


def given_server() -> str | None:
    """The URL of a server that was put at our disposal."""
    return os.environ.get("KETENZORG_TEST_DATABASE_URL") or None


@contextlib.contextmanager
def server(version: int | None) -> Iterator[str]:
    """A running PostgreSQL; gives the URL of its admin."""
    if given := given_server():
        yield for_sqlalchemy(given)
    elif docker_answers():
        with _container(version or NEWEST) as url:
            yield url
    else:
        with _embedded(version) as url:
            yield url


def docker_answers() -> bool:
    address = urlsplit(os.environ.get("DOCKER_HOST", DOCKER_SOCKET))
    family, target = (
        (socket.AF_UNIX, address.path)
        if address.scheme == "unix"
        else (socket.AF_INET, (address.hostname, address.port or 2375))
    )
    with socket.socket(family) as engine:
        engine.settimeout(2)
        try:
            engine.connect(target)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def _container(version: int) -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  (half a second, and seldom needed)

    with PostgresContainer(f"postgres:{version}", driver="asyncpg") as container:
        yield container.get_connection_url()


@contextlib.contextmanager
def _embedded(version: int | None) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="ketenzorg-test-"))
    try:
        with EmbeddedPostgres(folder / "data", pg_bin=binaries(version)) as postgres:
            yield postgres.admin_url
    finally:
        shutil.rmtree(folder)


def binaries(version: int | None) -> Path | None:
    """The folder of the binaries of one major version; a test without them is skipped."""
    if version is None:
        return None
    for installation in installations(None):
        if installation.major == version:
            return installation.bin
    pytest.skip(f"PostgreSQL {version} not here")


@contextlib.asynccontextmanager
async def new_database(admin_url: str, template: str = "template0") -> AsyncIterator[Database]:
    """A database that is there for the length of the `async with`; tens of milliseconds."""
    name = f"kz_{secrets.token_hex(6)}"
    await execute(admin_url, f'create database "{name}" template "{template}"')
    try:
        admin = make_url(admin_url).set(database=name)
        app = admin.set(username=APP_ROLE, password=APP_PASSWORD)
        yield Database(
            name, admin.render_as_string(hide_password=False), app.render_as_string(hide_password=False)
        )
    finally:
        await execute(admin_url, f'drop database "{name}" with (force)')


async def execute(url: str, statement: str) -> None:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(for_asyncpg(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
