"""$validate: what it says is what intake does, everything at once, and nothing that is sent can hold the service up."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from ketenzorg.api.referee import Referee
from ketenzorg.errors import Unavailable
from ketenzorg.referral.codes import BASE
from referrals import a_referral, of, places
from services import SETTINGS, Service

EXAMPLES = SETTINGS.profiles / "examples"
INCOMING = sorted(
    path
    for path in EXAMPLES.glob("*/kz-*.json")
    if path.stem.startswith(("kz-NewReferral", "kz-NewCoordinationTask", "kz-Patient"))
)
OURS = f"{BASE}/StructureDefinition"
PATIENT = {"resourceType": "Patient", "name": [{"family": "Veldkamp"}]}


def read(path: Path) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return resource


def errors(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [each for each in response.json()["issue"] if each["severity"] in ("error", "fatal")]


def parameters(resource: dict[str, Any], **given: str) -> dict[str, Any]:
    named = [{"name": "resource", "resource": resource}]
    named += [
        {"name": name, "valueCode" if name == "mode" else "valueUri": each} for name, each in given.items()
    ]
    return {"resourceType": "Parameters", "parameter": named}


async def test_intake_and_validate_give_the_same_verdict_of_every_example(service: Service) -> None:
    verdicts = {}
    for n, path in enumerate(INCOMING):
        resource = read(path)
        bundle = a_referral(str(n))
        if resource["resourceType"] == "Task":
            request = {"method": "POST", "url": "Task"}
            bundle["entry"].append({"fullUrl": "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-000000000009",
                                    "resource": resource, "request": request})  # fmt: skip
        else:
            of(bundle, resource["resourceType"]).clear()
            of_kind = next(each["resource"] for each in bundle["entry"] if not each["resource"])
            of_kind.update(resource)
            if "2026-000123" in json.dumps(resource):
                of_kind["identifier"][0]["value"] = str(n)
        taken = await service.his.post("/fhir", json=bundle)
        assert taken.status_code in (200, 422), taken.text
        said = errors(
            await service.his.post(f"/fhir/{resource['resourceType']}/$validate?mode=create", json=resource)
        )
        verdicts[path.stem] = (taken.status_code == 200, not said)
    assert {name for name, (one, other) in verdicts.items() if one != other} == set()
    assert {name for name, (one, _) in verdicts.items() if one} == {
        "kz-NewReferral",
        "kz-NewCoordinationTask",
        "kz-Patient",
    }


async def test_what_changes_the_meaning_unknown_to_us_is_refused_wherever_it_stands(service: Service) -> None:
    modifier = [{"url": "https://voorbeeld.example/niet", "valueBoolean": True}]
    bundle = a_referral("1")
    of(bundle, "QuestionnaireResponse")["item"][0]["modifierExtension"] = modifier
    of(bundle, "Condition")["implicitRules"] = "https://voorbeeld.example/regels"
    refused = await service.his.post("/fhir", json=bundle)
    assert refused.status_code == 422
    assert sorted(places(refused)) == [
        "Bundle.entry[2].resource.implicitRules",
        "Bundle.entry[3].resource.item[0].modifierExtension",
    ]
    escaped = json.dumps(bundle).replace("modifierExtension", "modifier\\u0045xtension")
    assert (await service.his.post("/fhir", content=escaped)).status_code == 422
    referral = await service.refer()
    note = [{"op": "add", "path": "/output", "value": [
        {"type": {"text": "x"}, "valueString": "x", "modifierExtension": modifier}]}]  # fmt: skip
    headers = {"Content-Type": "application/json-patch+json"}
    refused = await service.coach.patch(f"/fhir/{referral['Task']}", json=note, headers=headers)
    assert places(refused) == ["Task.output[0].modifierExtension"]
    ask = {
        "resourceType": "Task", "status": "requested", "intent": "order", "focus": {"reference": referral["Task"]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]},
        "modifierExtension": modifier,
    }  # fmt: skip
    assert places(await service.his.post("/fhir/Task", json=ask)) == ["Task.modifierExtension"]


async def test_what_we_make_is_what_our_profiles_say_in_every_step(service: Service) -> None:
    referral = await service.refer()
    expected = {"Task": "kz-CoordinationTask", "ServiceRequest": "kz-Referral", "CarePlan": "kz-Traject"}
    for event in ("aannemen", "afwijzen"):
        for kind, profile in expected.items():
            asked = {"profile": f"{OURS}/{profile}"}
            response = await service.his.get(f"/fhir/{referral[kind]}/$validate", params=asked)
            assert errors(response) == [], (event, kind)
            assert profile in response.json()["issue"][0]["diagnostics"]
        if event == "aannemen":
            await service.happens(referral["Task"], event)
    changed = (await service.coach.get(f"/fhir/{referral['Task']}")).json() | {
        "businessStatus": {"text": "x"}
    }
    said = await service.coach.post(
        f"/fhir/{referral['Task']}/$validate",
        json=parameters(changed, mode="update", profile=f"{OURS}/kz-CoordinationTask"),
    )
    assert "Task.businessStatus" in [place for each in errors(said) for place in each["expression"]]
    hidden = await service.hospital.get(f"/fhir/{referral['Task']}/$validate")
    assert hidden.status_code == 404


async def test_everything_at_once_in_both_forms(service: Service) -> None:
    request = read(EXAMPLES / "broken" / "kz-NewReferral-status.json") | {"priority": "spoed", "naam": "x"}
    del request["requester"]
    wanted = {
        "ServiceRequest.naam",
        "ServiceRequest.priority",
        "ServiceRequest.requester",
        "ServiceRequest.status",
    }
    profile = f"{OURS}/kz-NewReferral"
    address = "/fhir/ServiceRequest/$validate"
    for response in (
        await service.his.post(address, json=request, params={"profile": profile}),
        await service.his.post(address, json=parameters(request, profile=profile)),
        await service.his.post(address, json=parameters(request, mode="create")),
        await service.his.post(address, json=request | {"meta": {"profile": [profile]}}),
    ):
        assert {place for each in errors(response) for place in each["expression"]} == wanted
        assert all(each["details"]["text"] and each["diagnostics"] for each in response.json()["issue"])
    assert {place for each in errors(await service.his.post(address, json=request))
            for place in each["expression"]} == {"ServiceRequest.naam", "ServiceRequest.priority"}  # fmt: skip


async def test_what_could_not_be_looked_at_is_said(service: Service) -> None:
    response = await service.his.post("/fhir/Patient/$validate", json=PATIENT, params={"mode": "create"})
    assert errors(response) == []
    assert "nl-core-Patient" in response.text
    unknown = "https://elders.example/Veldkamp"
    response = await service.his.post("/fhir/Patient/$validate", json=PATIENT, params={"profile": unknown})
    [error] = errors(response)
    assert (error["code"], unknown in response.text) == ("not-found", False)
    claimed = PATIENT | {"meta": {"profile": [unknown]}}
    response = await service.his.post("/fhir/Patient/$validate", json=claimed)
    assert errors(response) == []
    assert [each["severity"] for each in response.json()["issue"]][-1] == "warning"
    response = await service.his.post(
        "/fhir/Patient/$validate", json=PATIENT, params={"profile": f"{OURS}/kz-Traject"}
    )
    assert [each["code"] for each in errors(response)] == ["invalid"]


BAD = [
    ("Patient/$validate", b"{", 400),
    ("Patient/$validate", b"[" * 2000, 400),
    ("Patient/$validate", b"[]", 400),
    ("Patient/$validate", b'{"resourceType":"Task"}', 400),
    ("Patient/$validate", b'{"resourceType":[{}]}', 400),
    ("Patient/$validate", b'{"resourceType":"Parameters","parameter":[{"name":"mode"}]}', 400),
    ("Patient/$validate", b'{"resourceType":"Parameters","parameter":{}}', 400),
    (
        "Patient/$validate",
        b'{"resourceType":"Parameters","parameter":[{"name":"resource","resource":3}]}',
        400,
    ),
    ("Patient/$validate?mode=alles", b'{"resourceType":"Patient"}', 400),
    ("Patient/$validate?profile=", b'{"resourceType":"Patient"}', 400),
    ("Specimen/$validate", b'{"resourceType":"Specimen"}', 404),
    ("Patient/1/$validate", b'{"resourceType":"Patient","id":"1"}', 404),
    ("Patient/$validate", b'{"resourceType":"Patient","x":"' + b"a" * 2**20 + b'"}', 413),
]


async def test_what_cannot_be_validated_is_an_error_of_the_request(service: Service) -> None:
    for path, body, status in BAD:
        response = await service.his.post(f"/fhir/{path}", content=body)
        assert response.status_code == status, (path, body[:80])
        assert response.json()["resourceType"] == "OperationOutcome"


async def test_the_mode_says_what_is_not_done_here(service: Service) -> None:
    plan = read(EXAMPLES / "valid" / "kz-Traject.json")
    for mode in ("create", "update", "delete", "profile"):
        response = await service.his.post("/fhir/CarePlan/$validate", json=parameters(plan, mode=mode))
        code = "required" if mode == "profile" else "not-supported"
        assert [each["code"] for each in errors(response)] == [code]


async def test_hostile_bodies_get_an_answer_and_no_value_of_theirs_comes_back(service: Service) -> None:
    for change in (
        {"name": 1}, {"name": [[]]}, {"meta": []}, {"meta": {"profile": [1, {}]}}, {"identifier": [None]},
        {"identifier": [{"system": 5, "value": {}}]}, {"contained": [1]}, {"birthDate": "999990019"},
        {"Trijntje Veldkamp": "Veldkamp"}, {"meta": {"tag": [1]}}, {"extension": {"url": 3}}, {"identifier": {}},
    ):  # fmt: skip
        for mode in ("", "?mode=create"):
            response = await service.his.post(
                f"/fhir/Patient/$validate{mode}", json={"resourceType": "Patient", **change}
            )
            assert errors(response) or change == {"meta": {"tag": [1]}}, change
            assert "999990019" not in response.text
            assert "Veldkamp" not in response.text


async def test_our_definitions_can_be_read_and_found_and_leave_no_line_in_the_log(service: Service) -> None:
    before = await service.rows("select count(*) from ketenzorg.audit")
    statement = (await service.his.get("/fhir/metadata")).json()
    supported = [
        profile
        for each in statement["rest"][0]["resource"]
        for profile in each.get("supportedProfile", ())
        if profile.startswith(BASE)
    ]
    assert len(supported) == len(list((EXAMPLES / "valid").iterdir()))
    for url in supported:
        found = (await service.his.get("/fhir/StructureDefinition", params={"url": url})).json()
        [entry] = found["entry"]
        one = await service.his.get(f"/fhir/StructureDefinition/{entry['resource']['id']}")
        assert one.json() == entry["resource"]
    plan = await service.coach.get("/fhir/PlanDefinition/welzijn-op-recept-0.1.0")
    assert plan.json()["status"] == "draft"
    assert (await service.his.get("/fhir/ValueSet/bestaat-niet")).status_code == 404
    assert (await service.his.get("/fhir/ValueSet", params={"naam": "x"})).status_code == 400
    assert (await service.stranger.get("/fhir/ValueSet/step")).status_code == 401
    assert await service.rows("select count(*) from ketenzorg.audit") == before


async def test_a_resource_that_takes_too_long_is_stopped_and_the_next_is_answered(tmp_path: Path) -> None:
    """A regular expression that a thread could not stop: it keeps the interpreter to itself."""
    slow = {
        "resourceType": "StructureDefinition",
        "url": "urn:slow",
        "type": "Patient",
        "differential": {
            "element": [{"id": "Patient", "path": "Patient", "constraint": [
                {"key": "s-1", "severity": "error", "human": "s", "expression": "name.family.matches('(a+)+$')"}]}]
        },
    }  # fmt: skip
    referee = Referee(lambda: [slow], tmp_path, os.environ, longest=2)
    patient = {"resourceType": "Patient", "name": [{"family": "a" * 60 + "!"}]}
    try:
        [stopped] = await referee.issues(json.dumps(patient).encode(), ["urn:slow"])
        assert (stopped.code, stopped.severity) == ("too-costly", "fatal")
        [fine] = await referee.issues(json.dumps(patient).encode(), [])
        assert fine.severity == "information"
        referee._waiting = 16
        with pytest.raises(Unavailable):
            await referee.issues(b"", [])
    finally:
        await referee.close()
