"""What is known of one answer: exactly, within limits, or nothing at all; never a guess.

A number is a range and a choice is a set, so that "unknown" needs no case of its own: it is the widest range.
A decision table asks whether a cell surely holds, surely does not, or cannot be told.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Self

import msgspec

from ketenzorg.errors import Issue

YES, NO = "ja", "nee"
SCORE = "{score}"  # UCUM


class Number(msgspec.Struct, frozen=True, tag="getal", gc=False):
    """At least `low`, at most `high`, in `unit` (UCUM); exact when the two are the same."""

    low: Decimal
    high: Decimal
    unit: str
    missing: tuple[str, ...] = ()  # the inputs that would narrow it
    problems: tuple[Issue, ...] = ()  # why an input that was given could not be used

    @classmethod
    def of(cls, value: Decimal | int | str, unit: str) -> Self:
        """One exact value."""
        exact = Decimal(value)
        return cls(exact, exact, unit)

    @property
    def exact(self) -> Decimal | None:
        """The value, when there is only one that it can be."""
        return self.low if self.low == self.high else None


class Choice(msgspec.Struct, frozen=True, tag="keuze", gc=False):
    """One of `possible`; "ja" and "nee" for a yes/no; exact when only one is left."""

    possible: tuple[str, ...]
    missing: tuple[str, ...] = ()
    problems: tuple[Issue, ...] = ()

    @classmethod
    def of(cls, value: str) -> Self:
        """One exact answer."""
        return cls((value,))

    @property
    def exact(self) -> str | None:
        """The answer, when there is only one that it can be."""
        return self.possible[0] if len(self.possible) == 1 else None


class Day(msgspec.Struct, frozen=True, tag="dag", gc=False):
    """A calendar day between `first` and `last`: a FHIR date may be a year, or a month of a year."""

    first: date
    last: date


class Truth(msgspec.Struct, frozen=True, gc=False):
    """Whether something surely holds, and whether it may hold."""

    sure: bool
    may: bool

    def __and__(self, other: "Truth") -> "Truth":
        return Truth(self.sure and other.sure, self.may and other.may)

    def __or__(self, other: "Truth") -> "Truth":
        return Truth(self.sure or other.sure, self.may or other.may)

    def __invert__(self) -> "Truth":
        return Truth(not self.may, not self.sure)


SURELY, PERHAPS, NEVER = Truth(True, True), Truth(False, True), Truth(False, False)


def yes(answer: Choice) -> Truth:
    """Whether the answer is yes."""
    if len(answer.possible) == 1:
        return SURELY if answer.possible[0] == YES else NEVER
    return one_of(answer, YES)


def one_of(answer: Choice, *wanted: str) -> Truth:
    """Whether the answer is one of these."""
    hits = 0
    for value in answer.possible:
        hits += value in wanted
    if not hits:
        return NEVER
    return SURELY if hits == len(answer.possible) else PERHAPS


def at_least(number: Number, limit: Decimal) -> Truth:
    """Whether number >= limit."""
    if number.low >= limit:
        return SURELY
    return PERHAPS if number.high >= limit else NEVER


def above(number: Number, limit: Decimal) -> Truth:
    """Whether number > limit."""
    if number.low > limit:
        return SURELY
    return PERHAPS if number.high > limit else NEVER


def below(number: Number, limit: Decimal) -> Truth:
    """Whether number < limit."""
    if number.high < limit:
        return SURELY
    return PERHAPS if number.low < limit else NEVER


def at_most(number: Number, limit: Decimal) -> Truth:
    """Whether number <= limit."""
    if number.high <= limit:
        return SURELY
    return PERHAPS if number.low <= limit else NEVER


def answer(truth: Truth) -> Choice:
    """The truth as a yes/no."""
    if truth.sure:
        return Choice((YES,))
    return Choice((YES, NO)) if truth.may else Choice((NO,))


def points(items: Iterable[tuple[Truth, int]], unit: str) -> Number:
    """A score: what surely counts, up to what may count."""
    low = high = 0
    for truth, weight in items:
        if truth.may:
            high += weight
            low += weight if truth.sure else 0
    least = Decimal(low)
    return Number(least, least if low == high else Decimal(high), unit)
