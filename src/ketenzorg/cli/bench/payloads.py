"""The referrals that the bench posts: one shape of realistic size, every one of another person.

Welzijn op Recept asks for a QuestionnaireResponse (alarm question, consent), so a bundle has seven entries:
Patient, ServiceRequest, Task, Condition, two Observations and that one.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from ketenzorg.access.personal_numbers import WEIGHTS

ENTRIES = 7
STORED = ENTRIES + 2  # the Consent and the CarePlan are ours
SYSTEM = "https://his.example/bench"
FHIR_NL = "http://fhir.nl/fhir/NamingSystem"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
PATHWAY = "https://ketenzorg.example/fhir"
PATIENT, REQUEST, TASK, CONDITION, WEIGHT, PRESSURE, ANSWERS = (
    f"urn:uuid:00000000-0000-4000-8000-{number:012d}" for number in range(1, ENTRIES + 1)
)


def identifier(number: int) -> str:
    """The identifier of a referral, always as long."""
    return f"bench-{number:08d}"


def body(number: int) -> bytes:
    """The bundle of referral `number`, minified; only a copy of bytes, so that load costs little."""
    # Each value of a fixed width, so that every body has the same length.
    values = {
        b"identifier": identifier(number).encode(),
        b"bsn": _bsns()[number % len(_bsns())],
        b"name": b"Proefpersoon%08d" % number,
    }
    return _template() % values


@cache
def _bsns() -> list[bytes]:
    """All numbers of 999xxxxxx, a range for tests, that pass the 11-proef: 90,909, then they come again."""
    prefixes = (str(prefix) for prefix in range(999_000_00, 1_000_000_00))
    checked = (
        (prefix, sum(int(digit) * w for digit, w in zip(prefix, WEIGHTS, strict=False)) % 11)
        for prefix in prefixes
    )
    return [f"{prefix}{check}".encode() for prefix, check in checked if check < 10]  # noqa: PLR2004


@cache
def _template() -> bytes:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": list(_entries())}
    encoded = msgspec.json.encode(bundle).replace(b"%", b"%%")
    for name in (b"identifier", b"bsn", b"name"):
        encoded = encoded.replace(b"<" + name + b">", b"%(" + name + b")b")
    return encoded


def _entries() -> Iterator[dict[str, Any]]:
    for full_url, resource in (
        (PATIENT, _patient()),
        (REQUEST, _request()),
        (TASK, _task()),
        (CONDITION, _condition()),
        (WEIGHT, _observation("29463-7", "Body weight", 71.5, "kg")),
        (PRESSURE, _observation("8480-6", "Systolic blood pressure", 128, "mm[Hg]")),
        (ANSWERS, _answers()),
    ):
        kind = resource["resourceType"]
        yield {"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": kind}}


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": f"{FHIR_NL}/bsn", "value": "<bsn>"}],
        "name": [{"use": "official", "text": "P. <name>", "family": "<name>", "given": ["Proef"]}],
        "telecom": [{"system": "phone", "value": "050-5550100", "use": "home"}],
        "gender": "female",
        "birthDate": "1948-05-17",
        "address": [
            {
                "use": "home",
                "line": ["Voorbeeldstraat 12"],
                "city": "Groningen",
                "district": "Groningen",
                "postalCode": "9711 AA",
                "country": "NL",
            }
        ],
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "nl"}]}, "preferred": True}
        ],
    }


def _request() -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": SYSTEM, "value": "<identifier>"}],
        "instantiatesCanonical": [f"{PATHWAY}/PlanDefinition/welzijn-op-recept"],
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": {
            "coding": [{"system": f"{PATHWAY}/CodeSystem/pathway", "code": "welzijn-op-recept"}],
            "text": "Welzijn op Recept",
        },
        "subject": {"reference": PATIENT},
        "authoredOn": "2026-01-12T10:15:00+01:00",
        "requester": {
            "identifier": {"system": f"{FHIR_NL}/ura", "value": "99990003"},
            "display": "Huisartsenpraktijk De Singel (fictief)",
        },
        "reasonReference": [{"reference": CONDITION}],
        "supportingInfo": [{"reference": WEIGHT}, {"reference": PRESSURE}, {"reference": ANSWERS}],
    }


def _task() -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "description": "Graag binnen een week contact opnemen.",
        "focus": {"reference": REQUEST},
        "for": {"reference": PATIENT},
        "authoredOn": "2026-01-12T10:15:00+01:00",
    }


def _condition() -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": "active"}]},
        "verificationStatus": {
            "coding": [{"system": f"{TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]
        },
        "code": {
            "coding": [
                {
                    "system": "http://hl7.org/fhir/sid/icpc-1-nl",
                    "code": "Z04",
                    "display": "Sociaal/cultureel probleem",
                }
            ]
        },
        "subject": {"reference": PATIENT},
        "onsetDateTime": "2025-11-03",
    }


def _observation(code: str, display: str, value: float, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": f"{TERMINOLOGY}/observation-category", "code": "vital-signs"}]},
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
        "subject": {"reference": PATIENT},
        "effectiveDateTime": "2026-01-12T10:05:00+01:00",
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def _answers() -> dict[str, Any]:
    given: dict[str, dict[str, Any]] = {
        "gevaar": {"valueBoolean": False},
        "toestemming": {"valueBoolean": True},
        "toestemming-datum": {"valueDate": "2026-01-12"},
        "toestemming-reikwijdte": {"valueCoding": {"code": "contactgegevens-en-toelichting"}},
        "reden": {"valueString": "Ik zit veel alleen thuis en wil graag weer onder de mensen komen."},
        "voorkeurstijd": {"valueString": "Doordeweeks na 10 uur"},
        "praktische-beperkingen": {"valueString": "Loopt met een rollator"},
    }
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{PATHWAY}/Questionnaire/welzijn-op-recept|0.1.0",
        "status": "completed",
        "subject": {"reference": PATIENT},
        "authored": "2026-01-12T10:14:00+01:00",
        "item": [{"linkId": name, "answer": [answer]} for name, answer in given.items()],
    }
