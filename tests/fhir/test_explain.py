"""Everything that is wrong comes back at once, each with its place and a text that one can act on."""

import copy
import json
import re
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ketenzorg.errors import KetenzorgError, Malformed
from ketenzorg.fhir.bounds import read
from ketenzorg.fhir.decode import decode, decode_as
from ketenzorg.fhir.explain import explain
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.fhir.r4 import OperationOutcome

PATIENT_URL = "urn:uuid:8d4a9b1c-2f00-4c1e-9f0e-0c5b6c7d8e9f"
REFERRAL_URL = "urn:uuid:1d4a9b1c-2f00-4c1e-9f0e-0c5b6c7d8e9f"
SUBJECT = {"reference": PATIENT_URL}


def _entry(url: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "fullUrl": url,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }


REFERRAL: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        _entry(
            PATIENT_URL,
            {
                "resourceType": "Patient",
                "name": [{"family": "Putten", "given": ["Jo", None], "_given": [None, {"id": "g"}]}],
                "telecom": [{"system": "phone", "value": "0612345678"}],
                "gender": "female",
                "birthDate": "1958-04-12",
            },
        ),
        _entry(
            REFERRAL_URL,
            {
                "resourceType": "ServiceRequest",
                "identifier": [{"system": "https://his.example/verwijzing", "value": "V-1"}],
                "status": "active",
                "intent": "order",
                "code": {"text": "Welzijn op Recept"},
                "subject": SUBJECT,
                "authoredOn": "2026-11-02T10:00:00+01:00",
            },
        ),
        _entry(
            "urn:uuid:2d4a9b1c-2f00-4c1e-9f0e-0c5b6c7d8e9f",
            {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "focus": {"reference": REFERRAL_URL},
                "for": SUBJECT,
                "input": [{"type": {"text": "taal"}, "valueCode": "nl"}],
            },
        ),
        _entry(
            "urn:uuid:3d4a9b1c-2f00-4c1e-9f0e-0c5b6c7d8e9f",
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "gewicht"},
                "subject": SUBJECT,
                "valueQuantity": {"value": 81.5, "unit": "kg"},
            },
        ),
    ],
}


def refused(data: object) -> dict[str, str]:
    """English text by place."""
    with pytest.raises(Malformed) as caught:
        decode(json.dumps(data).encode())
    return {issue.expression[0]: issue.en for issue in caught.value.issues}


def test_a_good_referral_has_nothing_to_explain() -> None:
    body = json.dumps(REFERRAL).encode()
    assert decode(body)
    assert explain(read(body)) == []


def test_ten_mistakes_give_ten_issues_with_ten_places() -> None:
    bundle = copy.deepcopy(REFERRAL)
    patient, referral, task, observation = (entry["resource"] for entry in bundle["entry"])
    patient["gender"] = "femail"
    patient["birthDate"] = "1958-02-31"
    patient["name"][0]["famly"] = "x"
    del patient["telecom"][0]["system"]
    referral["subject"] = {"reference": "Observation/1"}
    referral["authoredOn"] = "2026-11-02T10:00:00"
    del task["intent"]
    task["input"][0]["valueString"] = "nl"
    observation["valueQuantity"]["value"] = "81.5"
    observation["dataAbsentReason"] = {"text": "x"}
    assert refused(bundle) == {
        "Bundle.entry[0].resource.name[0].famly": "FHIR R4 has no element famly here. Did you mean family?",
        "Bundle.entry[0].resource.gender": (
            "This code 'femail' is not allowed here; allowed are: male, female, other, unknown. Did you mean female?"
        ),
        "Bundle.entry[0].resource.birthDate": "This is not an existing date: YYYY, YYYY-MM or YYYY-MM-DD.",
        "Bundle.entry[0].resource.telecom[0].system": (
            "Give the kind of contact (system: phone, email ...) with its value. (cpt-2)"
        ),
        "Bundle.entry[1].resource.authoredOn": (
            "This is not an existing dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz."
        ),
        "Bundle.entry[1].resource.subject.reference": (
            "This reference cannot point at Observation; it can point at: Patient, Group, Location, Device."
        ),
        "Bundle.entry[2].resource.intent": "The required element intent is missing.",
        "Bundle.entry[2].resource.input[0].value": "Only one value[x] is allowed; given are valueCode, valueString.",
        "Bundle.entry[3].resource.value.ofType(Quantity).value": "This must be a number, without quotes.",
        "Bundle.entry[3].resource.dataAbsentReason": (
            "A reason for the absence of data cannot stand beside a value. (obs-6)"
        ),
    }


def test_an_unknown_type_is_not_supported_and_named() -> None:
    for kind, text in [
        ("Device", "The type Device is not supported here."),
        ("ServicRequest", "FHIR R4 has no type ServicRequest. Did you mean ServiceRequest?"),
        ("Jansen 999911120", "FHIR R4 has no type ?."),
    ]:
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": {"resourceType": kind}}],
        }
        with pytest.raises(Malformed) as caught:
            decode(json.dumps(bundle).encode())
        (issue,) = caught.value.issues
        assert (issue.code, issue.en, issue.expression) == (
            "not-supported",
            text,
            ("Bundle.entry[0].resource",),
        )


def test_a_refused_value_is_not_blamed_twice() -> None:
    """The wrong clinicalStatus is named once; no rule says that it is missing."""
    condition = {
        "resourceType": "Condition",
        "subject": SUBJECT,
        "clinicalStatus": "active",
        "abatementString": "x",
    }
    assert list(refused(condition)) == ["Condition.clinicalStatus"]


def test_at_most_a_hundred_issues_and_how_many_more() -> None:
    patient = {"resourceType": "Patient", "name": [{"naam": "x"}] * 150}
    with pytest.raises(Malformed) as caught:
        decode(json.dumps(patient).encode())
    assert len(caught.value.issues) == 100
    assert caught.value.issues[-1].en == "And 51 more mistakes."


def test_a_flood_of_mistakes_is_not_counted_to_the_end() -> None:
    patient = {"resourceType": "Patient", "extension": [{"url": "urn:x"}] * 50_000, "active": "ja"}
    with pytest.raises(Malformed) as caught:
        decode(json.dumps(patient).encode())
    assert caught.value.issues[-1].en == "And at least 902 more mistakes."


def test_no_value_of_the_body_comes_back() -> None:
    secret = "Geheim999911120"
    body = {
        "resourceType": "Patient",
        secret: secret,
        "gender": secret,
        "birthDate": secret,
        "id": secret + "/",
        "active": secret,
        "maritalStatus": secret,
        "managingOrganization": {"reference": f"{secret}/1"},
        "contained": [{"resourceType": secret}],
    }
    with pytest.raises(Malformed) as caught:
        decode(json.dumps(body).encode())
    assert len(caught.value.issues) == 7
    assert secret not in repr(caught.value.issues)


def test_an_outcome_is_valid_and_bilingual() -> None:
    with pytest.raises(Malformed) as caught:
        decode(b'{"resourceType":"Patient","naam":"x"}')
    outcome = decode_as(operation_outcome(caught.value.issues, caught.value.code), OperationOutcome)
    (issue,) = outcome.issue
    assert issue.details
    assert (issue.severity, issue.code, issue.expression) == ("error", "structure", ["Patient.naam"])
    assert issue.details.text == "FHIR R4 kent hier geen element naam. Bedoelt u name?"
    assert issue.diagnostics == "FHIR R4 has no element naam here. Did you mean name?"


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else []
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


_PLACES = _places(REFERRAL)[1:]
_JUNK = st.sampled_from(
    [
        None,
        True,
        1,
        -1.5,
        "",
        "x",
        "a b",
        [],
        {},
        [None],
        [[]],
        {"x": 1},
        [{}],
        "2024-02-30",
        "#",
        "urn:x",
        10**17,
    ]
)


@given(st.lists(st.tuples(st.sampled_from(_PLACES), _JUNK), min_size=1, max_size=5))
@settings(max_examples=400, deadline=None)
def test_any_junk_at_any_place_is_read_or_explained(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    bundle = copy.deepcopy(REFERRAL)
    for path, junk in changes:
        _put(bundle, path, copy.deepcopy(junk))
    body = json.dumps(bundle).encode()
    try:
        decode(body)
    except KetenzorgError as error:
        assert error.issues
        for issue in error.issues:
            assert issue.expression, (
                "an issue without a place: the fast path refused what the slow one did not find"
            )
            assert re.fullmatch(
                r"[A-Za-z?_]+(\.[A-Za-z_?]+|\[\d+\]|\.ofType\([A-Za-z]+\))*", issue.expression[0]
            )
    else:
        assert explain(read(body)) == []


def _put(data: Any, path: tuple[Any, ...], junk: Any) -> None:
    """Somewhere above, an earlier change may have taken the place away."""
    for key in path[:-1]:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and key not in data):
            return
        if isinstance(data, list) and (not isinstance(key, int) or key >= len(data)):
            return
        data = data[key]
    if isinstance(data, dict) or (
        isinstance(data, list) and isinstance(path[-1], int) and path[-1] < len(data)
    ):
        data[path[-1]] = junk
