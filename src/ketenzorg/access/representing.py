"""For which organisation a client speaks in a request, and who acts there, why, and on whose responsibility.

It says so in the B2B object of UDAP, in its assertion: https://hl7.org/fhir/us/udap-security/b2b.html. Identifiers
stand there as `system#value`. A client of one organisation need not say for whom. What UDAP has no word for, on whose
responsibility somebody acts (NEN 7513), stands in an object of our own beside it.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from ketenzorg.access.personal_numbers import BSN_SYSTEMS
from ketenzorg.access.tokens import EMERGENCY, TREATMENT
from ketenzorg.errors import InvalidGrant, Issue
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import AGB, URA
from ketenzorg.store.clients import Client

B2B, OURS = "hl7-b2b", "ketenzorg"
LONGEST_ID = 256  # characters
# The OIDs of the same registers. https://www.nictiz.nl/standaarden/identificatiesystemen/
SYSTEMS = {
    "urn:oid:2.16.528.1.1007.3.3": URA,
    "urn:oid:2.16.840.1.113883.2.4.6.1": AGB,
}
ACT_REASON = ("urn:oid:2.16.840.1.113883.5.8#", "http://terminology.hl7.org/CodeSystem/v3-ActReason#")
_T = TypeVar("_T", bound=msgspec.Struct)
PURPOSES = (TREATMENT, EMERGENCY, "HOPERAT")  # care, care in an emergency, and looking at how care goes


class Represented(msgspec.Struct, frozen=True):
    """What a token will say of who asks."""

    organisation: Organisation
    user: str = ""
    responsible: str = ""
    purpose: str = TREATMENT


class _B2B(msgspec.Struct):
    organization_id: str = ""
    subject_id: str = ""
    purpose_of_use: list[str] = []


class _Ours(msgspec.Struct):
    responsible_id: str = ""


def represented(client: Client, extensions: Mapping[str, Any], region: Region) -> Represented:
    """Raises InvalidGrant: a client speaks only for whom it was registered, and for one at a time."""
    said, ours = _read(extensions.get(B2B, {}), _B2B), _read(extensions.get(OURS, {}), _Ours)
    return Represented(
        organisation=_organisation(client, said.organization_id, region),
        user=_person(said.subject_id, "hl7-b2b.subject_id"),
        responsible=_person(ours.responsible_id, "ketenzorg.responsible_id"),
        purpose=_purpose(said.purpose_of_use),
    )


def _organisation(client: Client, said: str, region: Region) -> Organisation:
    if not said and len(client.organisations) > 1:
        raise _refused(
            "deze client spreekt voor meer organisaties; noem er een in hl7-b2b.organization_id",
            "this client speaks for several organisations; name one in hl7-b2b.organization_id",
        )
    organisation = _named(said, region) if said else region.by_id(client.organisations[0])
    if organisation is None or organisation.id not in client.organisations:
        raise _refused(
            "voor deze organisatie spreekt deze client niet",
            "this client does not speak for this organisation",
        )
    return organisation


def _named(said: str, region: Region) -> Organisation | None:
    system, _, value = said.partition("#")
    if value:
        return region.by_identifier(SYSTEMS.get(system, system), value)
    return next((each for each in region.organisations if said.endswith(f"Organization/{each.id}")), None)


def _person(said: str, place: str) -> str:
    system = said.partition("#")[0]
    if said and (len(said) > LONGEST_ID or not (said.isascii() and said.isprintable()) or ":" not in system):
        raise _refused(
            f"{place} is een URI van hoogstens {LONGEST_ID} tekens, zoals systeem#nummer",
            f"{place} is a URI of at most {LONGEST_ID} characters, such as system#number",
        )
    if system in BSN_SYSTEMS:
        raise _refused(f"{place} is nooit een BSN", f"{place} is never a BSN")
    return said


def _purpose(said: list[str]) -> str:
    codes = [_code(each) for each in said] or [TREATMENT]
    if len(codes) > 1 or codes[0] not in PURPOSES:
        wanted = ", ".join(PURPOSES)
        raise _refused(
            f"hl7-b2b.purpose_of_use is een van {wanted}, met urn:oid:2.16.840.1.113883.5.8# ervoor",
            f"hl7-b2b.purpose_of_use is one of {wanted}, after urn:oid:2.16.840.1.113883.5.8#",
        )
    return codes[0]


def _code(said: str) -> str:
    return next((said.removeprefix(system) for system in ACT_REASON if said.startswith(system)), said)


def _read(said: Any, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError:
        raise _refused(
            "wat in extensions staat heeft niet de vorm van hl7-b2b",
            "what stands in extensions has not the form of hl7-b2b",
        ) from None


def _refused(nl: str, en: str) -> InvalidGrant:
    return InvalidGrant(Issue(nl=f"{nl[0].upper()}{nl[1:]}.", en=f"{en[0].upper()}{en[1:]}."))
