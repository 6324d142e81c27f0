"""A FHIR date or dateTime as the period that it means. https://hl7.org/fhir/R4/search.html#date"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")  # a date without a zone is a day here
_YEAR, _MONTH, _DAY = len("2026"), len("2026-03"), len("2026-03-01")
_DECEMBER = 12
_SECONDS = len("2026-03-01T09:30:00")
_END = datetime(9999, 12, 31, tzinfo=UTC)  # in every zone still a date that Python knows
_LEAP_SECOND = re.compile(r"(T[0-9]{2}:[0-9]{2}):60")


class _Bounds(NamedTuple):
    low: datetime
    high: datetime


class Period(_Bounds):
    """From `low` up to, not including, `high`; both aware, in UTC."""

    EARLIEST: ClassVar[datetime] = datetime(1, 1, 2, tzinfo=UTC)
    LATEST: ClassVar[datetime] = datetime(9999, 12, 30, tzinfo=UTC)


@lru_cache(maxsize=1024)  # the moments of one write stand in several of its resources
def period_of(text: str) -> Period:
    """The period of a year, month, day, or instant.

    Raises ValueError when it is none of these.

    >>> period_of("2026-03").low.isoformat()
    '2026-02-28T23:00:00+00:00'
    """
    if len(text) <= _DAY:
        return _of_days(*_days(text))
    moment = _in_utc(text)
    if "." in text:
        return Period(moment, moment + timedelta(microseconds=1))
    return Period(moment, moment + timedelta(seconds=1 if text.count(":", 0, _SECONDS) > 1 else 60))


def moment_of(text: str) -> datetime:
    """The moment of an instant, in UTC; of a year, a month or a day its beginning. Raises ValueError as `period_of`."""
    return period_of(text).low


def _in_utc(text: str) -> datetime:
    # 23:59:60 is a leap second: the last instant that Python knows before it.
    moment = datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return min(moment.astimezone(UTC), _END)
    except OverflowError:  # the other side of one of the ends of time
        return _END if moment.year == _END.year else _midnight(date.min)


def _days(text: str) -> tuple[date, date]:
    if len(text) == _YEAR:
        return date(int(text), 1, 1), _first_of(int(text) + 1, 1)
    if len(text) == _MONTH:
        first = date.fromisoformat(f"{text}-01")
        return first, _first_of(first.year + first.month // _DECEMBER, first.month % _DECEMBER + 1)
    first = date.fromisoformat(text)
    return first, min(first, date.max - timedelta(days=1)) + timedelta(days=1)


def _first_of(year: int, month: int) -> date:
    return date(year, month, 1) if year <= date.max.year else date.max


def _of_days(first: date, after: date) -> Period:
    return Period(_midnight(first), _midnight(after))


def _midnight(day: date) -> datetime:
    if day.year in (date.min.year, date.max.year):  # the ends of time have no room for a zone
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM).astimezone(UTC)
