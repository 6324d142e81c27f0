"""The code systems that a pathway file may name, by the short name that stands before the bar: "loinc|62238-1"."""

import re
from functools import lru_cache

from ketenzorg.pathway.units import LOINC, NHG45

SYSTEMS: dict[str, tuple[str, ...]] = {
    "loinc": (LOINC,),
    "nhg45": (NHG45, "urn:oid:2.16.840.1.113883.2.4.4.30.45"),
    "sct": ("http://snomed.info/sct",),
    "icpc": ("http://hl7.org/fhir/sid/icpc-1-nl", "urn:oid:2.16.840.1.113883.2.4.4.31.1"),
    "atc": ("http://www.whocc.no/atc",),
    "nhg49": ("https://referentiemodel.nhg.org/tabellen/nhg-tabel-49-ingrepen-en-behandelingen",),
}


def codings(named: str) -> list[tuple[str, str]]:
    """Every (system, code) that this means; empty when the system is not known or the code is empty."""
    short, _, code = named.partition("|")
    return [(system, code) for system in SYSTEMS.get(short, ())] if code else []


def could_be(named: str) -> bool:
    """Whether the code has the form of its system, and the check digit where there is one."""
    short, _, code = named.partition("|")
    form = _FORMS.get(short)
    if form is None or not form.fullmatch(code):
        return form is None
    if short == "loinc":
        return _mod_10(code.replace("-", ""))
    return _verhoeff(code) if short == "sct" else True


def _mod_10(digits: str) -> bool:
    """LOINC: every second digit before the last counts double. https://loinc.org/kb/users-guide/"""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number // 10 + number % 10
    return total % 10 == 0


def _verhoeff(digits: str) -> bool:
    """SNOMED CT. https://confluence.ihtsdotools.org/display/DOCRELFMT/6.2+Check-digit"""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, int(_PERMUTED[place % 8][int(digit)]))
    return check == 0


def _dihedral(one: int, other: int) -> int:
    """The product of two symmetries of a pentagon: 0 to 4 turn it, 5 to 9 also turn it over."""
    turned = one % 5 + other % 5 if one < _FLIP else one % 5 - other % 5
    return turned % 5 + (_FLIP if (one < _FLIP) != (other < _FLIP) else 0)


_FLIP = 5
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_FORMS = {
    "loinc": re.compile(r"[1-9]\d{0,6}-\d"),
    "sct": re.compile(r"[1-9]\d{5,17}"),
    "nhg45": re.compile(r"[1-9]\d{0,4}"),
    "nhg49": re.compile(r"[1-9]\d{0,4}"),
    "icpc": re.compile(r"[A-Z]\d{2}(\.\d{2})?"),
    "atc": re.compile(r"[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?"),
}


@lru_cache(maxsize=64)
def canonical(system: str) -> str:
    """The first name of a system that goes under more than one."""
    return next((names[0] for names in SYSTEMS.values() if system in names), system)
