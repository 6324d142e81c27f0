"""Histograms as one number each, so that adding them up is one addition, here and in the database.

A cell holds eight decimal digits a place, place 0 last: sum() adds a year of them. Here a place is 32 bits of an
integer. All places of a text are read at once: its digits, taken as hexadecimal ones, are joined to numbers of two,
four and eight digits in three steps over the whole integer.
"""

from array import array
from functools import lru_cache
from sys import byteorder

DIGITS = 8
BITS = 32
LARGEST = (1 << BITS) - 1


def read(stored: str) -> int:
    """The lanes of a cell."""
    value = int(stored, 16)
    places = -(-len(stored) // DIGITS)
    for bits, factor in ((4, 10), (8, 100), (16, 10_000)):
        low = _every_other(bits, places)
        value = (value & low) + ((value >> bits) & low) * factor
    return value


def lanes(numbers: int) -> list[int]:
    """The number in each place."""
    places = -(-numbers.bit_length() // BITS)
    values = array("I", numbers.to_bytes(places * BITS // 8, "little"))
    if byteorder == "big":
        values.byteswap()
    return values.tolist()


def total(numbers: int) -> int:
    """All places together: the digits of a number in base 2**32 add up to its remainder by 2**32 - 1."""
    return numbers % LARGEST


def some(numbers: int, first: int, after: int) -> int:
    """Only the places from `first` up to `after`, moved to place 0."""
    if after <= max(0, first):
        return 0
    return (numbers >> (BITS * max(0, first))) & ((1 << BITS * (after - max(0, first))) - 1)


def turned(numbers: int, last: int, shift: int) -> int:
    """Places 0 to `last` the other way round, `last` in place `shift`: from days of beginning to days of waiting."""
    values = lanes(numbers)
    reversed_ = array("I", [0] * (last + 1 - len(values)) + values[::-1])
    if byteorder == "big":
        reversed_.byteswap()
    return int.from_bytes(reversed_.tobytes(), "little") << (BITS * shift)


@lru_cache(maxsize=4_096)
def _every_other(bits: int, places: int) -> int:
    """Ones in the lower half of every 2 * bits bits."""
    one = sum((1 << bits) - 1 << at for at in range(0, BITS, 2 * bits))
    return int.from_bytes(one.to_bytes(BITS // 8, "little") * places, "little")
