"""The counts of a selection, read from the cells and gathered so that figures can be made of them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from ketenzorg.throughput import facts
from ketenzorg.throughput.facts import (
    CLOCK,
    DUE,
    DUE_CLOCK,
    EARLY,
    IN,
    LATE,
    MET,
    OPEN_STAY,
    OUT,
    SAID,
    STAY,
    STOPPED,
    STOPPED_LATE,
    STOPPED_PAST,
    early_of,
    late_from,
    max_of,
)
from ketenzorg.throughput.figures import Waiting
from ketenzorg.throughput.lanes import lanes, read, some, total, turned
from ketenzorg.throughput.selection import Period
from ketenzorg.throughput.small_groups import HIDDEN, SMALLEST, Share, shown, shown_part
from ketenzorg.throughput.survival import percentiles, share_in_time

WEEK = 7  # days
DAYS_IN_YEAR = 366
RECENT = 1  # the last part of a period, in the rows of read_counts
LEFT = ""  # the outcome of a stay: there is only one
WAITS, WAITS_PAST, WAITS_LATE = "waits", "waits-past", "waits-late"  # outcomes of what is open
ANSWERED = (LEFT, EARLY, MET, LATE)
CENSORED = (STOPPED, STOPPED_PAST, STOPPED_LATE, WAITS, WAITS_PAST, WAITS_LATE)
# Of the maximum, and of the time of the share: in time, still with time left when they were last seen, and not in time.
OF_MAX = ((EARLY, MET), (STOPPED, STOPPED_PAST, WAITS, WAITS_PAST), (LATE, STOPPED_LATE, WAITS_LATE))
OF_SHARE = (
    (EARLY,),
    (STOPPED, WAITS),
    (MET, LATE, STOPPED_PAST, STOPPED_LATE, WAITS_PAST, WAITS_LATE),
)


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
        ended, censored = self._of(*ANSWERED), self._of(*CENSORED)
        return Waiting(shown(trajecten), *percentiles(lanes(ended), lanes(censored), (0.5, 0.8, 0.9)))

    def less(self, other: "Lengths") -> "Lengths":
        """Without `other`, which is a part of this."""
        left = Lengths()
        left.add_all(self)
        for outcome, numbers in other.took.items():
            left.took[outcome] -= numbers
        left.firsts -= other.firsts
        return left

    def within(self) -> Share:
        """What part is answered before its maximum."""
        return self._in_time(OF_MAX)

    def early(self) -> Share:
        """What part is answered in the time of the share of a norm that has one."""
        return self._in_time(OF_SHARE)

    def _in_time(self, of: tuple[tuple[str, ...], ...]) -> Share:
        in_time, with_time_left, late = (self._of(*outcomes) for outcomes in of)
        known = total(in_time) + total(late)
        if min(known, self.trajecten()) < SMALLEST:
            return HIDDEN
        return shown_part(share_in_time(lanes(in_time), lanes(with_time_left), total(late)), known)

    def days(self) -> int:
        return sum(days * n for days, n in enumerate(lanes(self._of(*self.took))))

    def _of(self, *outcomes: str) -> int:
        return sum(self.took.get(outcome, 0) for outcome in outcomes)


class Flow:
    """How many came or went in each week: per ISO year a number with the weeks as places."""

    def __init__(self) -> None:
        self._all: dict[date, int] = defaultdict(int)
        self._firsts: dict[date, int] = defaultdict(int)

    def add(self, year: date, numbers: int, *, first: bool) -> None:
        self._all[year] += numbers
        if first:
            self._firsts[year] += numbers

    def add_all(self, other: "Flow") -> None:
        for year, numbers in other._all.items():
            self._all[year] += numbers
        for year, numbers in other._firsts.items():
            self._firsts[year] += numbers

    def n(self, first: date, last: date) -> int:
        return _weeks(self._all, first, last)

    def trajecten(self, first: date, last: date) -> int:
        return _weeks(self._firsts, first, last)

    def firsts_by_week(self) -> dict[date, int]:
        return {
            year + timedelta(weeks=place): n
            for year, numbers in self._firsts.items()
            for place, n in enumerate(lanes(numbers))
            if n
        }

    def shown(self, period: Period) -> int | None:
        return shown(self.n(period.first, period.last), self.trajecten(period.first, period.last))


def _weeks(years: dict[date, int], first: date, last: date) -> int:
    """Of the weeks from `first` to `last`."""
    found = 0
    for year, numbers in years.items():
        low, high = (first - year).days // WEEK, (last - year).days // WEEK + 1
        found += total(some(numbers, low, high))
    return found


class End(NamedTuple):
    """One way in which a traject ends."""

    exit: str
    reason: str | None  # None: not told apart
    feedback: bool


@dataclass
class Counts:
    """Everything of one place, or of all places, or of one week."""

    lengths: dict[tuple[str, str], Lengths] = field(default_factory=lambda: defaultdict(Lengths))
    open_now: Counter[str] = field(default_factory=Counter)  # step
    late_in_step: Counter[str] = field(default_factory=Counter)
    waits_for_norm: Counter[str] = field(default_factory=Counter)
    late_of_norm: Counter[str] = field(default_factory=Counter)
    # Of what began in the last part of the period; these stand in `lengths` too.
    recent: dict[str, Lengths] = field(default_factory=lambda: defaultdict(Lengths))
    came: Flow = field(default_factory=Flow)
    went: dict[End, Flow] = field(default_factory=lambda: defaultdict(Flow))
    said: dict[str, Flow] = field(
        default_factory=lambda: defaultdict(Flow)
    )  # code: what patients thought of it

    def add(self, other: "Counts") -> None:
        for key, lengths in other.lengths.items():
            self.lengths[key].add_all(lengths)
        self.open_now.update(other.open_now)
        self.late_in_step.update(other.late_in_step)
        self.waits_for_norm.update(other.waits_for_norm)
        self.late_of_norm.update(other.late_of_norm)
        for name, lengths in other.recent.items():
            self.recent[name].add_all(lengths)
        self.came.add_all(other.came)
        for end, flow in other.went.items():
            self.went[end].add_all(flow)
        for code, flow in other.said.items():
            self.said[code].add_all(flow)

    def with_lengths_of(self, other: "Counts") -> "Counts":
        """What came, went and is open here, with the stays and clocks that were read in one go for all places."""
        return replace(
            self,
            lengths=other.lengths,
            recent=other.recent,
            waits_for_norm=other.waits_for_norm,
            late_of_norm=other.late_of_norm,
        )

    def gone(self, wanted: Callable[[End], bool] = lambda _: True) -> Flow:
        """All that ended in one of these ways."""
        together = Flow()
        for end, flow in self.went.items():
            if wanted(end):
                together.add_all(flow)
        return together

    def total_open(self) -> int | None:
        return shown(self.open_now.total())

    def total_late(self) -> int | None:
        return shown(self.late_in_step.total())


class Gathering:
    """Counts per place: a municipality, an organisation or a week."""

    def __init__(
        self, period: Period, today: date, recent: date = date.max, *, with_stays: bool = True
    ) -> None:
        """`recent` is the Monday from which on a beginning is in the last part of the period.

        Without stays it is not told how long each step takes: of a year in many places that is most of the work.
        """
        self.places: dict[Any, Counts] = defaultdict(Counts)
        self._first, self._last, self._today = period.first, min(period.last_day, today), today
        self._recent = recent
        self._with_stays = with_stays

    def add(self, rows: Iterable[Any], by: str) -> None:
        """The rows of read_counts; a place is what stands in this column."""
        for row in rows:
            counts, kind, name = self.places[row[by]], row["kind"], row["name"]
            numbers = read(row["numbers"])
            if kind in (STAY, CLOCK):
                counts.lengths[kind, name].add(row["outcome"], numbers, first=row["first"])
                if kind == CLOCK and row["part"] == RECENT:
                    counts.recent[name].add(row["outcome"], numbers, first=row["first"])
            elif kind == IN:
                counts.came.add(row["day"], numbers, first=row["first"])
            elif kind == OUT:
                end = End(name, row["detail"], row["outcome"] == facts.WITH_FEEDBACK)
                counts.went[end].add(row["day"], numbers, first=row["first"])
            elif kind == SAID:
                counts.said[name].add(row["day"], numbers, first=row["first"])
            elif kind == DUE:
                counts.late_in_step[name] += self._until(numbers, row["day"], self._today)
            elif kind == DUE_CLOCK:
                counts.late_of_norm[name] += self._until(numbers, row["day"], self._today)
            else:
                self._open(row, numbers, counts)

    def add_weeks(self, rows: Iterable[Any]) -> None:
        """The clocks in rows of read_counts; a place is the week in which they began."""
        for row in rows:
            key, day, numbers = (CLOCK, row["name"]), row["day"], read(row["numbers"])
            if row["kind"] == CLOCK:
                self.places[day].lengths[key].add(row["outcome"], numbers, first=row["first"])
                continue
            for monday in self._mondays(day):
                start = (monday - day).days
                if not some(numbers, start, start + WEEK):
                    continue
                within = (max(self._first, monday), min(self._last, monday + timedelta(days=WEEK - 1)))
                self._waiting(row, numbers, within, self.places[monday].lengths[key])

    def _mondays(self, year: date) -> Iterator[date]:
        """Of the weeks of the period that have a day in this year."""
        monday = max(year, self._first)
        monday -= timedelta(days=monday.weekday())
        while monday <= self._last and monday.year <= year.year:
            yield monday
            monday += timedelta(days=WEEK)

    def _open(self, row: Any, numbers: int, counts: Counts) -> None:
        kind, name = row["kind"], row["name"]
        if kind == OPEN_STAY:
            counts.open_now[name] += total(numbers)
            if not self._with_stays:
                return
        else:
            counts.waits_for_norm[name] += total(numbers)
            if self._recent <= self._last:
                self._waiting(row, numbers, (self._recent, self._last), counts.recent[name])
        lengths = counts.lengths[kind.removeprefix("open-"), name]
        self._waiting(row, numbers, (self._first, self._last), lengths)

    def _until(self, numbers: int, year: date, last: date) -> int:
        return total(some(numbers, 0, (last - year).days + 1))

    def _waiting(self, row: Any, numbers: int, within: tuple[date, date], into: Lengths) -> None:
        """Who began on a day within these two, followed until today; by what of their norm is over."""
        year, (start, end), limits = row["day"], within, row["detail"]
        before = start - timedelta(days=1)
        late = min(end, _late_when_begun_by(max_of(limits), self._today)) if limits else before
        early = early_of(limits)
        past = min(end, _late_when_begun_by(early, self._today)) if early else late
        for outcome, low, high in (
            (WAITS_LATE, start, late),
            (WAITS_PAST, max(start, late + timedelta(days=1)), past),
            (WAITS, max(start, past + timedelta(days=1)), end),
        ):
            first, last = max(0, (low - year).days), min(DAYS_IN_YEAR - 1, (high - year).days)
            piece = some(numbers, first, last + 1)
            if piece:
                ages = turned(piece, last - first, (self._today - year).days - last)
                into.add(outcome, ages, first=row["first"])


@lru_cache(maxsize=1_000)
def _late_when_begun_by(length: str, today: date) -> date:
    """The last day of beginning with which this length is over today; earlier days are too, as due days only rise."""
    day = today
    while late_from(day, length) > today:
        day -= timedelta(days=1)
    return day


def together(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts."""
    whole = Counts()
    for part in parts:
        whole.add(part)
    return whole
