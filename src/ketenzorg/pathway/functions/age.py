"""Age in whole years on a day in Amsterdam, also when only the year or the month of birth is known."""

from datetime import date, datetime
from decimal import Decimal

from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.facts import Day, Number
from ketenzorg.pathway.units import MEASURES


def age(geboortedatum: Day, nu: datetime) -> Number:
    """Whole years; who was born on 29 February is a year older on 1 March of other years.

    Born in 1960 and no more than that is, in 2026, 65 or 66: a range. A date of birth in the future stays
    below zero, which no function takes.
    """
    today, limits = local_day(nu), MEASURES["leeftijd"]
    youngest = oldest = _years(geboortedatum.last, today)
    if geboortedatum.first != geboortedatum.last:
        oldest = _years(geboortedatum.first, today)
    if youngest == oldest:
        return Number.of(youngest, limits.unit)
    return Number(
        max(Decimal(youngest), limits.low), max(min(Decimal(oldest), limits.high), limits.low), limits.unit
    )


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
