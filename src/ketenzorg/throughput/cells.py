"""The counts of a selection, read from the cells and gathered so that figures can be made of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from ketenzorg.throughput import facts
from ketenzorg.throughput.facts import (
    CLOCK,
    DUE,
    IN,
    LATE,
    MET,
    OPEN_STAY,
    OUT,
    STAY,
    STOPPED,
    STOPPED_LATE,
    late_from,
)
from ketenzorg.throughput.figures import Waiting
from ketenzorg.throughput.lanes import lanes, read, total, turned
from ketenzorg.throughput.selection import Period
from ketenzorg.throughput.small_groups import SMALLEST, Share, share, shown
from ketenzorg.throughput.survival import percentiles

WEEK = 7  # days
LEFT = ""  # the outcome of a stay: there is only one
WAITS, WAITS_LATE = "waits", "waits-late"  # outcomes of what is open
CENSORED = (STOPPED, STOPPED_LATE, WAITS, WAITS_LATE)
NOT_IN_TIME = (LATE, STOPPED_LATE, WAITS_LATE)


class Lengths:
    """How many took how many days, per outcome; each histogram is one number of ketenzorg.throughput.lanes."""

    def __init__(self) -> None:
        self.took: dict[str, int] = defaultdict(int)
        self.firsts = 0

    def add(self, outcome: str, numbers: int, *, first: bool) -> None:
        self.took[outcome] += numbers
        if first:
            self.firsts += numbers

    def add_all(self, other: "Lengths") -> None:
        for outcome, numbers in other.took.items():
            self.took[outcome] += numbers
        self.firsts += other.firsts

    def trajecten(self) -> int:
        return total(self.firsts)

    def waiting(self) -> Waiting:
        """The percentiles, with who still waits counted in."""
        trajecten = self.trajecten()
        if trajecten < SMALLEST:
            return Waiting(None)
        ended, censored = self._of(LEFT, MET, LATE), self._of(*CENSORED)
        return Waiting(shown(trajecten), *percentiles(lanes(ended), lanes(censored), (0.5, 0.8, 0.9)))

    def within(self) -> Share:
        """What part was in time."""
        in_time = total(self._of(MET))
        return share(in_time, in_time + total(self._of(*NOT_IN_TIME)), self.trajecten())

    def days(self) -> int:
        return sum(days * n for days, n in enumerate(lanes(self._of(*self.took))))

    def _of(self, *outcomes: str) -> int:
        return sum(self.took.get(outcome, 0) for outcome in outcomes)


@dataclass
class Ends:
    """How many trajecten ended in one way, in one week."""

    n: int
    trajecten: int
    exit: str
    reason: str
    feedback: bool


@dataclass
class Counts:
    """Everything of one place, or of all places, or of one week."""

    lengths: dict[tuple[str, str], Lengths] = field(default_factory=lambda: defaultdict(Lengths))
    open_now: Counter[str] = field(default_factory=Counter)  # step
    late_in_step: Counter[str] = field(default_factory=Counter)
    late_of_norm: Counter[str] = field(default_factory=Counter)
    came: Counter[date] = field(default_factory=Counter)
    came_first: Counter[date] = field(default_factory=Counter)
    went: dict[date, list[Ends]] = field(default_factory=lambda: defaultdict(list))
    went_together: Counter[date] = field(default_factory=Counter)

    def add(self, other: "Counts") -> None:
        for key, lengths in other.lengths.items():
            self.lengths[key].add_all(lengths)
        self.open_now.update(other.open_now)
        self.late_in_step.update(other.late_in_step)
        self.late_of_norm.update(other.late_of_norm)
        self.came.update(other.came)
        self.came_first.update(other.came_first)
        for week, ends in other.went.items():
            self.went[week] += ends
        self.went_together.update(other.went_together)

    def inflow(self, period: Period) -> int | None:
        return shown(_in(self.came, period), _in(self.came_first, period))

    def ends(self, period: Period) -> list[Ends]:
        return [
            each for week, ends in self.went.items() if period.first <= week <= period.last for each in ends
        ]

    def outflow(self, period: Period) -> int | None:
        ends = self.ends(period)
        return shown(sum(each.n for each in ends), sum(each.trajecten for each in ends))

    def open_at_end(self, period: Period) -> int | None:
        """All that ever came, less all that ever went."""
        came = sum(n for week, n in self.came.items() if week <= period.last)
        went = sum(n for week, n in self.went_together.items() if week <= period.last)
        return shown(came - went)

    def total_open(self) -> int | None:
        return shown(self.open_now.total())

    def total_late(self) -> int | None:
        return shown(self.late_in_step.total())


class Gathering:
    """Counts per place: a municipality, an organisation or a week."""

    def __init__(self, period: Period, today: date) -> None:
        self.places: dict[Any, Counts] = defaultdict(Counts)
        self._first, self._last, self._today = period.first, min(period.last_day, today), today

    def add(self, rows: Iterable[Any], by: str) -> None:
        """The rows of read_counts; a place is what stands in this column."""
        for row in rows:
            counts, kind, numbers = self.places[row[by]], row["kind"], read(row["numbers"])
            if kind in (STAY, CLOCK):
                counts.lengths[kind, row["name"]].add(row["outcome"], numbers, first=row["first"])
            elif kind in (IN, OUT):
                _flow(row, lanes(numbers), counts)
            elif kind == DUE:
                late = lanes(numbers)[: (self._today - row["day"]).days + 1]
                counts.late_in_step[row["name"]] += sum(late)
            else:
                self._open(row, lanes(numbers), counts)

    def add_weeks(self, rows: Iterable[Any]) -> None:
        """The clocks in rows of read_counts; a place is the week in which they began."""
        for row in rows:
            key, day, numbers = (CLOCK, row["name"]), row["day"], read(row["numbers"])
            if row["kind"] == CLOCK:
                self.places[day].lengths[key].add(row["outcome"], numbers, first=row["first"])
                continue
            values = lanes(numbers)
            for start in range(-day.weekday(), len(values), WEEK):
                monday = day + timedelta(days=start)
                within = (max(self._first, monday), min(self._last, monday + timedelta(days=WEEK - 1)))
                self._waiting(row, values, within, self.places[monday].lengths[key])

    def _open(self, row: Any, values: list[int], counts: Counts) -> None:
        kind, name = row["kind"], row["name"]
        if kind == OPEN_STAY:
            counts.open_now[name] += sum(values)
        else:
            late = (_late_when_begun_by(row["detail"], self._today) - row["day"]).days + 1
            counts.late_of_norm[name] += sum(values[: max(0, late)])
        lengths = counts.lengths[kind.removeprefix("open-"), name]
        self._waiting(row, values, (self._first, self._last), lengths)

    def _waiting(self, row: Any, values: list[int], within: tuple[date, date], into: Lengths) -> None:
        """Who began on a day within these two, followed until today; late apart from not late."""
        year, (start, end), max_ = row["day"], within, row["detail"]
        late_end = min(end, _late_when_begun_by(max_, self._today)) if max_ else start - timedelta(days=1)
        for outcome, low, high in (
            (WAITS_LATE, start, late_end),
            (WAITS, max(start, late_end + timedelta(days=1)), end),
        ):
            at = max(0, (low - year).days)
            piece = values[at : max(0, (high - year).days + 1)]
            if any(piece):
                last = year + timedelta(days=at + len(piece) - 1)
                into.add(outcome, turned(piece, (self._today - last).days), first=row["first"])


@lru_cache(maxsize=1_000)
def _late_when_begun_by(max_: str, today: date) -> date:
    """The last day of beginning with which a norm is too late today; earlier days are too, as due days only rise."""
    day = today
    while late_from(day, max_) > today:
        day -= timedelta(days=1)
    return day


def _flow(row: Any, values: list[int], counts: Counts) -> None:
    """What came or went in each week of a year."""
    told_back = row["outcome"] == facts.WITH_FEEDBACK
    for place, n in enumerate(values):
        if not n:
            continue
        week, firsts = row["day"] + timedelta(weeks=place), n if row["first"] else 0
        if row["kind"] == IN:
            counts.came[week] += n
            counts.came_first[week] += firsts
        else:
            counts.went_together[week] += n
            counts.went[week].append(Ends(n, firsts, row["name"], row["detail"], told_back))


def _in(numbers: Counter[date], period: Period) -> int:
    return sum(n for week, n in numbers.items() if period.first <= week <= period.last)


def together(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts."""
    whole = Counts()
    for part in parts:
        whole.add(part)
    return whole
