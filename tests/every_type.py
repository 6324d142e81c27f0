"""A referral with a resource of every type that may travel with it, and a word of its own in every place for words."""

from typing import Any

from ketenzorg.access.rules import types_for


def minimal(kind: str, bundle: dict[str, Any]) -> dict[str, Any]:
    """A valid resource of each type that may travel with a referral and is not in the example."""
    patient = {"reference": bundle["entry"][0]["fullUrl"]}
    request = {"reference": bundle["entry"][1]["fullUrl"]}
    text = {"text": "x"}
    medication = {"status": "active", "medicationCodeableConcept": text, "subject": patient}
    elements: dict[str, dict[str, Any]] = {
        "AllergyIntolerance": {"clinicalStatus": active("allergyintolerance-clinical"), "patient": patient},
        "Consent": {
            "status": "active",
            "scope": text,
            "category": [text],
            "policyRule": text,
            "patient": patient,
        },
        "Condition": {"code": text, "subject": patient},
        "DiagnosticReport": {"status": "final", "code": text, "subject": patient},
        "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "x"}}]},
        "FamilyMemberHistory": {"status": "completed", "patient": patient, "relationship": text},
        "MedicationRequest": medication | {"intent": "order"},
        "MedicationStatement": medication,
        "Observation": {"status": "final", "code": text, "subject": patient, "valueString": "x"},
        "Practitioner": {"name": [{"text": "x"}]},
        "PractitionerRole": {"code": [text]},
        "Procedure": {"status": "completed", "subject": patient},
        "Provenance": {"target": [request], "recorded": "2026-01-12T09:00:00Z", "agent": [{"who": patient}]},
        "RelatedPerson": {"patient": patient, "name": [{"text": "x"}]},
        "Task": {"status": "requested", "intent": "order", "focus": request},
    }
    return {"resourceType": kind, **elements[kind]}


def active(system: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": "active"}]}


def with_every_type(bundle: dict[str, Any]) -> None:
    here = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    for kind in sorted(types_for("create") - here - {"Organization"}):
        resource = minimal(kind, bundle)
        bundle["entry"].append({"resource": resource, "request": {"method": "POST", "url": kind}})


# Where somebody may write words, by type; § stands for the words.
WORDS: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {"code": {"text": "§"}, "note": [{"text": "§"}]},
    "Condition": {"code": {"text": "§"}, "bodySite": [{"text": "§"}], "note": [{"text": "§"}]},
    "Consent": {"policyRule": {"text": "§"}, "organization": [{"display": "§"}]},
    "DiagnosticReport": {"code": {"text": "§"}, "conclusion": "§"},
    "DocumentReference": {"description": "§", "content": [{"attachment": {"title": "§"}}]},
    "FamilyMemberHistory": {"name": "§", "relationship": {"text": "§"}, "note": [{"text": "§"}]},
    "MedicationRequest": {"reasonCode": [{"text": "§"}], "note": [{"text": "§"}]},
    "MedicationStatement": {
        "reasonCode": [{"text": "§"}],
        "dosage": [{"text": "§"}],
        "note": [{"text": "§"}],
    },
    "Observation": {"valueString": "§", "note": [{"text": "§"}]},
    "Patient": {
        "name": [{"text": "§"}],
        "telecom": [{"system": "phone", "value": "§"}],
        "contact": [{"name": {"text": "§"}}],
        "communication": [{"language": {"text": "§"}}],
        "maritalStatus": {"text": "§"},
        "generalPractitioner": [{"display": "§"}],
    },
    "Practitioner": {"name": [{"text": "§"}], "qualification": [{"code": {"text": "§"}}]},
    "PractitionerRole": {
        "code": [{"text": "§"}],
        "specialty": [{"text": "§"}],
        "availabilityExceptions": "§",
    },
    "Procedure": {"code": {"text": "§"}, "outcome": {"text": "§"}, "note": [{"text": "§"}]},
    "Provenance": {"activity": {"text": "§"}},
    "RelatedPerson": {"name": [{"text": "§"}], "relationship": [{"text": "§"}]},
    "ServiceRequest": {
        "bodySite": [{"text": "§"}],
        "reasonCode": [{"text": "§"}],
        "supportingInfo": [{"display": "§"}],
        "note": [{"text": "§"}],
        "patientInstruction": "§",
    },
    "Task": {
        "description": "§",
        "reasonCode": {"text": "§"},
        "note": [{"text": "§"}],
        "input": [{"type": {"text": "vraag"}, "valueString": "§"}],
    },
}


def place(kind: str, element: str) -> str:
    """The words of an element; those of one place are in no other."""
    return f"(woorden van {kind}.{element})"


def with_words(bundle: dict[str, Any]) -> None:
    """A further resource of every type, and in every place for words the words that name it."""
    kept = ("Patient", "ServiceRequest", "QuestionnaireResponse")  # there is one of each
    spoken = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] in kept]
    spoken += [minimal(kind, bundle) for kind in sorted(types_for("create") - {"Organization", *kept})]
    for resource in spoken:
        kind = resource["resourceType"]
        for element, value in WORDS.get(kind, {}).items():
            resource[element] = _worded(value, place(kind, element))
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{place(kind, "text")}</div>'
        resource["text"] = {"status": "additional", "div": div}
        own = {"url": "https://his.example/eigen", "valueString": place(kind, "extension")}
        resource["extension"] = [*resource.get("extension", ()), own]
        if kind not in kept:
            bundle["entry"].append({"resource": resource, "request": {"method": "POST", "url": kind}})


def _worded(value: Any, words: str) -> Any:
    if isinstance(value, str):
        return value.replace("§", words)
    if isinstance(value, list):
        return [_worded(each, words) for each in value]
    return {key: _worded(each, words) for key, each in value.items()}


def words() -> set[tuple[str, str]]:
    """Everywhere that words stand in such a bundle."""
    kinds = types_for("create") - {"Organization"}
    return {(kind, element) for kind in kinds for element in ("text", "extension", *WORDS.get(kind, ()))}
