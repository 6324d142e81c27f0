"""PostgreSQL that comes with the program: made, started, adopted after a crash, stopped.

Who owns: the first process that starts it holds a lock on the folder, and stops the server when it ends. A
second one that says `attach` (the worker beside the API) only connects. A server whose owner was killed lives
on, until the next start adopts it. For demo, tests and trials; others give KETENZORG_DATABASE_URL.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from sqlalchemy.engine import URL

from ketenzorg.errors import Issue
from ketenzorg.secret_file import make_private_folder
from ketenzorg.settings import DATA_DIR
from ketenzorg.store import embedded_postmaster as postmaster
from ketenzorg.store.embedded_account import Account, EmbeddedError, account_for
from ketenzorg.store.embedded_binaries import choose, reachable

T = TypeVar("T")

ADMIN = "ketenzorg_admin"
DATABASE = "ketenzorg"
INITDB = ("-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--data-checksums")
START_SECONDS = 120.0  # the recovery of a full gigabyte of log fits in it
STOP_SECONDS = 30.0
POLL_SECONDS = 0.01
LOG_BYTES = 4 * 1024 * 1024
SOCKET_PREFIX = "ketenzorg-"

# On the command line, so that no ALTER SYSTEM can take a promise away.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "ketenzorg",
    # The log tells of the server, never of a statement: errors and their values go to the client alone.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}


class EmbeddedPostgres:
    """One PostgreSQL in one folder; use it as a context manager."""

    def __init__(
        self,
        data_dir: Path,
        *,
        pg_bin: Path | None = None,
        attach: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """`meanwhile` is done while the server starts; it may take longer than that."""
        self.data_dir = data_dir.absolute()
        self.data = self.data_dir / "postgres"
        self.log_file = self.data_dir / "postgres.log"
        self.owner = not attach
        self._pg_bin = pg_bin
        self._meanwhile = meanwhile
        self._password_file = self.data_dir / "postgres.password"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._server: postmaster.Postmaster | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What it tells

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def socket_dir(self) -> Path:
        assert self._running.socket_dir is not None  # noqa: S101  (true of every server that accepts)
        return self._running.socket_dir

    @property
    def admin_url(self) -> str:
        """For migrations: a superuser's, in the form of `ketenzorg.settings.for_sqlalchemy`."""
        return self.url(DATABASE, ADMIN, self._password())

    def url(self, database: str, user: str, password: str) -> str:
        """The address for any database and role; `ketenzorg.settings.for_asyncpg` gives asyncpg's form."""
        url = URL.create(
            "postgresql+asyncpg",
            username=user,
            password=password,
            database=database,
            query={"host": str(self.socket_dir)},
        )
        return url.render_as_string(hide_password=False)

    # What it does

    def start(self) -> None:
        """Return when the database accepts connections: made, started, adopted or attached to."""
        try:
            if self.owner:
                self._own()
            else:
                self._attach()
        except PermissionError as error:
            raise EmbeddedError(
                Issue(
                    nl=f"{error.filename} is van een andere gebruiker; start als die gebruiker "
                    f"of zet {DATA_DIR.name} op een eigen map.",
                    en=f"{error.filename} belongs to another user; start as that user "
                    f"or set {DATA_DIR.name} to a folder of your own.",
                )
            ) from error

    def stop(self) -> None:
        """The owner stops the server cleanly and lets the folder go; an attacher only forgets it."""
        server, self._server = self._server, None
        try:
            if self.owner and server is not None:
                self._end(server)
        finally:
            self._release()

    # Owning

    def _own(self) -> None:
        make_private_folder(self.data_dir)
        self._take_lock()
        try:
            found = self._wait_for(postmaster.live(self.data))
            if found is not None and found.accepts:
                self._server = found  # its owner was killed; connections that it has stay
                return
            if found is not None:
                self._end(found)  # alive, but nobody can reach it any more
            self._launch()
        except BaseException:
            self._release()
            raise

    def _take_lock(self) -> None:
        lock = (self.data_dir / "owner.lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = _read_pid(lock)
            lock.close()
            raise EmbeddedError(
                Issue(
                    nl=f"{self.data_dir} is in gebruik door een andere ketenzorg (proces {owner}); "
                    f"stop die, of zet {DATA_DIR.name} op een andere map.",
                    en=f"{self.data_dir} is in use by another ketenzorg (process {owner}); "
                    f"stop it, or set {DATA_DIR.name} to another folder.",
                )
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()  # and with it the flock
            self._lock = None

    def _launch(self) -> None:
        account = account_for(self.data)
        programs = reachable(choose(self._pg_bin, self._data_major()), account)
        if not self.data.exists():
            self._make(programs, account)
        _remove_socket_dir(postmaster.last_socket_dir(self.data))
        postmaster.forget_stale(self.data)
        deadline = time.monotonic() + START_SECONDS
        while True:
            said_before = self._log_size()
            found = self._try(programs, account)
            if found is not None:
                self._server = found
                return
            said = self._said_since(said_before)
            # Backends of a server that was killed a moment ago are still ending.
            if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise self._failed("start", said)

    def _try(self, programs: Path, account: Account) -> postmaster.Postmaster | None:
        socket_dir = _new_socket_dir(account)
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with self._open_log() as log, _open_folder(self.data, account) as (folder, fds):
            self._process = subprocess.Popen(  # noqa: S603
                [programs / "postgres", "-D", folder, "-k", socket_dir, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                pass_fds=fds,
                start_new_session=True,  # Ctrl-C is for us; we stop it when our work is done
                **account.popen,
            )
        try:
            self._meanwhile()
            found = self._wait_for_own(self._process)
        except BaseException:
            self._process.kill()
            self._process.wait()
            _remove_socket_dir(socket_dir)
            raise
        if found is None:
            _remove_socket_dir(socket_dir)
        return found

    def _wait_for_own(self, process: subprocess.Popen[bytes]) -> postmaster.Postmaster | None:
        def look() -> postmaster.Postmaster | None:
            found = postmaster.live(self.data)
            return found if found is not None and found.pid == process.pid and found.accepts else None

        found = _poll(lambda: look() or process.poll() is not None, START_SECONDS)
        if isinstance(found, postmaster.Postmaster):
            return found
        if process.poll() is None:
            raise self._failed("start", self._said_since(0))
        return None

    def _wait_for(self, found: postmaster.Postmaster | None) -> postmaster.Postmaster | None:
        """A server that is starting or stopping is waited for."""
        if found is None or found.status == "ready":
            return found

        def settled() -> bool:
            now = postmaster.live(self.data)
            return now is None or now.status == "ready"

        _poll(settled, START_SECONDS)
        return postmaster.live(self.data)

    # Making

    def _make(self, programs: Path, account: Account) -> None:
        """Under another name until it is whole: a crash half-way leaves no half database."""
        new = self.data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        account.give(new)
        socket_dir = _new_socket_dir(account)
        try:
            password = socket_dir / "password"  # the one place that both we and the server's account can read
            password.touch(mode=0o600)
            password.write_text(self._make_password())
            account.give(password)
            with _open_folder(new, account) as (folder, fds):
                self._do(account, fds, programs / "initdb", "-D", folder, "--pwfile", password, *INITDB)
                single = (programs / "postgres", "--single", "-D", folder, "template1")
                self._do(account, fds, *single, said=f"create database {DATABASE}")
        finally:
            _remove_socket_dir(socket_dir)
        new.rename(self.data)

    def _do(self, account: Account, fds: Sequence[int], *command: str | Path, said: str = "") -> None:
        done = subprocess.run(  # noqa: S603
            command,
            input=said,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            pass_fds=fds,
            **account.popen,
        )
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise self._failed("initdb", done.stderr)

    def _data_major(self) -> int | None:
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _make_password(self) -> str:
        if not self._password_file.exists():
            with tempfile.NamedTemporaryFile("w", dir=self.data_dir, delete=False) as new:  # 0600
                new.write(secrets.token_urlsafe(32))
                new.flush()
                os.fsync(new.fileno())
            Path(new.name).rename(self._password_file)
        return self._password()

    def _password(self) -> str:
        try:
            return self._password_file.read_text()
        except FileNotFoundError as error:
            raise EmbeddedError(
                Issue(
                    nl=f"{self._password_file} ontbreekt; zet het terug uit de reservekopie.",
                    en=f"{self._password_file} is missing; restore it from the backup.",
                )
            ) from error

    # Stopping

    def _end(self, server: postmaster.Postmaster) -> None:
        for number in (signal.SIGINT, signal.SIGQUIT):  # fast; then at once, with recovery at the next start
            postmaster.send(server.pid, number)
            if _poll(lambda: self._is_gone(server), STOP_SECONDS):
                _remove_socket_dir(server.socket_dir)
                return
        raise self._failed("stop", self._said_since(0))

    def _is_gone(self, server: postmaster.Postmaster) -> bool:
        if self._process is not None and self._process.pid == server.pid:
            return self._process.poll() is not None
        return not postmaster.alive(server.pid)

    # Attaching

    def _attach(self) -> None:
        def look() -> postmaster.Postmaster | bool | None:
            found = postmaster.live(self.data)
            if found is not None and found.accepts:
                return found
            return found is None and not self._has_owner()

        found = _poll(look, START_SECONDS)
        if not isinstance(found, postmaster.Postmaster):
            raise EmbeddedError(
                Issue(
                    nl=f"In {self.data_dir} draait geen database; start eerst: ketenzorg serve --embedded",
                    en=f"No database runs in {self.data_dir}; first start: ketenzorg serve --embedded",
                )
            )
        self._server = found

    def _has_owner(self) -> bool:
        try:
            with (self.data_dir / "owner.lock").open(encoding="ascii") as lock:
                owner = _read_pid(lock)
        except FileNotFoundError:
            return False
        return owner is not None and postmaster.alive(owner)

    # Telling what went wrong

    @property
    def _running(self) -> postmaster.Postmaster:
        if self._server is None:
            raise EmbeddedError(
                Issue(nl="De ingebouwde database draait niet.", en="The embedded database is not running.")
            )
        return self._server

    def _open_log(self) -> IO[bytes]:
        if self._log_size() > LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        return open(os.open(self.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")  # noqa: PTH123

    def _log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _said_since(self, offset: int) -> str:
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[offset:].decode(errors="replace")

    def _failed(self, what: str, said: str) -> EmbeddedError:
        last = "\n".join(said.strip().splitlines()[-5:])
        return EmbeddedError(
            Issue(
                nl=f"PostgreSQL in {self.data}: {what} lukt niet. Einde van {self.log_file}:\n{last}",
                en=f"PostgreSQL in {self.data}: {what} failed. The end of {self.log_file}:\n{last}",
            )
        )


@contextlib.contextmanager
def _open_folder(data: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The data folder as the server is to name it, and the descriptors that it must inherit for that.

    An unprivileged account may not be able to walk there (below a 0700 home), and parents' modes are not ours
    to change; but an open folder can be handed over, and Linux lets every process name what it has open.
    """
    if account.is_ours:
        yield str(data), ()
        return
    fd = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)


def _environment() -> dict[str, str]:
    """Nothing of ours: PGDATA, PGOPTIONS and the like would change the server, LANG its messages."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _new_socket_dir(account: Account) -> Path:
    """A short path (a socket's has at most 103 bytes), for the server's account alone, and root."""
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=_runtime_dir()))  # 0700
    account.give(folder)
    return folder


def _runtime_dir() -> Path:
    told = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.geteuid() == 0 or not Path(told).is_absolute() or not os.access(told, os.W_OK | os.X_OK):
        return Path("/tmp")  # noqa: S108
    return Path(told)


def _remove_socket_dir(folder: Path | None) -> None:
    if folder is not None and folder.parent == _runtime_dir() and folder.name.startswith(SOCKET_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _read_pid(lock: IO[str]) -> int | None:
    lock.seek(0)
    text = lock.read()
    return int(text) if text.isdigit() else None


def _poll(look: Callable[[], T], seconds: float) -> T:
    """Ask until there is an answer or the time is over; gives the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(POLL_SECONDS)
