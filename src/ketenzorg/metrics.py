"""Everything that is counted for who keeps the service running, in the form of Prometheus.

Labels are words of ours, never an id, a name, an address or a number of anybody: what an outsider chooses is no label.
https://prometheus.io/docs/practices/naming/
"""

from functools import cache
from importlib.metadata import version
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ITEMS = (1, 2, 4, 8, 16, 32)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

BUILD = Gauge("ketenzorg_build_info", "What runs.", ["version"], multiprocess_mode="max")
REQUESTS = Histogram(
    "ketenzorg_request_seconds",
    "Requests that have ended, by the template of their address.",
    ["method", "route", "status"],
    buckets=SECONDS,
)
UNDER_WAY = Gauge("ketenzorg_requests_under_way", "Requests being answered now.", multiprocess_mode="livesum")
LIMITED = Counter("ketenzorg_requests_limited", "Requests refused with 429, by what was used up.", ["why"])
BROKEN = Counter("ketenzorg_requests_broken", "Connections refused before there was a request.", ["why"])
CONNECTIONS = Gauge(
    "ketenzorg_database_connections_used",
    "Connections to the database that are at work now.",
    multiprocess_mode="livesum",
)
TOGETHER = Histogram("ketenzorg_coalesced_items", "Writes that shared one statement.", buckets=ITEMS)

DELIVERIES = Counter(
    "ketenzorg_deliveries", "Attempts to deliver, by channel and what came of it.", ["channel", "outcome"]
)
MESSAGES = Gauge("ketenzorg_messages", "Messages not delivered (100000: that or more).", ["state"])
# Absent while nobody knows: without a database, and in a process that is no worker.
BEHIND = Gauge("ketenzorg_behind_seconds", "How long what should have been done by now waits.", ["what"])

BUILD.labels(version("ketenzorg")).set(1)


def request_ended(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. `route`: the template; empty when none was reached. `status` 0: the client went away."""
    known = method if method in METHODS else "other"
    _requests(known, route or "none", f"{status // 100}xx" if status else "gone").observe(seconds)


@cache  # finding the labels costs more than counting
def _requests(method: str, route: str, status: str) -> Any:
    return REQUESTS.labels(method, route, status)
