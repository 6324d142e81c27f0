"""Metrics on a port of their own, so that only who the operator lets near it reads them."""

import os
import tempfile
import threading
from typing import NamedTuple

import typer

from ketenzorg.errors import Issue
from ketenzorg.settings import WrongSetting

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client, when it is first imported
LAST_PORT = 65_535


class Spot(NamedTuple):
    """Where metrics can be read."""

    host: str
    port: int


def spot(text: str) -> Spot:
    """HOST:PORT. Raises typer.BadParameter."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise typer.BadParameter("HOST:PORT, such as 127.0.0.1:9464")
    return Spot(host.strip("[]"), int(port))


def count_together() -> None:
    """Several processes are to count as one: each in files of its own, below a folder that is gone at a reboot."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="ketenzorg-metrics-")


def expose(at: Spot) -> None:
    """Answer scrapes from a thread, for as long as this process lives."""
    from prometheus_client import REGISTRY, CollectorRegistry, start_http_server  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        start_http_server(at.port, at.host, registry)
    except OSError as error:
        raise WrongSetting(
            Issue(
                nl=f"--metrics: op {at.host}:{at.port} kan niet worden geluisterd: {error.strerror}",
                en=f"--metrics: cannot listen on {at.host}:{at.port}: {error.strerror}",
            )
        ) from error


def expose_for_all(at: Spot) -> None:
    """The work of a process that answers scrapes for the others."""
    expose(at)
    threading.Event().wait()


def forget(pid: int) -> None:
    """What a process that ended had under way is no longer."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
