"""fhir.resources (R4B) as an independent second opinion: it must agree, or the difference is listed with its reason."""

import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from ketenzorg.errors import KetenzorgError
from ketenzorg.fhir.decode import decode

BASES: dict[str, dict[str, Any]] = {
    "Patient": {
        "id": "p1",
        "active": True,
        "name": [{"use": "official", "family": "Putten", "given": ["Jo"], "period": {"start": "2020"}}],
        "telecom": [{"system": "phone", "value": "1"}],
        "gender": "female",
        "birthDate": "1958-04-12",
        "contact": [{"name": {"text": "x"}}],
        "managingOrganization": {"reference": "Organization/1"},
    },
    "ServiceRequest": {
        "instantiatesUri": ["urn:x"],
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "subject": {"reference": "Patient/1"},
        "occurrenceDateTime": "2026-11",
        "authoredOn": "2026-11-02T10:00:00+01:00",
        "note": [{"text": "x"}],
    },
    "Task": {
        "status": "requested",
        "intent": "order",
        "focus": {"reference": "ServiceRequest/1"},
        "restriction": {"repetitions": 1},
        "input": [{"type": {"text": "x"}, "valueString": "y"}],
    },
    "Condition": {
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"},
            ]
        },
        "subject": {"reference": "Patient/1"},
    },
    "Observation": {
        "status": "final",
        "code": {"text": "x"},
        "issued": "2026-11-02T10:00:00Z",
        "valueQuantity": {"value": 1.5, "unit": "kg"},
    },
}
GONE = object()
EXTENSION = {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}
BOTH, ONLY_WE, NEITHER = "both refuse", "only we refuse", "both accept"

# resource, path of the change, what is put there, who refuses; where only we refuse, the reason
CHANGES: list[tuple[str, str, Any, str, str]] = [
    ("Patient", "foo", 1, BOTH, ""),
    ("Patient", "name.0.foo", "x", BOTH, ""),
    ("Patient", "resourceType", "Patiënt", BOTH, ""),
    ("Patient", "active", "ja", BOTH, ""),
    ("Patient", "birthDate", "12-04-1958", BOTH, ""),
    ("Patient", "birthDate", "1958-02-31", BOTH, ""),
    ("Patient", "birthDate", "1958", NEITHER, ""),
    ("Patient", "birthDate", "1958-04", NEITHER, ""),
    ("Patient", "birthDate", "1958-04-12T10:00:00Z", BOTH, ""),
    ("Patient", "name", {"text": "x"}, BOTH, ""),
    ("Patient", "name.0.given", "Jo", BOTH, ""),
    ("Patient", "name.0.family", ["Putten"], BOTH, ""),
    ("Patient", "gender", ["female"], BOTH, ""),
    ("Patient", "id", "a b", BOTH, ""),
    ("Patient", "deceasedBoolean", True, NEITHER, ""),
    ("Patient", "multipleBirthInteger", 1.5, BOTH, ""),
    ("Patient", "_birthDate", EXTENSION, NEITHER, ""),
    ("Patient", "contact.0.name.period.start", "2026-13", BOTH, ""),
    ("ServiceRequest", "subject", GONE, BOTH, ""),
    ("ServiceRequest", "status", GONE, BOTH, ""),
    ("ServiceRequest", "intent", GONE, BOTH, ""),
    ("ServiceRequest", "occurrencePeriod", {"start": "2026"}, BOTH, ""),
    ("ServiceRequest", "authoredOn", "2026-11-02T10:00:00", BOTH, ""),
    ("ServiceRequest", "authoredOn", "2026", NEITHER, ""),
    ("ServiceRequest", "note.0.text", GONE, BOTH, ""),
    ("ServiceRequest", "doNotPerform", False, NEITHER, ""),
    ("ServiceRequest", "subject", [{"reference": "Patient/1"}], BOTH, ""),
    ("Task", "input.0.valueBoolean", True, BOTH, ""),
    ("Task", "input.0.valueString", GONE, BOTH, ""),
    ("Task", "input.0.type", GONE, BOTH, ""),
    ("Task", "restriction.repetitions", 0, BOTH, ""),
    ("Task", "restriction.repetitions", "2x", BOTH, ""),
    ("Task", "intent", GONE, BOTH, ""),
    ("Observation", "code", GONE, BOTH, ""),
    ("Observation", "issued", "2026-11-02", BOTH, ""),
    ("Observation", "issued", "2026-11-02T10:00:00", BOTH, ""),
    ("Observation", "valueString", "x", BOTH, ""),
    ("Observation", "valueQuantity.value", "veel", BOTH, ""),
    ("Patient", "id", "a" * 65, ONLY_WE, "it does not look at the length of an id"),
    ("Patient", "active", "true", ONLY_WE, "it takes a string for a boolean"),
    ("Patient", "active", 1, ONLY_WE, "it takes a number for a boolean"),
    ("Patient", "name", [], ONLY_WE, "it takes empty lists"),
    ("Patient", "name.0.period", {}, ONLY_WE, "it takes empty objects"),
    ("Patient", "gender", None, ONLY_WE, "it takes null"),
    ("Patient", "gender", "vrouw", ONLY_WE, "it has no required bindings"),
    ("Patient", "name.0.use", "officieel", ONLY_WE, "it has no required bindings"),
    ("Patient", "telecom.0.system", GONE, ONLY_WE, "it has no invariants (cpt-2)"),
    ("Patient", "name.0.period.end", "2019", ONLY_WE, "it has no invariants (per-1)"),
    ("Patient", "contact.0", {"gender": "male"}, ONLY_WE, "it has no invariants (pat-1)"),
    ("Patient", "extension", [{"url": "urn:x"}], ONLY_WE, "it has no invariants (ext-1)"),
    (
        "Patient",
        "managingOrganization.reference",
        "Patient/1",
        ONLY_WE,
        "it does not look where references point",
    ),
    ("Patient", "managingOrganization.reference", "#o", ONLY_WE, "it has no invariants (ref-1)"),
    ("ServiceRequest", "status", "actief", ONLY_WE, "it has no required bindings"),
    ("ServiceRequest", "priority", "spoed", ONLY_WE, "it has no required bindings"),
    ("ServiceRequest", "instantiatesUri.0", "urn: x", ONLY_WE, "it takes a uri with a space"),
    ("ServiceRequest", "orderDetail", [{"text": "x"}], ONLY_WE, "it has no invariants (prr-1)"),
    (
        "ServiceRequest",
        "subject.reference",
        "Observation/1",
        ONLY_WE,
        "it does not look where references point",
    ),
    ("Task", "status", "klaar", ONLY_WE, "it has no required bindings"),
    ("Condition", "clinicalStatus.coding.0.code", "actief", ONLY_WE, "it has no required bindings"),
    ("Condition", "abatementString", "x", ONLY_WE, "it has no invariants (con-4)"),
    ("Observation", "dataAbsentReason", {"text": "x"}, ONLY_WE, "it has no invariants (obs-6)"),
    ("Observation", "valueQuantity.value", "1.5", ONLY_WE, "it takes a string for a decimal"),
]


@pytest.mark.parametrize(
    ("kind", "path", "content", "verdict"),
    [change[:4] for change in CHANGES],
    ids=[f"{kind}.{path}-{n}" for n, (kind, path, *_) in enumerate(CHANGES)],
)
def test_both_give_the_listed_verdict(kind: str, path: str, content: Any, verdict: str) -> None:
    resource = copy.deepcopy({"resourceType": kind, **BASES[kind]})
    _change(resource, path, content)
    assert (_we_refuse(resource), _they_refuse(kind, resource)) == (verdict != NEITHER, verdict == BOTH)


@pytest.mark.parametrize("kind", BASES)
def test_both_accept_what_is_changed(kind: str) -> None:
    resource = {"resourceType": kind, **BASES[kind]}
    assert not _we_refuse(resource)
    assert not _they_refuse(kind, resource)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, elements in BASES.items() for name in elements]
)
@pytest.mark.parametrize("junk", [{"x": 1}, [[1]], [{"x": 1}]], ids=["object", "lists", "list"])
def test_both_refuse_junk_anywhere(kind: str, name: str, junk: Any) -> None:
    resource = {"resourceType": kind, **BASES[kind], name: junk}
    assert (_we_refuse(resource), _they_refuse(kind, resource)) == (True, True)


def _change(data: Any, path: str, content: Any) -> None:
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for key in above:
        data = data.setdefault(key, {}) if isinstance(data, dict) else data[key]
    if content is GONE:
        del data[last]
    else:
        data[last] = content


def _we_refuse(resource: Any) -> bool:
    try:
        decode(json.dumps(resource).encode())
    except KetenzorgError:
        return True
    return False


def _they_refuse(kind: str, resource: Any) -> bool:
    try:
        get_fhir_model_class(kind).model_validate_json(json.dumps(resource))
    except ValidationError:
        return True
    return False
