"""Personal numbers in a search: in the form of a POST only, for an address is kept by every machine on its way.

https://hl7.org/fhir/R4/http.html#search
"""

import re
from collections.abc import Iterable

from ketenzorg.access.personal_numbers import BSN_SYSTEMS, holds_number, is_bsn
from ketenzorg.errors import BadRequest, Issue

IDENTIFIER = "identifier"  # where a number may be asked for
OF_PATIENT = frozenset({IDENTIFIER, "patient.identifier", "patient:Patient.identifier"})
OF_ANOTHER = (
    "Is het een ander nummer of een code, zet dan het systeem ervoor: systeem|nummer.",
    "Is it another number or a code, then put its system in front: system|number.",
)
BETWEEN = re.compile(r"[ .-]")
Pairs = Iterable[tuple[str, str]]


def refuse_in_address(pairs: Pairs) -> None:
    """Raise BadRequest, without the number, when an address holds one."""
    if any(_holds(name, value) for name, value in pairs):
        raise BadRequest(
            Issue(
                nl="Zet een BSN niet in een adres: adressen worden bewaard. Zoek met POST [type]/_search, met "
                f"identifier in het formulier. {OF_ANOTHER[0]}",
                en="Never put a personal number (BSN) in an address: addresses are kept. POST [type]/_search with "
                f"identifier in the form (application/x-www-form-urlencoded). {OF_ANOTHER[1]}",
                code="security",
            )
        )


def refuse_elsewhere(pairs: Pairs) -> None:
    """Raise BadRequest, without the number, when a form holds one in another parameter than identifier."""
    if any(name not in OF_PATIENT and _holds(name, value) for name, value in pairs):
        raise BadRequest(
            Issue(
                nl=f"Zoek een BSN met de parameter identifier, en nergens anders. {OF_ANOTHER[0]}",
                en=f"Search a personal number (BSN) with the parameter identifier, and with no other. {OF_ANOTHER[1]}",
                code="security",
            )
        )


def _holds(name: str, value: str) -> bool:
    if holds_number(name) or any(value.partition(system)[2].strip("\\|, ") for system in BSN_SYSTEMS):
        return True
    if name.endswith(":of-type"):
        value = ",".join(each.rpartition("|")[2] for each in value.split(","))
    # What follows another system is a number of that system; SNOMED CT has codes of nine digits.
    bare = [each for each in value.split(",") if not each.partition("|")[1] or each.startswith("|")]
    return any(holds_number(each) or is_bsn(BETWEEN.sub("", each)) for each in bare)
