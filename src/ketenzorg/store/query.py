"""A search by rows: its clauses, and what a date clause asks of the ends of a period."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.fhir.dates import Period

NUMBER = (
    "bsn"  # the rows of personal numbers, by token: apart from other identifiers, for fewer may find them
)


class TokenClause(msgspec.Struct, frozen=True):
    """`param=system|code,…`: one of these; system None is any system, code None any code of the system.

    `numbers`: or one of these personal numbers, by token; None is any. `none_of`: the reader sees none of these.
    """

    param: str
    one_of: tuple[tuple[str | None, str | None], ...]
    numbers: tuple[str | None, ...] = ()
    none_of: bool = False


class ReferenceClause(msgspec.Struct, frozen=True):
    """`param=Type/id,…`: one of these; type None is any type. `missing`: whether the reader sees none at all."""

    param: str
    one_of: tuple[tuple[str | None, UUID], ...] = ()
    missing: bool | None = None


class DateClause(msgspec.Struct, frozen=True):
    """`param=ge2026-01,…`: one of these comparisons; param "" is _lastUpdated."""

    param: str
    one_of: tuple[tuple[str, Period], ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A search: every clause must hold."""

    type: str
    tokens: tuple[TokenClause, ...] = ()
    references: tuple[ReferenceClause, ...] = ()
    dates: tuple[DateClause, ...] = ()
    ids: tuple[UUID, ...] | None = None
    within: tuple[tuple[str, UUID], ...] | None = None  # of the trajecten of one of these
    count: int

    @property
    def by_number(self) -> bool:
        """Whether it asks for a personal number."""
        return any(each.numbers for each in self.tokens)


class Ends(NamedTuple):
    """Where a period must begin and end: from `low` and before `below`, after `above` and no later than `high`."""

    low: datetime = Period.EARLIEST
    below: datetime = Period.LATEST
    above: datetime = Period.EARLIEST
    high: datetime = Period.LATEST

    def hold(self, period: Period) -> bool:
        """Whether this one does."""
        return self.low <= period.low < self.below and self.above < period.high <= self.high


def ends(prefix: str, asked: Period) -> tuple[Ends, ...]:
    """What a comparison asks: one of these. https://hl7.org/fhir/R4/search.html#prefix"""
    low, high = asked
    return {
        "eq": (Ends(low=low, below=high, high=high),),
        "ne": (Ends(below=low), Ends(above=high)),
        "gt": (Ends(above=high),),
        "lt": (Ends(below=low),),
        "ge": (Ends(low=low), Ends(above=high)),
        "le": (Ends(below=low), Ends(below=high, high=high)),
        "sa": (Ends(low=high),),
        "eb": (Ends(high=low),),
        "ap": (Ends(below=high, above=low),),
    }[prefix]
