"""The embedded PostgreSQL: who owns it, what a crash leaves, its folders' modes and its durability."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ketenzorg.settings import for_asyncpg
from ketenzorg.store import embedded, embedded_binaries, embedded_postmaster
from ketenzorg.store.durability import NEEDED, NotDurable, check_durability
from ketenzorg.store.embedded import EmbeddedPostgres
from ketenzorg.store.embedded_account import Account, EmbeddedError, account_for
from ketenzorg.store.embedded_binaries import Installation, choose, reachable

BSN_LIKE = "999911120"

# Prints where the server is, then owns it until its standard input closes.
OWNER = """
import sys
from pathlib import Path
from ketenzorg.store.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as postgres:
    print(postgres.pid, flush=True)
    sys.stdin.read()
"""

# Imports while it still may, gives up root for good, then lives a whole life of a server.
ORDINARY_USER = """
import encodings.ascii, os, sys
from pathlib import Path
from ketenzorg.store.embedded import EmbeddedPostgres
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
postgres = EmbeddedPostgres(Path(sys.argv[1]), pg_bin=Path(sys.argv[2]))
for _ in range(2):
    with postgres:
        owner = Path(f"/proc/{postgres.pid}").stat().st_uid if Path("/proc").is_dir() else os.geteuid()
        print(owner, postgres.admin_url)
"""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as a clean stop leaves it; making one takes most of a second."""
    folder = tmp_path_factory.mktemp("made") / "data"
    with EmbeddedPostgres(folder):
        pass
    return folder


@pytest.fixture
def folder(stopped: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    subprocess.run(["cp", "-a", stopped, copy], check=True)  # with owners
    return copy


@contextmanager
def owner_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@asynccontextmanager
async def connected(postgres: EmbeddedPostgres) -> Any:
    connection = await asyncpg.connect(for_asyncpg(postgres.admin_url))
    try:
        yield connection
    finally:
        await connection.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_what_was_stored_is_there_after_a_clean_stop(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        async with connected(postgres) as connection:
            await connection.execute("create table kept as select 1 as one")
        first, socket_dir = postgres.pid, postgres.socket_dir
    assert not embedded_postmaster.alive(first)
    assert not socket_dir.exists()
    assert not (folder / "postgres" / "postmaster.pid").exists()
    with EmbeddedPostgres(folder) as postgres:
        async with connected(postgres) as connection:
            assert await connection.fetchval("select one from kept") == 1
    assert "not properly shut down" not in postgres.log_file.read_text()


def test_a_key_press_in_our_terminal_does_not_reach_the_server(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        assert os.getsid(postgres.pid) == postgres.pid


def test_only_we_can_enter_and_the_parents_keep_their_modes(tmp_path: Path) -> None:
    home, share = tmp_path / "home", tmp_path / "home" / "share"
    home.mkdir(mode=0o700)
    share.mkdir(mode=0o750)
    parents = [share, home, tmp_path, *tmp_path.parents]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents]
    with EmbeddedPostgres(share / "data") as postgres:
        assert mode(share / "data") == mode(postgres.data) == mode(postgres.socket_dir) == 0o700
        assert mode(share / "data" / "postgres.password") == mode(postgres.log_file) == 0o600
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_as_root_the_server_runs_without_root(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        status = Path(f"/proc/{postgres.pid}/status").read_text()
        ids = {name: line.split() for name, _, line in (row.partition(":\t") for row in status.splitlines())}
        assert "0" not in ids["Uid"] + ids["Gid"] + ids["Groups"]


def test_as_an_ordinary_user(tmp_path: Path) -> None:
    nobody = Account(name="nobody", uid=65534, gid=65534)
    account = nobody if os.geteuid() == 0 else account_for(tmp_path)
    programs = reachable(choose(None, None), account)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        account.give(Path(place))
        done = subprocess.run(
            [sys.executable, "-c", ORDINARY_USER, Path(place) / "data", programs],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert (Path(place) / "data" / "postgres").stat().st_uid == account.uid
    assert [line.split()[0] for line in done.stdout.splitlines()] == [str(account.uid)] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_programs_out_of_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = choose(None, None)
    if not wheel.from_wheel:
        pytest.skip("the wheel's PostgreSQL not here")
    package = wheel.bin.parent.parent
    shutil.copytree(package, tmp_path / package.name, symlinks=True)  # pytest's folders are closed to others
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, tmp_path / libraries.name)
    hidden = Installation(
        bin=tmp_path / wheel.bin.relative_to(package.parent), major=wheel.major, from_wheel=True
    )
    nobody = pwd.getpwuid(65534)
    account = Account(name=nobody.pw_name, uid=nobody.pw_uid, gid=nobody.pw_gid)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o755)
        monkeypatch.setattr(embedded_binaries, "COPIES", Path(place) / "ketenzorg")
        for _ in range(2):  # the second time the copy is there
            copy = reachable(hidden, account)
            assert copy.is_relative_to(place)
            subprocess.run(
                [copy / "initdb", "--version"], check=True, stdout=subprocess.DEVNULL, **account.popen
            )


async def test_the_next_start_adopts_the_server_of_a_killed_owner(folder: Path) -> None:
    with owner_process(folder) as (process, pid):
        attached = EmbeddedPostgres(folder, attach=True)
        attached.start()
        connection = await asyncpg.connect(for_asyncpg(attached.admin_url))
        kill(process)
        assert embedded_postmaster.alive(pid)
        with EmbeddedPostgres(folder) as postgres:
            assert postgres.pid == pid
            assert await connection.fetchval("select 1") == 1  # nobody was thrown out
        connection.terminate()
    assert not embedded_postmaster.alive(pid)


async def test_a_start_recovers_when_owner_and_server_were_killed(folder: Path) -> None:
    with owner_process(folder) as (process, pid):
        attached = EmbeddedPostgres(folder, attach=True)
        attached.start()
        connection = await asyncpg.connect(for_asyncpg(attached.admin_url))
        await connection.execute("create table kept as select 1 as one")
        old_socket_dir = attached.socket_dir
        kill(process)
        os.kill(pid, signal.SIGKILL)
        with EmbeddedPostgres(folder) as postgres:
            assert postgres.pid != pid
            assert not old_socket_dir.exists()
            async with connected(postgres) as fresh:
                assert await fresh.fetchval("select one from kept") == 1
        connection.terminate()


def test_a_server_that_nobody_can_reach_is_replaced(folder: Path) -> None:
    with owner_process(folder) as (process, pid):
        kill(process)
        found = embedded_postmaster.live(folder / "postgres")
        assert found is not None
        assert found.socket_dir is not None
        shutil.rmtree(found.socket_dir)  # a cleaner of old files in /tmp
        with EmbeddedPostgres(folder) as postgres:
            assert postgres.pid != pid
            assert not embedded_postmaster.alive(pid)


def test_a_pid_file_whose_number_is_now_another_process(folder: Path) -> None:
    me = f"{os.getpid()}\n{folder / 'postgres'}\n1\n5432\n/tmp/ketenzorg-gone\n\n0 0\nready\n"
    (folder / "postgres" / "postmaster.pid").write_text(me)
    with EmbeddedPostgres(folder) as postgres:
        assert postgres.pid != os.getpid()


def test_a_folder_in_use_is_refused_and_left_alone(folder: Path) -> None:
    with owner_process(folder) as (process, pid):
        with pytest.raises(EmbeddedError, match=rf"process {process.pid}\).*KETENZORG_DATA_DIR"):
            EmbeddedPostgres(folder).start()
        assert embedded_postmaster.alive(pid)


async def test_who_attaches_connects_and_leaves_the_server_running(folder: Path) -> None:
    with owner_process(folder) as (_, pid):
        with EmbeddedPostgres(folder, attach=True) as attached:
            assert attached.pid == pid
            async with connected(attached) as connection:
                assert await connection.fetchval("select 1") == 1
        assert embedded_postmaster.alive(pid)
    assert not embedded_postmaster.alive(pid)


def test_attaching_to_nothing_says_what_to_start(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="ketenzorg serve --embedded"):
        EmbeddedPostgres(folder, attach=True).start()


async def test_the_socket_asks_for_the_password(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        for password in ("", "wrong"):
            url = postgres.url("postgres", embedded.ADMIN, password)
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(for_asyncpg(url), passfile=folder / "none")


async def test_no_value_of_a_statement_comes_into_the_log(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        async with connected(postgres) as connection:
            await connection.execute("create table person (bsn text primary key)")
            await connection.execute("insert into person values ($1)", BSN_LIKE)
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute("insert into person values ($1)", BSN_LIKE)
            with pytest.raises(asyncpg.InvalidTextRepresentationError):
                await connection.execute(f"select 'x{BSN_LIKE}'::int")
        assert BSN_LIKE not in postgres.log_file.read_text()


def test_a_crash_while_the_database_was_being_made_leaves_no_trace(tmp_path: Path) -> None:
    half = tmp_path / "data" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with EmbeddedPostgres(tmp_path / "data"):
        assert not half.exists()


def test_data_of_another_version_are_refused_by_name(folder: Path) -> None:
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"of PostgreSQL 12.*KETENZORG_PG_BIN"):
        EmbeddedPostgres(folder).start()


def test_a_failed_start_shows_the_log_and_lets_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setitem(embedded.SETTINGS, "shared_buffers", "nonsense")
        with pytest.raises(EmbeddedError, match='invalid value for parameter "shared_buffers"'):
            EmbeddedPostgres(folder).start()
    with EmbeddedPostgres(folder):
        pass


@pytest.mark.parametrize("setting", NEEDED)
async def test_not_durable_while_a_setting_is_off(
    folder: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedded.SETTINGS, setting, "off")
    with EmbeddedPostgres(folder) as postgres:
        async with connected(postgres) as connection:
            with pytest.raises(NotDurable, match=rf"^PostgreSQL: {setting} is off"):
                await check_durability(connection)


async def test_durable_as_it_comes_and_not_once_a_role_says_otherwise(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        async with connected(postgres) as connection:
            await connection.execute("alter system set fsync = off")  # our command line wins
            await check_durability(connection)
            await connection.execute(f"alter role {embedded.ADMIN} set synchronous_commit = off")
        async with connected(postgres) as connection:
            with pytest.raises(NotDurable, match="synchronous_commit"):
                await check_durability(connection)
