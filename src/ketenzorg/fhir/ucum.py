"""What a unit is in base units, for units that differ by a factor only. https://ucum.org/ucum

A mole stays a mole: what a substance weighs is not in its unit. No degrees Celsius, logarithms, months or brackets.
"""

import re
from collections import Counter
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

PREFIXES: Final = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
BASE: Final = ("m", "s", "g", "mol", "K", "[iU]")
METRIC: Final = {  # how many of what; these take a prefix too
    "eq": ("1", "mol"), "L": ("1", "dm3"), "l": ("1", "dm3"), "N": ("1", "kg.m/s2"), "Pa": ("1", "N/m2"),
    "J": ("1", "N.m"), "W": ("1", "J/s"), "Hz": ("1", "/s"), "bar": ("100000", "Pa"), "kat": ("1", "mol/s"),
    "U": ("1", "umol/min"), "cal": ("4.184", "J"), "m[Hg]": ("133.322", "kPa"), "m[H2O]": ("9.80665", "kPa"),
}  # fmt: skip
PLAIN: Final = {
    "min": ("60", "s"), "h": ("60", "min"), "d": ("24", "h"), "wk": ("7", "d"), "%": ("0.01", ""),
    "10*": ("10", ""), "10^": ("10", ""), "[in_i]": ("2.54", "cm"), "[ft_i]": ("12", "[in_i]"),
    "[lb_av]": ("453.59237", "g"),
}  # fmt: skip
ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
ALONE: Final = re.compile(r"(?<![^./])\{[^{}]*\}")  # an annotation for a unit
PART: Final = re.compile(r"(/|\.|\A)(10[*^]|(?:\[[A-Za-z0-9_]+\]|[A-Za-z%])+|[0-9]{1,9}|)([+-]?[0-9]{1,2})?")
LONGEST: Final = 40
HIGHEST: Final = 24  # power
_SHORT: Final = Context(prec=18)


class Unit(NamedTuple):
    """How many of the base units, and of which: ("m", 2), ("s", -1)."""

    times: Decimal
    of: frozenset[tuple[str, int]]


def converted(value: Decimal, unit: str, to: str) -> Decimal | None:
    """The value in another unit; None when either is not known here, or they measure something else."""
    one, other = unit_of(unit), unit_of(to)
    if one is None or other is None or one.of != other.of:
        return None
    return _SHORT.divide(value * one.times, other.times)


@lru_cache(maxsize=1024)
def unit_of(text: str) -> Unit | None:
    """What a unit is; None when it is none of these."""
    rest = ANNOTATION.sub("", ALONE.sub("1", text))
    times, of, at = Decimal(1), Counter[str](), 0
    while at < len(rest):
        part = PART.match(rest, at)
        if part is None or len(text) > LONGEST or not (part[2] or at == 0) or part.end() == at:
            return None
        at = part.end()
        power = int(part[3] or 1) * (-1 if part[1] == "/" else 1)
        atom = _atom(part[2])
        if atom is None or abs(power) > HIGHEST:
            return None
        times *= atom.times**power
        for base, each in atom.of:
            of[base] += each * power
    return Unit(times, frozenset((base, power) for base, power in of.items() if power))


def _atom(name: str) -> Unit | None:
    if not name or name.isdigit():
        return Unit(Decimal(name or 1), frozenset()) if name != "0" else None
    if name in PLAIN:
        return _made_of(*PLAIN[name])
    if (known := _metric(name)) is not None:
        return known
    for prefix, power in PREFIXES.items():
        if name.startswith(prefix) and (known := _metric(name.removeprefix(prefix))) is not None:
            return Unit(known.times.scaleb(power), known.of)
    return None


def _metric(name: str) -> Unit | None:
    if name in BASE:
        return Unit(Decimal(1), frozenset({(name, 1)}))
    return _made_of(*METRIC[name]) if name in METRIC else None


def _made_of(times: str, text: str) -> Unit | None:
    unit = unit_of(text)
    return unit and Unit(unit.times * Decimal(times), unit.of)
