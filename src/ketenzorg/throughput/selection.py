"""Whose figures, where and when: a choice of weeks, municipality and organisation, and what makes it too small."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from ketenzorg.pathway.calendar import week_in_words
from ketenzorg.throughput.facts import monday
from ketenzorg.throughput.small_groups import SMALLEST

USUAL_WEEKS = 52
RECENT_WEEKS = 13
BLOCK = 8  # weeks, which are counted together too
FIRST_BLOCK = date(2001, 1, 1)  # a Monday
DAY = timedelta(days=1)
WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)

Inflow: TypeAlias = Mapping[tuple[str, date], int]  # municipality, week -> trajecten that began


class Span(NamedTuple):
    """Days of which the counts are read per week or per block."""

    grain: str
    first: date
    last: date


class Period(msgspec.Struct, frozen=True):
    """Whole ISO weeks, named by their Mondays; both ends belong to it."""

    first: date
    last: date

    @property
    def weeks(self) -> int:
        return (self.last - self.first).days // 7 + 1

    @property
    def last_day(self) -> date:
        return self.last + timedelta(days=6)

    def recent(self) -> "Period | None":
        """The last quarter of a year of it; None when there are not two of those before it to compare with."""
        if self.weeks < RECENT_WEEKS * 3:
            return None
        return Period(self.last - timedelta(weeks=RECENT_WEEKS - 1), self.last)

    def before(self, later: "Period") -> "Period":
        """What of it comes before `later`."""
        return Period(self.first, later.first - timedelta(weeks=1))

    def longer(self) -> "Period":
        """Twice as long, with the same end."""
        return Period(self.first - timedelta(weeks=self.weeks), self.last)

    def ending(self, last: date) -> "Period":
        """As long, with another end."""
        return Period(last - (self.last - self.first), last)

    def spans(self, week: str, block: str = "") -> "list[Span]":
        """The blocks of eight weeks that lie in it whole, and the weeks around them; weeks only, with no block."""
        begin, after = _block_of(self.first + timedelta(weeks=BLOCK - 1)), _block_of(self.last_day + DAY)
        if not block or begin >= after:
            return [Span(week, self.first, self.last)]
        edges = [
            Span(week, self.first, begin - DAY),
            Span(block, begin, after - DAY),
            Span(week, after, self.last_day),
        ]
        return [span for span in edges if span.first <= span.last]

    def pieces(self, weeks: int) -> Iterator["Period"]:
        """Cut into so many weeks each, the last one whole."""
        first = self.last - timedelta(weeks=weeks * -(-self.weeks // weeks) - 1)
        while first <= self.last:
            last = first + timedelta(weeks=weeks - 1)
            yield Period(max(first, self.first), last)
            first = last + timedelta(weeks=1)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody chose to look at."""

    pathway: str
    period: Period
    municipality: str | None = None  # CBS code
    organisation: UUID | None = None  # as requester or as owner


def _block_of(monday: date) -> date:
    """As block_of in the database."""
    return monday - timedelta(days=(monday - FIRST_BLOCK).days % (7 * BLOCK))


def usual_period(today: date) -> Period:
    """The last year, this week included."""
    last = monday(today)
    return Period(last - timedelta(weeks=USUAL_WEEKS - 1), last)


def read_week(text: str) -> date | None:
    """The Monday of "2026-W03"; None when there is no such week."""
    found = WEEK.fullmatch(text)
    if found is None:
        return None
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        return None


def week_text(day: date) -> str:
    """The ISO week of a day, as read_week reads it."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def widened(asked: Selection, inflow: Inflow) -> Selection:
    """The same choice, made larger until it is about ten trajecten or more, or nothing is left to add.

    First the period, twice as long each time; then the region in place of the municipality. Then the period begins and
    ends where every two periods that can be had of this choice differ by ten trajecten: who asks for many periods, each
    a week longer than the one before, learns nothing of a week in which few began.
    """
    chosen = _large_enough(asked, inflow)
    if chosen is None:
        return asked
    return msgspec.structs.replace(chosen, period=_between_marks(chosen, inflow))


def _large_enough(asked: Selection, inflow: Inflow) -> Selection | None:
    begun = min((week for _, week in inflow), default=asked.period.first)
    for municipality in dict.fromkeys((asked.municipality, None)):
        chosen = msgspec.structs.replace(asked, municipality=municipality)
        while _size(chosen, inflow) < SMALLEST and chosen.period.first > begun:
            chosen = msgspec.structs.replace(chosen, period=chosen.period.longer())
        if _size(chosen, inflow) >= SMALLEST:
            return chosen
    return None


def _between_marks(chosen: Selection, inflow: Inflow) -> Period:
    """From the last mark at or before its begin to the first mark at or after its end.

    There is a mark after every ten trajecten, counted from the first one of this choice; weeks before that one are
    free, and the last mark is where the newest week ends.
    """
    weeks: Counter[date] = Counter()
    for (municipality, week), trajecten in inflow.items():
        if chosen.municipality in (None, municipality):
            weeks[week] += trajecten
    marks: list[date] = []  # Mondays on which a period may begin
    since = 0  # trajecten since the last one
    for week in sorted(weeks):
        if not marks or since >= SMALLEST:
            marks.append(week)
            since = 0
        since += weeks[week]
    if since < SMALLEST and len(marks) > 1:
        marks.pop()  # what came after it is too little to be had alone
    first, last = chosen.period.first, chosen.period.last
    if first > marks[0]:
        first = max(mark for mark in marks if mark <= first)
    ends = (mark - timedelta(weeks=1) for mark in marks[1:])
    newest = max(last, *weeks)
    return Period(first, min((end for end in ends if end >= last), default=newest))


def _size(selection: Selection, inflow: Inflow) -> int:
    return sum(
        trajecten
        for (municipality, week), trajecten in inflow.items()
        if selection.municipality in (None, municipality)
        and selection.period.first <= week <= selection.period.last
    )


def why_widened(asked: Selection, used: Selection) -> str:
    """What was made larger, in plain Dutch; empty when nothing was."""
    parts = []
    if used.period != asked.period:
        parts.append(f"de periode {_week(used.period.first)} tot en met {_week(used.period.last)}")
    if used.municipality != asked.municipality:
        parts.append("de hele regio")
    if not parts:
        return ""
    why = "Uw keuze, of het verschil met een keuze die er op lijkt, gaat over minder dan 10 trajecten."
    return f"{why} Daarom ziet u {' en '.join(parts)}."


def _week(day: date) -> str:
    return week_in_words(week_text(day))
