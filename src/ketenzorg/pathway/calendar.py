"""Due moments: norms in hours, working days, days, weeks and months, on the calendar of Amsterdam.

Working days are Monday to Friday without the public holidays of the `holidays` library. Our choice, open to
the clinical owners: that list holds Good Friday, and 5 May only in the lustrum years (2025, 2030).
"""

import calendar as month_lengths
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import holidays
import msgspec

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
Unit = Literal["uur", "werkdagen", "dagen", "weken", "maanden"]

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


def due(start: datetime, amount: Amount) -> datetime:
    """The last moment still in time, in UTC: hours to the second, all others to the end of the day."""
    if start.tzinfo is None:
        raise ValueError("start must be aware")
    if amount.unit == "uur":
        # In UTC first: adding to local time would count the hour that a clock change skips.
        return start.astimezone(UTC) + timedelta(hours=amount.number)
    return _end_of_last_day(start.astimezone(AMSTERDAM).date(), amount)


def before(moment: datetime, amount: Amount) -> datetime:
    """This long before the moment, in UTC: hours to the second, all others to the start of the day.

    Three months before 31 May is 28 February: a value of that day is still not older than three months.
    """
    if amount.unit == "uur":
        return moment.astimezone(UTC) - timedelta(hours=amount.number)
    day = _last_day(local_day(moment), Amount(-amount.number, amount.unit))
    return datetime.combine(day, time.min, AMSTERDAM).astimezone(UTC)


def is_working_day(day: date) -> bool:
    """Monday to Friday, not a public holiday."""
    return day.weekday() < _SATURDAY and day not in _HOLIDAYS


def local_day(moment: datetime) -> date:
    """The day in Amsterdam at this moment."""
    return moment.astimezone(AMSTERDAM).date()


@lru_cache(maxsize=4096)  # all that begins on one day ends at the same moments
def _end_of_last_day(first: date, amount: Amount) -> datetime:
    return datetime.combine(_last_day(first, amount), _LAST_SECOND, AMSTERDAM).astimezone(UTC)


def _last_day(first: date, amount: Amount) -> date:
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
