"""Every log event, its level, and the only fields that it may carry: what is not listed here is dropped.

No field holds a body, a URL, a name or a number of a person; ids are those that we make ourselves.
"""

import logging
import sys
from functools import cache
from typing import NamedTuple

import msgspec
import structlog


class LogEvent(NamedTuple):
    """A line of the log: a stable id, its level and its fields."""

    id: str
    level: int
    fields: frozenset[str]


def _event(id_: str, level: int, *fields: str) -> LogEvent:
    return LogEvent(id_, level, frozenset(fields))


REQUEST = _event("KZ-API-001", logging.INFO, "method", "route", "status", "ms", "client", "request")
CRASH = _event("KZ-API-002", logging.ERROR, "request", "error")
STARTED = _event("KZ-RUN-001", logging.INFO, "what", "version", "pathways")
STOPPED = _event("KZ-RUN-002", logging.INFO, "what")
DELIVERED = _event("KZ-OUT-001", logging.INFO, "message", "receiver", "attempts")
NOT_DELIVERED = _event("KZ-OUT-002", logging.WARNING, "message", "receiver", "attempts", "why", "retry_s")
PARKED = _event("KZ-OUT-003", logging.ERROR, "message", "receiver", "attempts", "why")
WORKER_STUMBLED = _event("KZ-OUT-004", logging.ERROR, "error")


def configure(level: str) -> None:
    """JSON lines on standard error, from this level up."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _logger.cache_clear()


def _as_json(line: object, **_: object) -> str:
    return msgspec.json.encode(line, enc_hook=str).decode()


@cache  # binding a logger costs more than the line
def _logger() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind()
    return logger


def log(event: LogEvent, **fields: object) -> None:
    """Write a line with those of the fields that the event may carry."""
    kept = {name: value for name, value in fields.items() if name in event.fields}
    _logger().log(event.level, event.id, **kept)
