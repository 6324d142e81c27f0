"""What a cell of a decision table says, in the words that a GP writes: "ja", "< 30", "30 tot 60", "nee of onbekend".

"30 tot 60" takes 30 and leaves 60 to the next row; "30 tot en met 60" takes both.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from ketenzorg.pathway.facts import Choice, Number, Truth, above, at_least, at_most, below, one_of

UNKNOWN, KNOWN, OR = "onbekend", "bekend", " of "
Fact = Number | Choice

_NUMBER = r"-?[0-9]+(?:[.,][0-9]+)?"
_NAME = r"[a-z][a-z0-9-]*"
_LIMIT = rf"({_NUMBER}|{_NAME})"
_COMPARED = re.compile(rf"(<=|>=|<|>) {_LIMIT}")
_BETWEEN = re.compile(rf"{_LIMIT} (tot en met|tot) {_LIMIT}")
_EXACT = re.compile(_NUMBER)


class Range(msgspec.Struct, frozen=True):
    """Numbers from `low` to `high`; none: without end."""

    low: Decimal | None = None
    high: Decimal | None = None
    takes_low: bool = True
    takes_high: bool = False

    def holds(self, number: Number) -> Truth:
        """Whether the number lies in here."""
        truth = Truth(sure=True, may=True)
        if self.low is not None:
            truth &= at_least(number, self.low) if self.takes_low else above(number, self.low)
        if self.high is not None:
            truth &= at_most(number, self.high) if self.takes_high else below(number, self.high)
        return truth


class Cell(msgspec.Struct, frozen=True):
    """One cell, taken apart: any of these makes it hold."""

    text: str
    unknown: bool = False  # "onbekend" is one of the answers
    known: bool = False  # any answer will do
    codes: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()

    def holds(self, fact: Fact) -> Truth:
        """Whether it surely holds, and whether it may."""
        truth = Truth(sure=False, may=False)
        if fact.exact is None:
            truth |= Truth(sure=self.unknown, may=self.unknown or self.known)
        elif self.known:
            return Truth(sure=True, may=True)
        if isinstance(fact, Number):
            for each in self.ranges:
                truth |= each.holds(fact)
        elif self.codes:
            truth |= one_of(fact, *self.codes)
        return truth


def parse(text: str, values: Mapping[str, Decimal] | None = None) -> Cell:
    """Reads a cell; a limit may be the name of one of [values]. ValueError when nobody could read it."""
    unknown = known = False
    codes: list[str] = []
    ranges: list[Range] = []
    for part in (piece.strip() for piece in text.split(OR)):
        if part == UNKNOWN:
            unknown = True
        elif part == KNOWN:
            known = True
        elif (found := _range(part, values or {})) is not None:
            ranges.append(found)
            codes += [part] if _EXACT.fullmatch(part) else []  # a code may be a number
        elif re.fullmatch(r"[\w.-]+", part):
            codes.append(part)
        else:
            raise ValueError(text)
    return Cell(text, unknown, known, tuple(codes), tuple(ranges))


def is_number(text: str) -> bool:
    """Whether a cell that names one thing names a number."""
    return _EXACT.fullmatch(text) is not None


def _range(part: str, values: Mapping[str, Decimal]) -> Range | None:
    if compared := _COMPARED.fullmatch(part):
        sign, limit = compared[1], _limit(compared[2], values)
        if sign.startswith("<"):
            return Range(high=limit, takes_high=sign == "<=")
        return Range(low=limit, takes_low=sign == ">=")
    if between := _BETWEEN.fullmatch(part):
        low, high = _limit(between[1], values), _limit(between[3], values)
        return Range(low=low, high=high, takes_high=between[2] == "tot en met")
    if _EXACT.fullmatch(part):
        exact = _limit(part, values)
        return Range(low=exact, high=exact, takes_high=True)
    return None


def _limit(text: str, values: Mapping[str, Decimal]) -> Decimal:
    if _EXACT.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if text not in values:
        raise ValueError(text)
    return values[text]
