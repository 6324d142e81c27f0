"""What the demo knows of a pathway that it plays by what is likely: who is referred, and what tends to happen where."""

from collections.abc import Mapping
from typing import NamedTuple

from ketenzorg.cli.demo.courses import Days

Answer = bool | str | float
THAT_DAY = "die dag"  # the answer to a question for a date: the day of the referral


class Kind(NamedTuple):
    """One kind of referral."""

    weight: float
    answers: Mapping[
        str, Answer
    ] = {}  # linkId -> answer; what blocks sending is answered with "nee" by itself
    measured: Mapping[str, tuple[float, ...]] = {}  # element -> values, the newest first, three months apart
    from_hospital: str = ""  # the role in which a hospital sends it; a practice otherwise


class Next(NamedTuple):
    """What may well happen in a step."""

    event: str
    weight: float
    after: Days  # working days


class Chain(NamedTuple):
    """A pathway: its referrals, and what is likely in each step. A step that is not here is where it rests."""

    pathway: str
    icpc: str
    because: str
    every: Mapping[str, Answer]  # what each kind answers too
    kinds: tuple[Kind, ...]
    likely: Mapping[str, tuple[Next, ...]]
    given: Mapping[str, tuple[str, ...]]  # what an event brings -> texts or codes; a code otherwise by chance
    youngest: int = 50  # years, of who is referred
