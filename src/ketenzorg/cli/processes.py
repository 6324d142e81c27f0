"""Works in processes of their own, forked from one that has loaded everything; one that falls is replaced."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

STOPPING = (signal.SIGTERM, signal.SIGINT)
RESTART_S = 0.5  # so that what cannot live is not tried without end at full speed


def keep(works: Sequence[Callable[[], None]], ended: Callable[[int], None]) -> None:
    """Do each work in a process, until SIGTERM or SIGINT; returns when all have ended. `ended` hears whose pid did."""
    processes: dict[int, ForkProcess] = {}  # by the place of their work
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for process in processes.values():
            process.terminate()

    for each in STOPPING:
        signal.signal(each, stop)
    while not stopping:
        for place, work in enumerate(works):
            if place not in processes and not stopping:
                with _held():  # a signal finds a process before it exists, or in the list
                    processes[place] = _started(work)
        wait([process.sentinel for process in processes.values()])
        with _held():
            for place in [place for place, process in processes.items() if not process.is_alive()]:
                ended(processes.pop(place).pid or 0)
        if not stopping:
            time.sleep(RESTART_S)
    for process in processes.values():
        process.join()


def _started(work: Callable[[], None]) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=_child, args=(work,))
    process.start()
    return process


def _child(work: Callable[[], None]) -> None:
    for each in STOPPING:
        signal.signal(
            each, lambda *_: sys.exit(0)
        )  # until the work says what it does with them, and after it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work()


def _end_with_parent() -> None:
    """Stop when the one that started us was killed: nobody would watch us, and the port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _held() -> Iterator[None]:
    """Signals that ask us to stop wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
