"""Due moments: norms in hours, working days, days, weeks and months, on the calendar of Amsterdam.

Working days are Monday to Friday without the public holidays of the `holidays` library. Our choice, open to
the clinical owners: that list holds Good Friday, and 5 May only in the lustrum years (2025, 2030).
"""

import calendar as month_lengths
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import holidays
import msgspec

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Unit = Literal["uur", "werkdagen", "dagen", "weken", "maanden"]

MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip
_WORDS: dict[str, Unit] = {
    "uur": "uur",
    "werkdag": "werkdagen",
    "werkdagen": "werkdagen",
    "dag": "dagen",
    "dagen": "dagen",
    "week": "weken",
    "weken": "weken",
    "maand": "maanden",
    "maanden": "maanden",
}
_NAMES: dict[Unit, tuple[str, str, str]] = {
    "uur": ("uur", "uur", "hour"),
    "werkdagen": ("werkdag", "werkdagen", "working day"),
    "dagen": ("dag", "dagen", "day"),
    "weken": ("week", "weken", "week"),
    "maanden": ("maand", "maanden", "month"),
}
_AMOUNT = re.compile(r"([1-9][0-9]{0,3}) ([a-z]+)")
_LAST_SECOND = time(23, 59, 59)
_SATURDAY = 5
_MONTHS = 12
_YEARS = re.compile(r"([1-9][0-9]?) jaar")


class Amount(msgspec.Struct, frozen=True):
    """A length of time as a person says it: 2 weken."""

    number: int
    unit: Unit


def parse(text: str) -> Amount:
    """Reads "2 weken", "5 werkdagen", "24 uur", and "5 jaar" as 60 months; ValueError for anything else."""
    if years := _YEARS.fullmatch(text):
        return Amount(int(years[1]) * _MONTHS, "maanden")
    match = _AMOUNT.fullmatch(text)
    unit = _WORDS.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(text)
    return Amount(int(match[1]), unit)


def in_words(amount: Amount) -> tuple[str, str]:
    """In Dutch and in English: 12 maanden, 12 months; five years of months are 5 jaar."""
    number, unit = amount.number, amount.unit
    if unit == "maanden" and number > _MONTHS and number % _MONTHS == 0:
        return f"{number // _MONTHS} jaar", f"{number // _MONTHS} years"
    one, more, one_en = _NAMES[unit]
    return (f"1 {one}", f"1 {one_en}") if number == 1 else (f"{number} {more}", f"{number} {one_en}s")


def day_in_words(day: date) -> str:
    """12 januari 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def week_in_words(week: str) -> str:
    """2026-W03 as people say it: week 3 van 2026."""
    year, _, number = week.partition("-W")
    return f"week {int(number)} van {year}"


def due(start: datetime, amount: Amount) -> datetime:
    """The last moment still in time, in UTC: hours to the second, all others to the end of the day."""
    if start.tzinfo is None:
        raise ValueError("start must be aware")
    if amount.unit == "uur":
        # In UTC first: adding to local time would count the hour that a clock change skips.
        return start.astimezone(UTC) + timedelta(hours=amount.number)
    return _end_of_last_day(local_day(start), amount)


class Stop(msgspec.Struct, frozen=True):
    """A time in which the clock stood still: until `until`, or still, when that is None."""

    since: datetime
    until: datetime | None


def due_with_stops(start: datetime, amount: Amount, stops: Iterable[Stop]) -> datetime | None:
    """As `due`, moved by the time that the clock stood still; None while it stands still.

    Hours move by the time itself. Days and longer move by the days that began during the stop: a stop within
    one day costs no day; working days only by working days. A stop that begins after the last moment comes too
    late to move it.
    """
    last = due(start, amount)
    for since, until in _joined(start, stops):
        if since > last:
            break
        if until is None:
            return None
        last = _moved(last, since, until, amount)
    return last


def elapsed(start: datetime, end: datetime, stops: Iterable[Stop] = ()) -> timedelta:
    """The real time between the two without the stops; an hour that the clock change skips does not count."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)  # between local times Python counts by the clock
    total = max(end - start, timedelta(0))
    for since, until in _joined(start, stops):
        total -= max(min(until or end, end) - since, timedelta(0))
    return total


def working_days(start: datetime, end: datetime, stops: Iterable[Stop] = ()) -> int:
    """Working days after the day of `start` up to that of `end`, without those that began during a stop."""
    total = _working_days(local_day(start), local_day(end))
    for since, until in _joined(start, stops):
        total -= _working_days(local_day(since), local_day(min(until or end, end)))
    return max(total, 0)


def _moved(last: datetime, since: datetime, until: datetime, amount: Amount) -> datetime:
    if amount.unit == "uur":
        return last + (until - since)
    stopped_on, went_on = local_day(since), local_day(until)
    if amount.unit == "werkdagen":
        number = _working_days(stopped_on, went_on)
        return _end_of_last_day(local_day(last), Amount(number, "werkdagen")) if number else last
    return _end_of_last_day(local_day(last), Amount((went_on - stopped_on).days, "dagen"))


@lru_cache(maxsize=4096)
def _working_days(first: date, last: date) -> int:
    """Those after `first`, up to and with `last`."""
    return sum(is_working_day(first + timedelta(days=each)) for each in range(1, (last - first).days + 1))


def _joined(start: datetime, stops: Iterable[Stop]) -> list[tuple[datetime, datetime | None]]:
    """In order, from `start` on, and two that overlap as one: a side step may lie over another."""
    joined: list[tuple[datetime, datetime | None]] = []
    begin = start.astimezone(UTC)
    for stop in sorted(stops, key=lambda each: each.since.astimezone(UTC)):
        since = max(stop.since.astimezone(UTC), begin)
        until = stop.until.astimezone(UTC) if stop.until else None
        if until is not None and until <= since:
            continue
        if joined:
            before_since, before_until = joined[-1]
            if before_until is None:
                break
            if since <= before_until:
                joined[-1] = (before_since, None if until is None else max(until, before_until))
                continue
        joined.append((since, until))
    return joined


def before(moment: datetime, amount: Amount) -> datetime:
    """This long before the moment, in UTC: hours to the second, all others to the start of the day.

    Three months before 31 May is 28 February: a value of that day is still not older than three months.
    """
    if amount.unit == "uur":
        return moment.astimezone(UTC) - timedelta(hours=amount.number)
    return _start_of_day_before(local_day(moment), amount)


@lru_cache(maxsize=4096)
def _start_of_day_before(day: date, amount: Amount) -> datetime:
    first = last_day(day, Amount(-amount.number, amount.unit))
    return datetime.combine(first, time.min, AMSTERDAM).astimezone(UTC)


@lru_cache(maxsize=8192)
def is_working_day(day: date) -> bool:
    """Monday to Friday, not a public holiday."""
    return day.weekday() < _SATURDAY and day not in _HOLIDAYS


@lru_cache(maxsize=8192)
def local_day(moment: datetime) -> date:
    """The day in Amsterdam at this moment."""
    return moment.astimezone(AMSTERDAM).date()


@lru_cache(maxsize=4096)  # all that begins on one day ends at the same moments
def _end_of_last_day(first: date, amount: Amount) -> datetime:
    return datetime.combine(last_day(first, amount), _LAST_SECOND, AMSTERDAM).astimezone(UTC)


@lru_cache(maxsize=4096)
def last_day(first: date, amount: Amount) -> date:
    """The day on which this length ends."""
    match amount.unit:
        case "werkdagen":
            return _after_working_days(first, amount.number)
        case "maanden":
            return _after_months(first, amount.number)
        case "weken":
            return first + timedelta(weeks=amount.number)
        case _:
            return first + timedelta(days=amount.number)


def _after_working_days(day: date, number: int) -> date:
    """The day itself does not count: one working day after Friday is Monday, and before Monday Friday."""
    step = timedelta(days=1 if number > 0 else -1)
    for _ in range(abs(number)):
        day += step
        while not is_working_day(day):
            day += step
    return day


def _after_months(day: date, number: int) -> date:
    """The same day of a later month, or that month's last: one month after 31 January is 28 February."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 + number, _MONTHS)
    return date(year, month + 1, min(day.day, month_lengths.monthrange(year, month + 1)[1]))


_HOLIDAYS = holidays.country_holidays("NL")
