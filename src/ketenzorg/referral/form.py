"""A referral that a practice typed, as the transaction Bundle that a practice with an integration would post.

https://hl7.org/fhir/R4/http.html#transaction. The number that the form carried is the referral's identifier, so a
form that is sent twice is one referral.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from ketenzorg.fhir import json
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.stored import instant

FORM_SYSTEM = f"{BASE}/praktijk-formulier"
BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
UNKNOWN = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "asked-unknown"}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is referred; what was left empty is empty."""

    name: str
    birth_date: str  # 1948-05-17
    municipality: str
    bsn: str = ""
    phone: str = ""
    email: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""


class Answer(msgspec.Struct, frozen=True):
    """The answer to one question of the pathway."""

    name: str
    type: str  # that of the pathway file: ja-nee, code, datum, tekst
    said: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A filled-in form."""

    number: UUID
    at: datetime
    pathway: str  # canonical of its PlanDefinition
    questionnaire: str
    service: dict[str, str]  # Coding
    requester: tuple[str, str]  # system and value
    requester_name: str
    person: Person
    answers: tuple[Answer, ...]


def bundle_of(sheet: Sheet) -> bytes:
    """The same form gives the same Bundle, apart from the moment."""
    patient = _full_url(sheet, "Patient")
    resources = (_patient(sheet.person), _request(sheet, patient), _responses(sheet, patient))
    entries = [
        {
            "fullUrl": _full_url(sheet, each["resourceType"]),
            "resource": each,
            "request": {"method": "POST", "url": each["resourceType"]},
        }
        for each in resources
    ]
    return json.write({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _full_url(sheet: Sheet, kind: str) -> str:
    return uuid5(sheet.number, kind).urn


def _patient(person: Person) -> dict[str, Any]:
    home = {
        "use": "home",
        "line": [person.street] if person.street else [],
        "city": person.town,
        "district": person.municipality,
        "postalCode": person.postcode,
        "country": "NL",
    }
    telecom = [
        {"system": system, "value": value}
        for system, value in (("phone", person.phone), ("email", person.email))
        if value
    ]
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": BSN, "value": person.bsn}] if person.bsn else [],
        "name": [{"use": "official", "text": person.name}],
        "telecom": telecom,
        "birthDate": person.birth_date,
        "address": [_filled(home)],
    }
    return _filled(patient)


def _request(sheet: Sheet, patient: str) -> dict[str, Any]:
    system, value = sheet.requester
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": FORM_SYSTEM, "value": str(sheet.number)}],
        "instantiatesCanonical": [sheet.pathway],
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [sheet.service]},
        "subject": {"reference": patient},
        "authoredOn": instant(sheet.at),
        "requester": {
            "identifier": {"system": system, "value": value},
            "display": sheet.requester_name,
        },
    }


def _responses(sheet: Sheet, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": sheet.questionnaire,
        "status": "completed",
        "subject": {"reference": patient},
        "authored": instant(sheet.at),
        "item": [
            {"linkId": answer.name, "answer": [_VALUES[answer.type](answer.said)]} for answer in sheet.answers
        ],
    }


def _yes_no(said: str) -> dict[str, Any]:
    """Anything but a plain ja or nee is not known: never a nee."""
    return {"valueBoolean": said == "ja"} if said in ("ja", "nee") else {"valueCoding": UNKNOWN}


_VALUES: dict[str, Callable[[str], dict[str, Any]]] = {
    "ja-nee": _yes_no,
    "code": lambda said: {"valueCoding": {"code": said}},
    "datum": lambda said: {"valueDate": said},
    "tekst": lambda said: {"valueString": said},
}
TYPES = frozenset(_VALUES)


def _filled(element: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in element.items() if value}
