"""The code systems that a pathway file may name, by the short name that stands before the bar: "loinc|62238-1"."""

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


def canonical(system: str) -> str:
    """The first name of a system that goes under more than one."""
    return next((names[0] for names in SYSTEMS.values() if system in names), system)
