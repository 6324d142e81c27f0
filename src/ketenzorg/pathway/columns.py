"""One column of a decision table, worked out at load: which rows what is known of an input leaves standing.

Rows are the bits of a number, the first row the lowest. The limits in the cells cut the numbers into pieces (below,
at, between and above them) in which every number is the same to the table: looking up is finding the piece.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from ketenzorg.pathway.cells import Cell
from ketenzorg.pathway.facts import Choice, Number

Rows = tuple[int, int]  # the rows that surely hold, and those that may
_TWO = Decimal(2)
_NO_CODE = "\0"  # a code that no cell names


class Column:
    """What one input does to the rows of a table; a row without a cell for it does not look at it."""

    __slots__ = ("_codes", "_free", "_known", "_other", "_pieces", "_ranges", "_unknown", "cuts", "sets")

    def __init__(self, rows: Sequence[Cell | None]) -> None:
        self._free = _bits(cell is None for cell in rows)
        self._unknown = _bits(cell is not None and cell.unknown for cell in rows)
        self._known = _bits(cell is not None and cell.known for cell in rows)
        said = [(1 << number, cell) for number, cell in enumerate(rows) if cell is not None]
        limits = {
            end
            for _, cell in said
            for each in cell.ranges
            for end in (each.low, each.high)
            if end is not None
        }
        self.cuts: list[Decimal] = sorted(limits)
        self._pieces = [self._at(Number.of(number, ""), said) for number in _numbers(self.cuts)]
        codes = {code for _, cell in said for code in cell.codes}
        self._codes = {code: self._at(Choice.of(code), said) for code in codes}
        self._other = self._at(Choice.of(_NO_CODE), said)
        self._ranges: dict[tuple[int, int], Rows] = {}
        self.sets: dict[tuple[str, ...], Rows] = {}  # codes that were looked up before

    def _at(self, fact: Number | Choice, said: Sequence[tuple[int, Cell]]) -> int:
        return sum(bit for bit, cell in said if cell.holds(fact).sure) | self._free

    def between(self, low: Decimal, high: Decimal) -> Rows:
        """The rows that a number from `low` to `high` leaves standing."""
        piece = self._piece(low)
        if low is high or low == high:
            held = self._pieces[piece]
            return held, held
        key = (piece, self._piece(high))
        return self._ranges.get(key) or self._ranges.setdefault(
            key, self._doubtful(self._pieces[piece : key[1] + 1])
        )

    def one_of(self, codes: tuple[str, ...]) -> Rows:
        """The rows that one of these codes leaves standing."""
        held = [self._codes.get(code, self._other) for code in codes]
        found = (held[0], held[0]) if len(held) == 1 else self._doubtful(held)
        return self.sets.setdefault(codes, found)

    def exact(self, value: Decimal | str) -> int:
        """The rows that hold at one number or code."""
        if isinstance(value, str):
            return self._codes.get(value, self._other)
        return self._pieces[self._piece(value)]

    @property
    def nothing(self) -> int:
        """The rows that hold when nothing at all is known of the input."""
        return self._unknown | self._free

    def _piece(self, number: Decimal) -> int:
        place = bisect_left(self.cuts, number)
        return 2 * place + (place < len(self.cuts) and self.cuts[place] == number)

    def _doubtful(self, held: Sequence[int]) -> Rows:
        """What holds wherever it is, and what holds somewhere; "bekend" does not hold of what is not known."""
        sure, may = held[0], 0
        for each in held:
            sure &= each
            may |= each
        return (sure & ~self._known) | self.nothing, may | self.nothing


def _bits(rows: Iterable[bool]) -> int:
    return sum(1 << number for number, yes in enumerate(rows) if yes)


def _numbers(cuts: Sequence[Decimal]) -> list[Decimal]:
    """One number of each piece: below the first cut, at it, between it and the next, and so on."""
    if not cuts:
        return [Decimal(0)]
    found = [cuts[0] - 1]
    for low, high in pairwise(cuts):
        found += [low, (low + high) / _TWO]
    return [*found, cuts[-1], cuts[-1] + 1]
