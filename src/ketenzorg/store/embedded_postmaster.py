"""Who runs in a data folder, as postmaster.pid tells it.

Lines of that file: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h.
"""

import contextlib
import os
import signal
import socket
from pathlib import Path

import msgspec

PORT = 5432  # only part of the socket's name: nothing listens on TCP
_PID, _FOLDER, _SOCKET, _STATUS = 0, 1, 4, 7


class Postmaster(msgspec.Struct, frozen=True):
    """A PostgreSQL server that is alive and works in our data folder."""

    pid: int
    socket_dir: Path | None
    status: str

    @property
    def accepts(self) -> bool:
        """It says that it is ready, and somebody answers at its socket."""
        if self.status != "ready" or self.socket_dir is None:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket_dir / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True


def live(data: Path) -> Postmaster | None:
    """The server of this folder, or None: no file, a stale one, or another process by the same number."""
    lines = _lines(data)
    if not lines or not lines[_PID].isdigit():
        return None
    pid = int(lines[_PID])
    if not alive(pid) or not _works_in(pid, data, lines):
        return None
    socket_dir = Path(lines[_SOCKET]) if len(lines) > _SOCKET and lines[_SOCKET] else None
    status = lines[_STATUS].strip() if len(lines) > _STATUS else "starting"
    return Postmaster(pid=pid, socket_dir=socket_dir, status=status)


def last_socket_dir(data: Path) -> Path | None:
    """Where a server that is gone without goodbye had its socket."""
    lines = _lines(data)
    return Path(lines[_SOCKET]) if len(lines) > _SOCKET and lines[_SOCKET] else None


def forget_reused(data: Path) -> None:
    """Take away a pid file whose number now belongs to another process: PostgreSQL would refuse to start.

    Left alone otherwise: PostgreSQL itself finds out from it whether old backends are still at work.
    """
    lines = _lines(data)
    if lines and lines[_PID].isdigit() and alive(int(lines[_PID])) and live(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # one that nobody waited for (a container without an init) is dead all the same
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _works_in(pid: int, data: Path, lines: list[str]) -> bool:
    if not Path("/proc/self/cwd").exists():
        return len(lines) > _FOLDER and Path(lines[_FOLDER]).resolve() == data.resolve()
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:  # gone meanwhile, or of somebody else
        return False
