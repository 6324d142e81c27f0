"""Measurements over time: sorted, the newest that is young enough, and everything that makes them doubtful named.

A FHIR date may be a year, a month or a day: such a measurement was made somewhere in that time. It is used only
for what holds wherever in that time it was; what hangs on the rest is named. Problems name places, not values.
"""

import calendar as month_lengths
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.fhir.dates import moment_of, period_of
from ketenzorg.pathway.calendar import Amount, before, in_words
from ketenzorg.pathway.units import LOINC, NHG45, Code

# Conflict 8 of chapter 8: mixing formulas gives a progression that is not there, so the formula stays with the
# value. NHG 3583 says CKD-EPI without a year; both source lists put it with 62238-1, the formula of 2009.
FORMULAS: dict[Code, str] = {
    (LOINC, "62238-1"): "CKD-EPI 2009",
    (LOINC, "98979-8"): "CKD-EPI 2021",
    (NHG45, "3583"): "CKD-EPI 2009",
}


class Moment(msgspec.Struct, frozen=True, gc=False):
    """Some time from `first` to `last` (aware, UTC); the same for an instant."""

    first: datetime
    last: datetime


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One value in the measure's own unit; `place` is where it stood, for naming it."""

    at: Moment
    value: Decimal
    formula: str = ""  # of an eGFR: one of FORMULAS, empty when it is not said
    place: str = ""


class Series(msgspec.Struct, frozen=True, tag="reeks", gc=False):
    """Measurements of one kind, oldest first, and what was found wrong with them."""

    points: tuple[Measurement, ...]
    problems: tuple[Issue, ...] = ()
    missing: tuple[str, ...] = ()


class Newest(msgspec.Struct, frozen=True, gc=False):
    """The value to use, or none and why not."""

    found: Measurement | None
    problems: tuple[Issue, ...] = ()


_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@lru_cache(maxsize=8192)
def moment(text: str) -> Moment:
    """Reads a FHIR date, dateTime or instant; a time without a zone, or nonsense, is a ValueError."""
    partial = _PARTIAL.fullmatch(text)
    if partial is None:
        at = moment_of(text)
        return Moment(at, at)
    first, last = (period_of(day.isoformat()) for day in day_limits(text))
    return Moment(first.low, max(last.low, last.high - timedelta(microseconds=1)))


def day_limits(text: str) -> tuple[date, date]:
    """The first and the last day that a FHIR date can mean: of 2024-02 the 1st and the 29th."""
    partial = _PARTIAL.fullmatch(text)
    if partial is None:
        raise ValueError("not a date")
    year, month, day = (int(part) if part else None for part in partial.groups())
    if year is None or month is None:
        return date(int(partial[1]), 1, 1), date(int(partial[1]), 12, 31)
    if day is None:
        return date(year, month, 1), date(year, month, month_lengths.monthrange(year, month)[1])
    return date(year, month, day), date(year, month, day)


def series(measurements: Iterable[Measurement], now: datetime, *, with_formula: bool = False) -> Series:
    """Sorted by time and each value once; two values of one moment stay in, and are named.

    Left out and named: what lies in the future, and an eGFR without a known formula when that is asked for.
    """
    in_order = sorted(measurements, key=_IN_TIME)
    if len(in_order) == 1 and not with_formula and in_order[0].at.first <= now:
        return Series((in_order[0],))
    points: list[Measurement] = []
    problems: list[Issue] = []
    overlap = False  # only then there can be a clash
    for point in in_order:
        if point.at.first > now:
            problems.append(_issue(_FUTURE, point))
        elif with_formula and not point.formula:
            problems.append(_issue(_NO_FORMULA, point))
        elif points and points[-1].at.last >= point.at.first:
            if not _same(points[-1], point):
                overlap = True
                points.append(point)
        else:
            points.append(point)
    if overlap:
        problems += [_issue(_TWO_VALUES, one, other) for one, other in clashes(points)]
    return Series(tuple(points), tuple(problems))


_IN_TIME = attrgetter("at.last", "at.first", "value")


def clashes(points: Iterable[Measurement]) -> list[tuple[Measurement, Measurement]]:
    """Pairs of different values of one moment, or of moments whose order cannot be told."""
    in_order = tuple(points)
    found: list[tuple[Measurement, Measurement]] = []
    for at, point in enumerate(in_order):
        before_it = (
            at - 1
        )  # sorted by their last moment: once one ends before this begins, so do all before it
        while before_it >= 0 and in_order[before_it].at.last >= point.at.first:
            if in_order[before_it].value != point.value:
                found.append((in_order[before_it], point))
            before_it -= 1
    return found


def newest(given: Series, now: datetime, max_age: Amount | None = None) -> Newest:
    """The last value, if it is surely the last, the only one of its moment, and surely young enough."""
    if not given.points:
        return Newest(None, given.problems)
    last = given.points[-1]
    rival = _rival(given.points) if len(given.points) > 1 else None
    if rival is not None:
        return Newest(None, given.problems or (_issue(_TWO_VALUES, rival, last),))
    if max_age is not None and last.at.first < (limit := before(now, max_age)):
        kind = _TOO_OLD if last.at.last < limit else _MAYBE_TOO_OLD
        nl, en = in_words(max_age)
        allowed = _Kind(kind.code, kind.nl.format(nl), kind.en.format(en))
        return Newest(None, (*given.problems, _issue(allowed, last)))
    return Newest(last, given.problems)


def _rival(points: tuple[Measurement, ...]) -> Measurement | None:
    """The last other value of which it cannot be told whether it came before the newest."""
    last = points[-1]
    for at in range(len(points) - 2, -1, -1):  # once one ends before the newest begins, so do all before it
        if points[at].at.last < last.at.first:
            return None
        if points[at].value != last.value:
            return points[at]
    return None


def of_one_formula(given: Series) -> tuple[Series, bool]:
    """Only what was worked out with the formula of the newest, and whether anything fell away."""
    if not given.points:
        return given, False
    formula = given.points[-1].formula
    same = tuple(point for point in given.points if point.formula == formula)
    if len(same) == len(given.points):
        return given, False
    return Series(same, (*given.problems, _issue(_MIXED)), given.missing), True


def gap(earlier: Measurement, later: Measurement) -> tuple[timedelta, timedelta]:
    """The shortest and the longest that can lie between the two."""
    return max(later.at.first - earlier.at.last, timedelta(0)), later.at.last - earlier.at.first


def _same(one: Measurement, other: Measurement) -> bool:
    return one.value == other.value and one.at == other.at and one.formula == other.formula


class _Kind(msgspec.Struct, frozen=True):
    code: str
    nl: str
    en: str


def _issue(kind: _Kind, *points: Measurement) -> Issue:
    places = tuple(point.place for point in points if point.place)
    return Issue(nl=kind.nl, en=kind.en, expression=places, code=kind.code)


_TWO_VALUES = _Kind(
    "conflict",
    "Twee verschillende waarden van hetzelfde moment, of waarvan de volgorde niet te zien is: kies er een.",
    "Two different values of one moment, or whose order cannot be told: choose one.",
)
_TOO_OLD = _Kind(
    "expired",
    "De nieuwste waarde is te oud: hoogstens {}.",
    "The newest value is too old: at most {}.",
)
_MAYBE_TOO_OLD = _Kind(
    "expired",
    "De datum is te ruim om te zien of de waarde nieuw genoeg is: hoogstens {} oud.",
    "The date is too vague to tell whether the value is recent enough: at most {} old.",
)
_FUTURE = _Kind("value", "De datum ligt in de toekomst.", "The date lies in the future.")
_NO_FORMULA = _Kind(
    "incomplete",
    "Een eGFR zonder formule: wij weten niet of het CKD-EPI 2009 of 2021 is.",
    "An eGFR without its formula: CKD-EPI 2009 or 2021 cannot be told.",
)
_MIXED = _Kind(
    "conflict",
    "eGFR's met verschillende formules zijn niet te vergelijken; alleen die van de nieuwste telt.",
    "eGFRs of different formulas cannot be compared; only that of the newest counts.",
)
