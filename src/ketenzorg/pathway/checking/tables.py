"""Proves of every table with hit = "uniek" that exactly one row holds, whatever is given and whatever is not known.

Not by trying numbers: the limits in the cells cut each input into pieces in which all numbers are the same to the
table (columns.py), "onbekend" is one piece more, and what is the same to the rows is looked at once. So the proof is
exact, and a counter-example stands for its whole piece.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise

import msgspec

from ketenzorg.pathway.checking.questions import Ground, grounds
from ketenzorg.pathway.columns import Column
from ketenzorg.pathway.deciding import ReadyTable, numbers_of, ready_table
from ketenzorg.pathway.definition import PathwayFile, Variant
from ketenzorg.pathway.findings import Finding, Place

_TWO = Decimal(2)


class Piece(msgspec.Struct, frozen=True):
    """Values of one input that are the same to every row."""

    said: str  # an example: "egfr = 30", "acr onbekend"
    rows: int  # that hold
    unknown: bool = False


class Example(msgspec.Struct, frozen=True):
    """A case: a piece of each input, as far as it matters."""

    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return ", ".join(piece.said for piece in self.pieces) or "elk antwoord"


def check_tables(file: PathwayFile) -> Iterator[Finding]:
    """The findings of every table, as the file stands and as each municipal variant sets it."""
    known = grounds(file)
    for index, table in enumerate(file.table):
        each = ready_table(table, numbers_of(file.values))
        yield from _never(("table", index), each, known)
        if table.hit == "uniek":
            yield from _proved(("table", index), each, known)
    for index, variant in enumerate(file.variant):
        place: Place = ("variant", index, "values")
        for table in file.table if variant.values else ():
            if table.hit == "uniek":
                yield from _proved(place, ready_table(table, _numbers(file, variant)), known)


def _numbers(file: PathwayFile, variant: Variant) -> dict[str, Decimal]:
    said = {
        name: Decimal(str(value)) for name, value in variant.values.items() if isinstance(value, int | float)
    }
    return numbers_of(file.values) | said


def _proved(place: Place, each: ReadyTable, known: Mapping[str, Ground]) -> Iterator[Finding]:
    proof = Proof(each, [pieces(name, column, known[name]) for name, column in each.columns])
    name = each.table.name
    for example in proof.gaps:
        nl, en = f"‘{name}’: geen rij bij {example}.", f"'{name}': no row for {example}."
        yield Finding((*place, "rows"), nl, en)
    for (one, other), example in proof.overlaps.items():
        nl = f"‘{name}’: rij {one} en rij {other} gelden allebei bij {example}."
        yield Finding((*place, "rows"), nl, f"'{name}': rows {one} and {other} both hold for {example}.")


def _never(place: Place, each: ReadyTable, known: Mapping[str, Ground]) -> Iterator[Finding]:
    """A row of which a cell can never hold."""
    for name, column in each.columns:
        held = column.nothing  # said to be sure, even where nothing is sent without an answer
        for piece in pieces(name, column, known[name]):
            held |= piece.rows
        for row, hit in enumerate(each.hits):
            if not held >> row & 1:
                at = (*place, "rows", row, "when", name)
                cell = dict(hit.because)[name]
                yield Finding(at, f"‘{cell}’ kan nooit gelden.", f"'{cell}' can never hold.")


class Proof:
    """Looks at every case of a unique table, those alike to its rows once."""

    def __init__(self, each: ReadyTable, inputs: Sequence[Sequence[Piece]]) -> None:
        self.each = each
        self.inputs = inputs
        self.overlaps: dict[tuple[int, int], Example] = {}
        self._gaps: dict[bool, Example] = {}  # whether something is unknown in it
        self._seen: set[tuple[int, int, bool]] = set()
        self._look(each.all_rows, (), unknown=False)

    @property
    def gaps(self) -> list[Example]:
        """A case without a row in which all is known, and one in which something is not."""
        return [self._gaps[unknown] for unknown in sorted(self._gaps)]

    def _look(self, rows: int, path: tuple[Piece, ...], *, unknown: bool) -> None:
        key = (len(path), rows, unknown)
        if key in self._seen:
            return
        self._seen.add(key)
        if not rows:
            self._gap(path, unknown=unknown)
        elif len(path) == len(self.inputs):
            self._overlap(rows, path, unknown=unknown)
        else:
            for piece in self.inputs[len(path)]:
                self._look(rows & piece.rows, (*path, piece), unknown=unknown or piece.unknown)

    def _gap(self, path: tuple[Piece, ...], *, unknown: bool) -> None:
        table = self.each.table
        if not (table.otherwise or (unknown and table.if_unknown)):
            self._gaps.setdefault(unknown, Example(_what_matters(path, self.each.all_rows)))

    def _overlap(self, rows: int, path: tuple[Piece, ...], *, unknown: bool) -> None:
        # A row that says "onbekend" gives way to one that does not: that is no overlap.
        held = rows & ~self.each.on_unknown if unknown else 0
        numbers = [row for row in range(len(self.each.hits)) if (held or rows) >> row & 1]
        for one, other in pairwise(numbers):
            both = 1 << one | 1 << other
            looked_at = tuple(
                piece
                for piece, (name, _) in zip(path, self.each.columns, strict=True)
                if any(name in self.each.table.rows[row].when for row in (one, other))
            )
            if both & rows == both:
                self.overlaps.setdefault((one + 1, other + 1), Example(looked_at))


def _what_matters(path: tuple[Piece, ...], everything: int) -> tuple[Piece, ...]:
    """As few pieces as still leave no row; what is unknown stays in."""
    kept = list(path)
    for piece in path:
        others = [each for each in kept if each is not piece]
        rows = everything
        for each in others:
            rows &= each.rows
        if not rows and not piece.unknown:
            kept = others
    return tuple(kept)


def pieces(name: str, column: Column, ground: Ground) -> list[Piece]:
    """Every different thing that this input can be; what is not known comes last."""
    found: dict[tuple[int, bool], Piece] = {}
    values: Sequence[Decimal | str] = sorted(ground.codes) or numbers_in(column.cuts, ground)
    for value in values:
        rows = column.exact(value)
        found.setdefault((rows, False), Piece(f"{name} = {_shown(value)}", rows))
    if not ground.known:
        found[column.nothing, True] = Piece(f"{name} onbekend", column.nothing, unknown=True)
    return list(found.values())


def numbers_in(cuts: Sequence[Decimal], ground: Ground) -> list[Decimal]:
    """A number of each piece that can occur: at every cut, between each two, and at the ends of what can be."""
    ends = sorted({ground.low, *(cut for cut in cuts if ground.low <= cut <= ground.high), ground.high})
    between = [number for low, high in pairwise(ends) if (number := _between(low, high, ground)) is not None]
    if ground.whole:
        ends = [end for end in ends if end == end.to_integral_value()]
    # The limits of the table make the plainest example, what hardly occurs the least plain.
    return [*(end for end in ends if end in cuts), *between, *(end for end in ends if end not in cuts)]


def _between(low: Decimal, high: Decimal, ground: Ground) -> Decimal | None:
    """A number strictly between the two, near the lower; none when only whole numbers occur and there is none."""
    whole = low.to_integral_value(ROUND_FLOOR) + 1
    if whole < high:
        return whole
    return None if ground.whole else (low + high) / _TWO


def _shown(value: Decimal | str) -> str:
    return value if isinstance(value, str) else f"{value.normalize():f}".replace(".", ",")
