"""Referrals for chronic kidney disease, for tests: one valid Bundle, with other answers and measurements."""

from typing import Any

URA = "http://fhir.nl/fhir/NamingSystem/ura"
LOINC = "http://loinc.org"
EGFR, CREATININE, ACR = "62238-1", "14682-9", "32294-1"
UNITS = {EGFR: "mL/min/{1.73_m2}", CREATININE: "umol/L", ACR: "mg/mmol"}
BSN = "999990019"
PATIENT, REQUEST = (
    "urn:uuid:6f1a3c1e-2222-4a6b-9d5e-000000000001",
    "urn:uuid:6f1a3c1e-2222-4a6b-9d5e-000000000002",
)


def a_kidney_referral(
    number: str = "N-1",
    *,
    answers: dict[str, bool | str] | None = None,
    measured: list[dict[str, Any]] | None = None,
    municipality: str = "Groningen",
    performer: str = "",
) -> dict[str, Any]:
    """A practice's Bundle; `answers` by linkId beside that there is no acute injury."""
    request: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "https://his.example/verwijzing", "value": number}],
        "status": "active",
        "intent": "order",
        "code": {
            "coding": [
                {
                    "system": "https://ketenzorg.example/fhir/CodeSystem/pathway",
                    "code": "chronische-nierschade",
                }
            ]
        },
        "subject": {"reference": PATIENT},
        "authoredOn": "2026-01-12T10:15:00+01:00",
        "requester": {"identifier": {"system": URA, "value": "99990003"}},
    }
    if performer:
        request["performer"] = [{"identifier": {"system": URA, "value": performer}}]
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": BSN}],
        "name": [{"family": "Veldkamp"}],
        "birthDate": "1958-05-17",
        "address": [{"district": municipality}],
    }
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://ketenzorg.example/fhir/Questionnaire/chronische-nierschade|0.1.0",
        "status": "completed",
        "subject": {"reference": PATIENT},
        "authored": "2026-01-12T10:14:00+01:00",
        "item": [_item(name, said) for name, said in {"vermoeden-acuut": False, **(answers or {})}.items()],
    }
    observations = STEADY if measured is None else measured
    entries = [
        _entry(patient, PATIENT),
        _entry(request, REQUEST),
        _entry(response),
        *(_entry({**each, "subject": {"reference": PATIENT}}) for each in observations),
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def measurement(code: str, value: float, day: str, *, unit: str = "") -> dict[str, Any]:
    """An Observation without a subject."""
    unit = unit or UNITS[code]
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": f"{day}T08:00:00+01:00",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def new_data(based_on: str, *observations: dict[str, Any]) -> dict[str, Any]:
    """What a laboratory sends later, for a request that we know."""
    named = [{**each, "basedOn": [{"reference": based_on}]} for each in observations]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(each) for each in named]}


def _item(name: str, said: bool | str) -> dict[str, Any]:
    answer = {"valueBoolean": said} if isinstance(said, bool) else {"valueCoding": {"code": said}}
    return {"linkId": name, "answer": [answer]}


def _entry(resource: dict[str, Any], full_url: str = "") -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {**({"fullUrl": full_url} if full_url else {}), "resource": resource, "request": request}


STEADY = [
    measurement(EGFR, 52, "2025-06-02"),
    measurement(EGFR, 51, "2025-10-06"),
    measurement(EGFR, 50, "2026-01-07"),
    measurement(ACR, 5.5, "2025-10-06"),
    measurement(ACR, 5.0, "2026-01-07"),
]
