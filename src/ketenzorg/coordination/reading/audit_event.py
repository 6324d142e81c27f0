"""An entry of the audit log as FHIR AuditEvent, in the form of IHE's Basic Audit Log Patterns where one fits.

https://profiles.ihe.net/ITI/BALP. What NEN 7513 asks beyond it: who is responsible, by which rule (agent.policy), for
what purpose (ETREAT: the emergency procedure) and on which consent. Nothing in it is a value of anybody's data.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from ketenzorg.coordination.showing.names import name_of
from ketenzorg.coordination.world import World
from ketenzorg.referral.codes import BASE
from ketenzorg.store.audit import DONE
from ketenzorg.store.audit_reading import Entry

BALP = "https://profiles.ihe.net/ITI/BALP"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
REST = "http://hl7.org/fhir/restful-interaction"
PROFILE = f"{BASE}/StructureDefinition/audit-event"
INTERACTION = f"{BASE}/CodeSystem/interaction"
PSEUDONYM = f"{BASE}/NamingSystem/pseudonym"
CLIENT = f"{BASE}/NamingSystem/client"
USER = f"{BASE}/NamingSystem/user"
OF_FHIR = {
    "C": ("create",),
    "R": ("read", "vread"),
    "U": ("update", "patch"),
    "D": ("delete",),
    "E": ("search-type",),
}
PATTERNS = {"C": "Create", "R": "Read", "U": "Update", "D": "Delete", "E": "Query"}
# Who gave and who got: a reader gets what the server gives; all else goes the other way.
SOURCE, DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")


def event_id(entry: Entry) -> str:
    """Of a line about several trajecten each has its own event: nobody learns from it who else was on the page."""
    return f"{entry.id}.{entry.place}" if entry.many > 1 else str(entry.id)


def audit_event(entry: Entry, fhir_base: str, world: World) -> dict[str, Any]:
    """The AuditEvent of an entry."""
    return {
        "resourceType": "AuditEvent",
        "id": event_id(entry),
        "meta": {"profile": [*_patterns(entry), PROFILE]},
        "type": _coding(f"{TERMINOLOGY}/audit-event-type", "rest", "Restful Operation"),
        "subtype": list(_subtypes(entry)),
        "action": entry.action,
        "recorded": entry.at.astimezone(UTC).isoformat(),
        "outcome": entry.outcome,
        **({} if entry.outcome == DONE else {"outcomeDesc": "not there, or not for this caller"}),
        "purposeOfEvent": [_purpose(entry)],
        "agent": list(_agents(entry, fhir_base, world)),
        "source": {
            "site": world.region.code,
            "observer": {"identifier": {"system": "urn:ietf:rfc:3986", "value": fhir_base}},
            "type": [_coding(f"{TERMINOLOGY}/security-source-type", "4", "Application Server")],
        },
        "entity": list(_entities(entry)),
    }


def _patterns(entry: Entry) -> Iterator[str]:
    """The profiles of BALP that it fits: they are about what succeeded."""
    if entry.outcome == DONE and entry.action in PATTERNS:
        of_patient = "Patient" if entry.pseudonym else ""
        yield f"{BALP}/StructureDefinition/IHE.BasicAudit.{of_patient}{PATTERNS[entry.action]}"


def _subtypes(entry: Entry) -> Iterator[dict[str, str]]:
    """What it was among the interactions of FHIR, and then our own word for it."""
    of_fhir = OF_FHIR[entry.action]
    code = entry.interaction if entry.interaction in of_fhir else of_fhir[0]
    yield _coding(REST, code)
    if entry.interaction not in (code, ""):
        yield _coding(INTERACTION, entry.interaction)


def _agents(entry: Entry, fhir_base: str, world: World) -> Iterator[dict[str, Any]]:
    takes, gives = (DESTINATION, SOURCE) if entry.action == "R" else (SOURCE, DESTINATION)
    policy = list(_policy(entry))
    yield {
        "type": _concept(DICOM, *takes),
        "who": {"identifier": {"system": CLIENT, "value": entry.client}},
        "requestor": not entry.user_id,
        **({} if entry.user_id or not policy else {"policy": policy}),
        "network": _network(entry),
    }
    yield {
        "type": _concept(DICOM, *gives),
        "who": {"identifier": {"system": "urn:ietf:rfc:3986", "value": fhir_base}},
        "requestor": False,
        "network": {"address": fhir_base, "type": "5"},
    }
    if entry.user_id:
        yield {
            "type": _concept(f"{TERMINOLOGY}/v3-ParticipationType", *_takes_part(entry)),
            "who": {"identifier": _person(entry.user_id)},
            "requestor": True,
            **({"policy": policy} if policy else {}),
            "purposeOfUse": [_purpose(entry)],
        }
    yield {
        "type": _concept(f"{TERMINOLOGY}/v3-ParticipationType", "RESP", "responsible party"),
        "who": _responsible(entry, world),
        "requestor": False,
    }
    yield {
        "type": _concept(f"{TERMINOLOGY}/v3-RoleClass", "PROV", "healthcare provider"),
        **({"role": [{"text": role} for role in entry.roles]} if entry.roles else {}),
        "who": _organisation(entry, world),
        "requestor": False,
    }


def _entities(entry: Entry) -> Iterator[dict[str, Any]]:
    if entry.pseudonym:
        known = {"reference": f"Patient/{entry.patient}"} if entry.patient else {}
        yield {
            "type": _entity("1", "Person"),
            "role": _coding(f"{TERMINOLOGY}/object-role", "1", "Patient"),
            "what": {
                **known,
                "type": "Patient",
                "identifier": {"system": PSEUDONYM, "value": str(entry.pseudonym)},
            },
        }
    if entry.action == "E":
        asked = f"{entry.what}?{urlencode([(name, '') for name in entry.query])}"
        digest = {"description": f"keyed digest of the query: {entry.digest}"} if entry.digest else {}
        yield {
            "type": _entity("2", "System Object"),
            "role": _coding(f"{TERMINOLOGY}/object-role", "24", "Query"),
            **digest,
            "query": b64encode(asked.encode()).decode(),
        }
    else:
        version = f"/_history/{entry.version}" if entry.version else ""
        yield {
            "type": _entity("2", "System Object"),
            "role": _coding(f"{TERMINOLOGY}/object-role", "4", "Domain Resource"),
            "what": {"reference": f"{entry.what}{version}"},
        }
    if entry.consent:
        yield {
            "type": _coding("http://hl7.org/fhir/resource-types", "Consent", "Consent"),
            "what": {"reference": f"Consent/{entry.consent}"},
        }
    yield {
        "type": _coding(f"{BALP}/CodeSystem/BasicAuditEntityType", "XrequestId"),
        "what": {"identifier": {"value": entry.request}},
    }
    if entry.correlation:
        yield {
            "type": _coding(INTERACTION, "correlation"),
            "what": {"identifier": {"value": entry.correlation}},
        }


def _policy(entry: Entry) -> Iterator[str]:
    """The rule, and the version of the pathway whose role it was about."""
    rule, _, pathway = entry.rule.partition(" ")
    if rule:
        yield f"{BASE}/rule/{rule}"
    if pathway:
        yield f"{BASE}/PlanDefinition/{pathway.partition(' ')[0]}"


def _responsible(entry: Entry, world: World) -> dict[str, Any]:
    """Whoever is named, else the user, else the organisation itself."""
    person = entry.responsible or entry.user_id
    return {"identifier": _person(person)} if person else _organisation(entry, world)


def _organisation(entry: Entry, world: World) -> dict[str, Any]:
    if not entry.organisation.int:
        return {"display": "beheerder van ketenzorg"}
    return {
        "reference": f"Organization/{entry.organisation}",
        "display": name_of(entry.organisation, world),
    }


def _person(id_: str) -> dict[str, str]:
    """As the token names it: a number within its system, or the client's own name for somebody."""
    system, _, value = id_.rpartition("#")
    return {"system": system or USER, "value": value}


def _takes_part(entry: Entry) -> tuple[str, str]:
    return ("AUT", "author") if entry.action in "CUD" else ("IRCP", "information recipient")


def _network(entry: Entry) -> dict[str, Any]:
    if not entry.address:
        absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
        return {"extension": [{"url": absent, "valueCode": "unknown"}]}
    return {"address": entry.address, "type": "2"}


def _purpose(entry: Entry) -> dict[str, Any]:
    return _concept(f"{TERMINOLOGY}/v3-ActReason", entry.purpose)


def _entity(code: str, display: str) -> dict[str, str]:
    return _coding(f"{TERMINOLOGY}/audit-entity-type", code, display)


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}


def _coding(system: str, code: str, display: str = "") -> dict[str, str]:
    return {"system": system, "code": code, **({"display": display} if display else {})}
