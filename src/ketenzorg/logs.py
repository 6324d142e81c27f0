"""Every log event, its level, and the only fields that it may carry: what is not listed here is dropped.

No field holds a body, a URL, a name or a number of a person; ids are those that we make ourselves.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec


class LogEvent(NamedTuple):
    """A line of the log: a stable id, its level and its fields."""

    id: str
    level: int
    fields: frozenset[str]


def _event(id_: str, level: int, *fields: str) -> LogEvent:
    return LogEvent(id_, level, frozenset(fields))


REQUEST = _event("KZ-API-001", logging.INFO, "method", "route", "status", "ms", "client", "request")
CRASH = _event("KZ-API-002", logging.ERROR, "request", "error")
REFUSED = _event("KZ-API-003", logging.INFO, "status", "why")  # before it was a request
TOKEN_ISSUED = _event("KZ-AUT-001", logging.INFO, "client", "organisation")
ASSERTION_REFUSED = _event("KZ-AUT-002", logging.WARNING, "client", "why")
STARTED = _event("KZ-RUN-001", logging.INFO, "what", "version", "pathways")
STOPPED = _event("KZ-RUN-002", logging.INFO, "what")
DELIVERED = _event("KZ-OUT-001", logging.INFO, "message", "receiver", "attempts")
NOT_DELIVERED = _event("KZ-OUT-002", logging.WARNING, "message", "receiver", "attempts", "why", "retry_s")
PARKED = _event("KZ-OUT-003", logging.ERROR, "message", "receiver", "attempts", "why")
KEY_CLOSED = _event("KZ-KEY-001", logging.ERROR, "key", "kek", "why")
SEAL_BROKEN = _event("KZ-KEY-002", logging.ERROR, "key")
WORKER_STUMBLED = _event("KZ-OUT-004", logging.ERROR, "error")
LATE = _event("KZ-OUT-006", logging.ERROR, "subscription", "receiver", "priority", "events")
SUBSCRIPTION = _event("KZ-OUT-005", logging.WARNING, "subscription", "receiver", "status", "why")
CLOCK_STUMBLED = _event("KZ-CLK-001", logging.ERROR, "traject", "error")


_least = logging.INFO


def configure(level: str) -> None:
    """Write from this level up: `debug`, `info`, `warning` or `error`."""
    global _least  # noqa: PLW0603
    _least = logging.getLevelNamesMapping()[level.upper()]


def log(event: LogEvent, **fields: object) -> None:
    """Write a JSON line on standard error, with those of the fields that the event may carry."""
    if event.level < _least:
        return
    line = {
        "event": event.id,
        **{name: value for name, value in fields.items() if name in event.fields},
        "timestamp": datetime.now(UTC),
        "level": logging.getLevelName(event.level).lower(),
    }
    sys.stderr.write(f"{msgspec.json.encode(line, enc_hook=str).decode()}\n")
