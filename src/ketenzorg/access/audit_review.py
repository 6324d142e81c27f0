"""What stands out in the log of a period, by simple rules that are stated: for who must look at it (NEN 7513).

A finding is a reason to ask, not a verdict. It names ids, never a patient.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from uuid import UUID

import msgspec

MANY = 20  # patients in the period: under this nobody stands out by numbers
TIMES_COLLEAGUES = 3  # so many times the median of the same organisation is much more
ENOUGH = 3  # persons or systems of an organisation, for a median to mean anything
OUTSIDE = 5  # lines of a person outside 7 to 19 hours on working days
REFUSED = 10  # refusals: somebody tries


class Did(msgspec.Struct, frozen=True):
    """What one person or system did in the period."""

    organisation: UUID
    who: str
    lines: int
    patients: int
    emergencies: int
    outside: int
    refused: int
    after_end: int


class Notable(msgspec.Struct, frozen=True):
    """Something to ask about."""

    did: Did
    why: str  # in Dutch


def notable(everybody: Sequence[Did]) -> list[Notable]:
    """What stands out, in the order of the organisations. The numbers are proposals: a region may set its own."""
    houses: dict[UUID, list[int]] = defaultdict(list)
    for each in everybody:
        houses[each.organisation].append(each.patients)
    return [
        Notable(each, why) for each in everybody for why in _reasons(each, sorted(houses[each.organisation]))
    ]


def _reasons(did: Did, patients: Sequence[int]) -> Iterator[str]:
    usual = median(patients)
    if did.patients >= MANY and len(patients) >= ENOUGH and did.patients > TIMES_COLLEAGUES * usual:
        yield f"zag {did.patients} patiënten, meer dan {TIMES_COLLEAGUES} keer wat gewoon is in dit huis ({usual:g})"
    if did.emergencies:
        yield f"gebruikte de noodprocedure {did.emergencies} keer"
    if did.outside >= OUTSIDE:
        yield f"keek {did.outside} keer buiten 7 tot 19 uur op werkdagen"
    if did.after_end:
        yield f"keek {did.after_end} keer nadat het eigen deel was geëindigd"
    if did.refused >= REFUSED:
        yield f"vroeg {did.refused} keer iets wat er niet was of niet mocht"
