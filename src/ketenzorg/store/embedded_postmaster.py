"""Who runs in a data folder, as postmaster.pid tells it.

Lines of that file: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h.
"""

import contextlib
import os
import signal
import socket
import struct
from pathlib import Path

import msgspec

PORT = 5432  # only part of the socket's name: nothing listens on TCP
ANSWER_SECONDS = 5.0
# The smallest question of the protocol; answered with one byte before anybody logs in.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_PID, _FOLDER, _SOCKET, _STATUS = 0, 1, 4, 7


class Postmaster(msgspec.Struct, frozen=True):
    """A PostgreSQL server that is alive and works in our data folder."""

    pid: int
    socket_dir: Path | None
    status: str

    @property
    def accepts(self) -> bool:
        """It says that it is ready, and answers: a socket alone may belong to a server that is dying."""
        if self.status != "ready" or self.socket_dir is None:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(ANSWER_SECONDS)
            try:
                client.connect(str(self.socket_dir / f".s.PGSQL.{PORT}"))
                client.sendall(SSL_REQUEST)
                return len(client.recv(1)) == 1
            except OSError:
                return False


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


def forget_stale(data: Path) -> None:
    """Take away a pid file whose number is in use, but not by our server: PostgreSQL would refuse to start.

    Another process has it now, or the dead server was never waited for. That old backends are still at work
    PostgreSQL finds out by itself, from the shared memory that belongs to the folder.
    """
    lines = _lines(data)
    if lines and lines[_PID].isdigit() and _in_use(int(lines[_PID])) and live(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def alive(pid: int) -> bool:
    if not _in_use(pid):
        return False
    try:  # one that nobody waited for (a container without an init) is dead all the same
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def _in_use(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
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
