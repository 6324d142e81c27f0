"""The counts of a selection, read from the cells and gathered so that figures can be made of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ketenzorg.throughput import facts
from ketenzorg.throughput.facts import CLOCK, DUE, IN, LATE, OPEN_CLOCK, OPEN_STAY, OUT, STAY, STOPPED_LATE
from ketenzorg.throughput.figures import Waiting
from ketenzorg.throughput.selection import Period
from ketenzorg.throughput.small_groups import SMALLEST, Share, share, shown
from ketenzorg.throughput.survival import percentile


@dataclass
class Lengths:
    """How long a stay or a clock took: of those that ended, and up to when the others were followed."""

    ended: Counter[int] = field(default_factory=Counter)
    censored: Counter[int] = field(default_factory=Counter)
    trajecten: int = 0
    in_time: int = 0
    too_late: int = 0

    def add(self, other: "Lengths") -> None:
        self.ended.update(other.ended)
        self.censored.update(other.censored)
        self.trajecten += other.trajecten
        self.in_time += other.in_time
        self.too_late += other.too_late

    def waiting(self) -> Waiting:
        """The percentiles, with who still waits counted in."""
        if self.trajecten < SMALLEST:
            return Waiting(None)
        median, p80, p90 = (percentile(self.ended, self.censored, each) for each in (0.5, 0.8, 0.9))
        return Waiting(shown(self.trajecten), median, p80, p90)

    def within(self) -> Share:
        """What part was in time."""
        return share(self.in_time, self.in_time + self.too_late, self.trajecten)

    def days(self) -> int:
        return sum(days * n for lengths in (self.ended, self.censored) for days, n in lengths.items())


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

    def add_row(self, row: Any) -> None:
        """One row of read_counts."""
        kind, name, outcome = row["kind"], row["name"], row["outcome"]
        n, firsts = sum(row["n"]), sum(row["firsts"])
        if kind == IN:
            self.came[row["week"]] += n
            self.came_first[row["week"]] += firsts
        elif kind == OUT:
            told_back = outcome == facts.WITH_FEEDBACK
            self.went[row["week"]].append(Ends(n, firsts, name, row["detail"], told_back))
        elif kind == DUE:
            self.late_in_step[name] += n if outcome == LATE else 0
        else:
            if kind == OPEN_STAY:
                self.open_now[name] += n
            if kind == OPEN_CLOCK and outcome == LATE:
                self.late_of_norm[name] += n
            self._add_lengths(row)

    def _add_lengths(self, row: Any) -> None:
        kind, outcome = row["kind"], row["outcome"]
        lengths = self.lengths[kind.removeprefix("open-"), row["name"]]
        ended = kind == STAY or (kind == CLOCK and outcome in (facts.MET, LATE))
        into = lengths.ended if ended else lengths.censored
        for days, n, firsts in zip(row["days"], row["n"], row["firsts"], strict=True):
            if days < 0:  # open, from before the period: only the number counts
                continue
            into[days] += n
            lengths.trajecten += firsts
            if outcome == facts.MET:
                lengths.in_time += n
            elif outcome in (LATE, STOPPED_LATE) and kind != OPEN_STAY:
                lengths.too_late += n

    def add(self, other: "Counts") -> None:
        for key, lengths in other.lengths.items():
            self.lengths[key].add(lengths)
        for mine, theirs in (
            (self.open_now, other.open_now),
            (self.late_in_step, other.late_in_step),
            (self.late_of_norm, other.late_of_norm),
        ):
            mine.update(theirs)
        self.came.update(other.came)
        self.came_first.update(other.came_first)
        for week, ends in other.went.items():
            self.went[week] += ends

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
        went = sum(each.n for week, ends in self.went.items() if week <= period.last for each in ends)
        return shown(came - went)

    def total_open(self) -> int | None:
        return shown(self.open_now.total())

    def total_late(self) -> int | None:
        return shown(self.late_in_step.total())


def _in(numbers: Counter[date], period: Period) -> int:
    return sum(n for week, n in numbers.items() if period.first <= week <= period.last)


def gathered(rows: Iterable[Any], by: str) -> dict[Any, Counts]:
    """The rows of read_counts, by one of its columns."""
    found: dict[Any, Counts] = defaultdict(Counts)
    for row in rows:
        found[row[by]].add_row(row)
    return found


def together(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts."""
    whole = Counts()
    for part in parts:
        whole.add(part)
    return whole
