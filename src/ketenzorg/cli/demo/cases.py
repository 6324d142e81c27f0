"""One referral of the demo, all that is made up about it; and the calendar that it lives on."""

from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple

from ketenzorg.cli.demo.people import Person
from ketenzorg.cli.demo.words import Question
from ketenzorg.pathway.calendar import AMSTERDAM, is_working_day
from ketenzorg.pathway.region import Organisation

Json = dict[str, Any]

# School holidays of the north: half of everybody is away. https://www.rijksoverheid.nl/onderwerpen/schoolvakanties
HOLIDAYS = (
    (date(2025, 7, 12), date(2025, 8, 24)),
    (date(2025, 10, 18), date(2025, 10, 26)),
    (date(2025, 12, 20), date(2026, 1, 4)),
    (date(2026, 2, 21), date(2026, 3, 1)),
    (date(2026, 4, 25), date(2026, 5, 3)),
    (date(2026, 7, 4), date(2026, 8, 16)),
    (date(2026, 10, 10), date(2026, 10, 18)),
)
AWAY = 0.5
PLANNED = 20  # working days: what is so far ahead is planned around the holidays


class Period(NamedTuple):
    """The simulated time that the demo fills."""

    begins: datetime
    today: datetime


class Case(NamedTuple):
    """One referral."""

    number: int
    pathway: str
    practice: Organisation
    person: Person
    question: Question
    at: datetime
    answers: dict[str, str]  # linkId -> text; what is not in it was not filled in
    only_contact_data: bool  # how far the consent goes
    debts: bool | None
    own_task: bool  # the practice's system sends a Consent, a PractitionerRole and a Task of its own

    @property
    def identifier(self) -> tuple[str, str]:
        """Under which the practice's system knows it."""
        return f"https://his.example/{self.practice.ura}/verwijzing", f"{self.at.year}-{self.number:05d}"


@cache
def is_holiday(day: date) -> bool:
    """In a school holiday."""
    return any(first <= day <= last for first, last in HOLIDAYS)


def office_hours(day: date, chance: Random) -> datetime:
    """A moment on this day."""
    return datetime.combine(day, time(chance.randint(8, 16), chance.randint(0, 59)), AMSTERDAM)


def working_days_later(moment: datetime, number: int, chance: Random) -> datetime:
    """So many days on which somebody works; in a holiday what is not planned takes longer."""
    day = moment.astimezone(AMSTERDAM).date()
    waits_for_holidays = number < PLANNED
    while number:
        day += timedelta(days=1)
        away = waits_for_holidays and is_holiday(day) and chance.random() < AWAY
        number -= is_working_day(day) and not away
    return office_hours(day, chance)
