"""The API of a bench as processes of their own: started, watched through /proc, and stopped whatever happens."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.settings import DATA_DIR, IN_A_HURRY, MIGRATIONS, PATHWAYS, PG_BIN

START_S = 60.0
STOP_S = 20.0
POLL_S = 0.005
PROC = Path("/proc")
# Fields of /proc/<pid>/stat after the name. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
PARENT, USER_TICKS, SYSTEM_TICKS = 1, 11, 12
# Of the caller's environment only what says which programs and files: the rest is of another installation.
KEPT = frozenset({PG_BIN.name, PATHWAYS.name, MIGRATIONS.name})


class NotStarted(KetenzorgError):
    """The API did not come up."""


class Api:
    """A running `ketenzorg serve`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.start_s = 0.0  # from the command until it says that it is ready

    def cpu_s(self) -> float | None:
        """CPU that its processes have used; None where there is no /proc."""
        return cpu_s(self.process.pid)

    def rss_mib(self) -> float | None:
        """Resident memory of its largest process."""
        sizes = [_rss_mib(pid) for pid in family(self.process.pid)]
        return max(sizes, default=None)


def apart(folder: Path) -> dict[str, str]:
    """The environment of an installation of its own in a folder, that is in a hurry."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KETENZORG_")}
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**ours, **kept, **IN_A_HURRY, DATA_DIR.name: str(folder)}


@contextlib.contextmanager
def serving(
    environ: Mapping[str, str], processes: int, log: Path, module: str = "ketenzorg"
) -> Iterator[Api]:
    """`ketenzorg serve` on a free port; stopped when the context ends. `module`: run as if it were ketenzorg."""
    port = free_port()
    command = [sys.executable, "-m", module, "serve", "--port", str(port), "--processes", str(processes)]
    started = time.perf_counter()
    # A session of its own: Ctrl-C is for us, and what it leaves behind can be ended as a group.
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        api = Api(process, port)
        _wait(api, log)
        api.start_s = time.perf_counter() - started
        yield api
    finally:
        _stop(process)


def cpu_s(root: int) -> float | None:
    """CPU seconds of a process and all below it."""
    if not PROC.is_dir():
        return None
    return sum(_own_cpu_s(pid) for pid in family(root))


def _own_cpu_s(pid: int) -> float:
    """In the nanoseconds of its threads where the kernel has these: a tick is as long as many requests."""
    try:
        threads = [each.read_text().split() for each in (PROC / str(pid) / "task").glob("*/schedstat")]
    except OSError:  # a thread has ended meanwhile
        threads = []
    if threads:
        return sum(int(on_cpu) for on_cpu, *_ in threads) / 1e9
    fields = _stat(pid)
    ticks = int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


class Machine(NamedTuple):
    """CPU seconds of the whole machine so far."""

    busy_s: float
    stolen_s: float  # that another machine on the same hardware got instead


def machine() -> Machine | None:
    """None where there is no /proc."""
    try:
        _, *ticks = (PROC / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, stolen, *_ = map(int, ticks)
    tick = os.sysconf("SC_CLK_TCK")
    return Machine((user + nice + system + irq + softirq) / tick, stolen / tick)


def family(root: int) -> list[int]:
    """A process and all below it; none where there is no /proc."""
    if not PROC.is_dir():
        return []
    parents = {int(each.name): _stat(int(each.name)) for each in PROC.iterdir() if each.name.isdigit()}
    found = [root]
    for pid in found:  # grows while it is walked
        found += [child for child, fields in parents.items() if fields and int(fields[PARENT]) == pid]
    return found


def _stat(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:  # it has ended
        return []


def _rss_mib(pid: int) -> float:
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(api: Api, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and api.process.poll() is None:
        if _is_ready(api.port):
            return
        time.sleep(POLL_S)
    said = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise NotStarted(Issue(nl=f"De API start niet:\n{said}", en=f"The API does not start:\n{said}"))


def _is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_S) as probe:
            probe.sendall(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return probe.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
