"""A search as it was understood: by rows, in bodies, by what others must match, and in which order."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

from ketenzorg.store.query import DateClause, Query, ReferenceClause, TokenClause

UPDATED = "_lastUpdated"


class TextClause(msgspec.Struct, frozen=True):
    """A text that begins with one of these, is one, or holds one; `canonical`: an address, with its version or not."""

    param: str
    how: Literal["begins", "exact", "contains", "address", "canonical"]
    one_of: tuple[str, ...]


class Measured(NamedTuple):
    """A number, from where to where its digits mean it, and its unit where one was asked for."""

    prefix: str
    middle: Decimal
    low: Decimal
    high: Decimal
    system: str
    unit: str


class AmountClause(msgspec.Struct, frozen=True):
    """One of these quantities."""

    param: str
    one_of: tuple[Measured, ...]


class TypedClause(msgspec.Struct, frozen=True):
    """An Identifier whose type has one of these codes, with this value: (system, code, value)."""

    param: str
    one_of: tuple[tuple[str, str, str], ...]


class TogetherClause(msgspec.Struct, frozen=True):
    """A composite: all of one of these hold in the same element."""

    param: str
    one_of: tuple[tuple["Clause", ...], ...]


class MissingClause(msgspec.Struct, frozen=True):
    """Whether the reader sees nothing of this parameter's elements."""

    param: str
    missing: bool


Clause: TypeAlias = (
    TokenClause
    | ReferenceClause
    | DateClause
    | TextClause
    | AmountClause
    | TypedClause
    | TogetherClause
    | MissingClause
)


class Chain(msgspec.Struct, frozen=True):
    """What a reference refers to must match."""

    param: str
    wanted: "Wanted"


class Has(msgspec.Struct, frozen=True):
    """Something that refers to it by `param` must match."""

    param: str
    wanted: "Wanted"


class Order(NamedTuple):
    """By a date parameter, or by _lastUpdated."""

    param: str
    down: bool


class Place(NamedTuple):
    """Where in an order the page before ended; None: where what has no date stands, at the end."""

    moments: tuple[datetime | None, ...]
    id: UUID


class Brings(NamedTuple):
    """An include: what resources of `kind` refer to by `param`, or for a revinclude what refers to them."""

    kind: str
    param: str
    target: str = ""  # only these
    iterate: bool = False
    reverse: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched, and how the answer is put."""

    query: Query
    rest: tuple[Clause, ...] = ()  # of no rows: looked up in bodies
    chains: tuple[Chain, ...] = ()
    has: tuple[Has, ...] = ()
    order: tuple[Order, ...] = ()
    place: Place | None = None
    brings: tuple[Brings, ...] = ()
    total: bool = False  # how many there are
    nothing_else: bool = False  # only that

    def kinds(self) -> Iterator[str]:
        """Every type that is searched for it."""
        yield self.query.type
        for other in (*(each.wanted for each in self.chains), *(each.wanted for each in self.has)):
            yield from other.kinds()
