"""The Consent under which data are shared, as FHIR: the ones that come in, and those that we make.

https://hl7.org/fhir/R4/consent.html. R4 lets Consent.source point at answers but not at a request, so what a
consent is about stands in provision.data: our ServiceRequest, and what is related to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.fhir import json
from ketenzorg.fhir.dates import Period, period_of
from ketenzorg.fhir.privacy import PRIVACY, SCOPES, is_about_privacy
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.stored import ours

Basis = Literal["verondersteld", "uitdrukkelijk", "bezwaar"]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
BASIS_SYSTEM = f"{BASE}/CodeSystem/consent-basis"
SCOPE_SYSTEM = f"{BASE}/CodeSystem/consent-scope"
PATHWAY_SYSTEM = f"{BASE}/CodeSystem/pathway"
KIND_SYSTEM = f"{BASE}/CodeSystem/organisation-kind"  # in a logical reference: every organisation of a kind
# The nearest code of v3-ActCode, and what it is called here.
POLICIES: dict[Basis, tuple[str, str]] = {
    "verondersteld": ("IMPLIEDD", "Veronderstelde toestemming (NEN 7517, WGBO)"),
    "uitdrukkelijk": ("OPTIN", "Uitdrukkelijke toestemming"),
    "bezwaar": ("OPTOUT", "Bezwaar"),
}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient decided: whether these data may go to that organisation. What is not named, it is about all of."""

    permits: bool
    since: datetime
    until: datetime = Period.LATEST  # the first instant at which it no longer holds
    holder: UUID | None = None  # whose data
    holder_kind: str = ""
    user: UUID | None = None  # who gets to see them
    user_kind: str = ""
    pathway: str = ""  # in which context
    traject: UUID | None = None  # which data
    id: UUID | None = None  # of the Consent that says it


class Written(NamedTuple):
    """A Consent about privacy, as it was sent or stored."""

    resource: Mapping[str, Any]
    basis: str  # of one that we made; else empty
    active: bool
    permits: bool
    given: Period | None  # when, as exactly as it is said
    holds: Period
    actors: tuple[Mapping[str, Any], ...]  # references
    purposes: tuple[str, ...]  # names of pathways
    about: tuple[str, ...]  # addresses of what it is limited to


def consents_in(resources: Iterable[Mapping[str, Any]]) -> list[Written]:
    """Those that permit or deny; one that does neither, or is about something else, says nothing here."""
    return [
        _written(each, each["provision"])
        for each in resources
        if each["resourceType"] == "Consent"
        and is_about_privacy(each)
        and each.get("provision", {}).get("type")
        and each["status"] != "entered-in-error"
    ]


def _written(consent: Mapping[str, Any], provision: Mapping[str, Any]) -> Written:
    period = provision.get("period", {})
    start, end = period.get("start"), period.get("end")
    return Written(
        resource=consent,
        basis=_basis(consent),
        active=consent["status"] == "active",
        permits=provision["type"] == "permit",
        given=period_of(consent["dateTime"]) if "dateTime" in consent else None,
        holds=Period(
            period_of(start).low if start else Period.EARLIEST, period_of(end).high if end else Period.LATEST
        ),
        actors=tuple(actor["reference"] for actor in provision.get("actor", ())),
        purposes=tuple(
            each["code"] for each in provision.get("purpose", ()) if each.get("system") == PATHWAY_SYSTEM
        ),
        about=tuple(each["reference"].get("reference", "") for each in provision.get("data", ())),
    )


def _basis(consent: Mapping[str, Any]) -> str:
    codings = consent.get("policyRule", {}).get("coding", ())
    return next((str(each["code"]) for each in codings if each.get("system") == BASIS_SYSTEM), "")


def new_consent(
    id_: UUID,
    basis: Basis,
    *,
    patient: str,
    at: datetime,
    since: str,
    holder: UUID,
    actors: Sequence[UUID],
    request: str = "",
    pathway: str = "",
    kind: str = "",
    source: str = "",
    scope: tuple[str, str] | None = None,
) -> bytes:
    """A Consent of our making. `patient`, `request` and `source` are addresses, `since` is a FHIR date or dateTime.

    `scope`: the code and the text of what the patient agreed to. `kind`: everybody of a kind, in the place of actors.
    """
    code, text = POLICIES[basis]
    recipient = {"coding": [{"system": f"{TERMINOLOGY}/v3-ParticipationType", "code": "IRCP"}]}
    references: list[dict[str, Any]] = [{"reference": f"Organization/{actor}"} for actor in actors]
    references += (
        [{"type": "Organization", "identifier": {"system": KIND_SYSTEM, "value": kind}}] if kind else []
    )
    provision = {
        "type": "deny" if basis == "bezwaar" else "permit",
        "actor": [{"role": recipient, "reference": reference} for reference in references],
        "action": [{"coding": [{"system": f"{TERMINOLOGY}/consentaction", "code": "access"}]}],
        "purpose": [{"system": PATHWAY_SYSTEM, "code": pathway}] if pathway else [],
        "code": [{"coding": [{"system": SCOPE_SYSTEM, "code": scope[0]}], "text": scope[1]}] if scope else [],
        "data": [{"meaning": "related", "reference": {"reference": request}}] if request else [],
    }
    resource = {
        **ours("Consent", id_, 1, at),
        "status": "active",
        "scope": {"coding": [{"system": SCOPES, "code": PRIVACY}]},
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/v3-ActCode", "code": "IDSCL"}]}],
        "patient": {"reference": patient},
        "dateTime": since,
        "performer": [] if basis == "verondersteld" else [{"reference": patient}],
        "organization": [{"reference": f"Organization/{holder}"}],
        "sourceReference": {"reference": source} if source else None,
        "policyRule": {
            "coding": [
                {"system": f"{TERMINOLOGY}/v3-ActCode", "code": code},
                {"system": BASIS_SYSTEM, "code": basis, "display": text},
            ],
            "text": text,
        },
        "provision": {name: value for name, value in provision.items() if value != []},
    }
    return json.write({name: value for name, value in resource.items() if value not in (None, [])})
