"""Data for a traject that runs, one by one: stored and judged as in a Bundle, once, and only where they belong."""

import asyncio
from typing import Any

import pytest

from kidneys import CREATININE, EGFR, a_kidney_referral, measurement, new_data
from referrals import a_referral, places, texts
from services import Referral, Service

BASE = "http://127.0.0.1:8080/fhir"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
OWN = {"system": "https://lab.example/uitslag", "value": "L-1"}


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_kidney_referral("1"))


def result(of: dict[str, Any], value: float = 48, **more: Any) -> dict[str, Any]:
    return {**measurement(EGFR, value, "2026-01-12"), **of, **more}


def based_on(reference: str) -> dict[str, Any]:
    return {"basedOn": [{"reference": reference}]}


async def test_a_result_by_itself_is_stored_and_told_as_a_create(
    service: Service, referral: Referral
) -> None:
    answer = await service.his.post("/fhir/Observation", json=result(based_on(referral["ServiceRequest"])))
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert stored["subject"]["reference"] == referral["Patient"]
    assert answer.headers["location"] == f"{BASE}/Observation/{stored['id']}/_history/1"
    assert (answer.headers["etag"], "last-modified" in answer.headers) == ('W/"1"', True)
    assert (await service.his.get(f"/fhir/Observation/{stored['id']}")).json() == stored
    again = await service.his.post("/fhir/Observation", json=result(based_on(referral["ServiceRequest"])))
    assert (again.status_code, again.headers["location"]) == (200, answer.headers["location"])
    # The same in a Bundle is the same.
    bundle = new_data(referral["ServiceRequest"], measurement(EGFR, 48, "2026-01-12"))
    told = (await service.his.post("/fhir", json=bundle)).json()["entry"][0]["response"]
    assert told["location"] == f"Observation/{stored['id']}"
    assert told["status"] == "200 OK"


@pytest.mark.parametrize(
    "name", ["{ServiceRequest}", "{CarePlan}", "{base}/{CarePlan}", "{ServiceRequest}/_history/1"]
)
async def test_what_it_is_based_on_may_be_named_in_each_way(
    service: Service, referral: Referral, name: str
) -> None:
    named = name.format(base=BASE, ServiceRequest=referral["ServiceRequest"], CarePlan=referral["CarePlan"])
    answer = await service.his.post("/fhir/Observation", json=result(based_on(named)))
    assert answer.status_code == 201, answer.text
    assert answer.json()["basedOn"][0]["reference"] == named.removeprefix(f"{BASE}/")


async def test_what_has_no_based_on_says_whose_it_is_or_what_it_is_related_to(
    service: Service, referral: Referral
) -> None:
    whose = {"reference": referral["Patient"]}
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"title": "echo"}}],
        "context": {"related": [{"reference": referral["ServiceRequest"]}]},
    }
    condition = {"resourceType": "Condition", "code": {"text": "jicht"}, "subject": whose}
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "penicilline"}, "patient": whose}
    allergy["clinicalStatus"] = {"coding": [{"system": CLINICAL, "code": "active"}]}
    for body in (document, condition, allergy):
        answer = await service.his.post(f"/fhir/{body['resourceType']}", json=body)
        assert answer.status_code == 201, answer.text
        found = await service.his.get(f"/fhir/{body['resourceType']}?_id={answer.json()['id']}")
        assert len(found.json()["entry"]) == 1
    together = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": condition | {"code": {"text": "gicht"}},
                "request": {"method": "POST", "url": "Condition"},
            }
        ],
    }
    assert (await service.his.post("/fhir", json=together)).status_code == 200


async def test_what_cannot_wait_is_the_answer_unless_the_resource_is_asked_for(
    service: Service, referral: Referral
) -> None:
    first = measurement(CREATININE, 90, "2026-01-11") | based_on(referral["ServiceRequest"])
    assert (await service.his.post("/fhir/Observation", json=first)).json()["resourceType"] == "Observation"
    acute = measurement(CREATININE, 120, "2026-01-12") | based_on(referral["ServiceRequest"])
    answer = await service.his.post("/fhir/Observation", json=acute)
    assert answer.status_code == 201
    assert "bel nu de dienstdoende internist-nefroloog" in texts(answer)
    worse = measurement(CREATININE, 130, "2026-01-12") | based_on(referral["ServiceRequest"])
    asked = {"Prefer": "return=representation"}
    whole = await service.his.post("/fhir/Observation", json=worse, headers=asked)
    assert whole.json()["resourceType"] == "Observation"
    calm = result(based_on(referral["ServiceRequest"]))
    told = await service.his.post(
        "/fhir/Observation", json=calm, headers={"Prefer": "return=OperationOutcome"}
    )
    assert "bel nu" in texts(told)  # what is judged is all that is there
    minimal = await service.his.post(
        "/fhir/Observation",
        json=result(based_on(referral["CarePlan"]), 47),
        headers={"Prefer": "return=minimal"},
    )
    assert (minimal.status_code, minimal.content) == (201, b"")


async def test_if_none_exist_leaves_what_is_there_as_it_is(service: Service, referral: Referral) -> None:
    condition = {"If-None-Exist": f"identifier={OWN['system']}|{OWN['value']}"}
    body = result(based_on(referral["ServiceRequest"]), identifier=[OWN])
    made = await service.his.post("/fhir/Observation", json=body, headers=condition)
    assert made.status_code == 201
    other = await service.his.post("/fhir/Observation", json=body | {"status": "amended"}, headers=condition)
    assert (other.status_code, other.headers["location"]) == (200, made.headers["location"])
    assert other.json()["status"] == "final"
    many = await service.his.post("/fhir/Observation", json=body | {"status": "amended"})
    assert many.status_code == 201  # without the condition it is another
    several = await service.his.post(
        "/fhir/Observation", json=body | {"status": "corrected"}, headers=condition
    )
    assert (several.status_code, several.json()["issue"][0]["code"]) == (412, "multiple-matches")
    for wrong in ("code=x", f"identifier={OWN['system']}|L-2", "identifier=L-1", ""):
        refused = await service.his.post(
            "/fhir/Observation", json=body | {"status": "registered"}, headers={"If-None-Exist": wrong}
        )
        assert refused.status_code == (422 if wrong else 201), wrong
    mixed = new_data(
        referral["ServiceRequest"], measurement(EGFR, 44, "2026-01-11"), measurement(EGFR, 43, "2026-01-10")
    )
    mixed["entry"][1]["resource"]["identifier"] = [{"system": OWN["system"], "value": "L-3"}]
    mixed["entry"][1]["request"]["ifNoneExist"] = f"identifier={OWN['system']}|L-3"
    [_, first] = (await service.his.post("/fhir", json=mixed)).json()["entry"]
    mixed["entry"][0]["resource"]["status"] = "amended"
    [new, known] = (await service.his.post("/fhir", json=mixed)).json()["entry"]
    assert new["response"]["status"] == "201 Created"
    assert known["response"] == {
        "status": "200 OK", "location": first["response"]["location"].partition("/_history")[0],
    }  # fmt: skip


async def test_where_it_belongs_must_be_said_and_be_there_for_its_sender(
    service: Service, referral: Referral
) -> None:
    nowhere = await service.his.post("/fhir/Observation", json=result({}))
    assert (nowhere.status_code, places(nowhere)) == (422, ["Observation.basedOn"])
    assert "subject = Patient/<id>" in texts(nowhere)
    of_nobody = {"resourceType": "Condition", "subject": {"display": "iemand"}}
    refused = await service.his.post("/fhir/Condition", json=of_nobody)
    assert places(refused) == ["Condition.subject"]
    other = await service.refer(a_referral("2"))
    strangers = result(based_on(referral["ServiceRequest"]), subject={"reference": other["Patient"]})
    answer = await service.his.post("/fhir/Observation", json=strangers)
    assert (answer.status_code, places(answer)) == (422, ["Observation.subject.reference"])
    hidden = await service.coach.post("/fhir/Observation", json=result(based_on(referral["ServiceRequest"])))
    assert hidden.status_code == 404
    unknown = result(based_on(referral["ServiceRequest"])) | {
        "modifierExtension": [{"url": "x", "valueCode": "y"}]
    }
    assert (await service.his.post("/fhir/Observation", json=unknown)).status_code == 422
    wrong = await service.his.post("/fhir/Condition", json=result(based_on(referral["ServiceRequest"])))
    assert wrong.status_code == 400
    patient = await service.his.post("/fhir/Patient", json={"resourceType": "Patient"})
    assert patient.status_code == 405
    team = await service.team.post("/fhir/Observation", json=result(based_on(referral["ServiceRequest"])))
    assert "system/Observation.c" in texts(team)
    assert (await service.rows("select count(*) as n from ketenzorg.event"))[0]["n"] == 2


async def test_who_does_not_see_a_type_adds_it_and_hears_what_changed(service: Service) -> None:
    referral = await service.refer(a_referral("1"))
    body = {
        "resourceType": "Condition",
        "code": {"text": "eenzaamheid"},
        "subject": {"reference": referral["Patient"]},
    }
    answer = await service.coach.post("/fhir/Condition", json=body)
    assert (answer.status_code, answer.json()["resourceType"]) == (201, "OperationOutcome")
    where = answer.headers["location"].partition("/fhir")[2].partition("/_history")[0]
    assert (await service.coach.get(f"/fhir{where}")).status_code == 404
    assert (await service.his.get(f"/fhir{where}")).json()["code"]["text"] == "eenzaamheid"


async def test_if_none_exist_tells_nobody_of_what_it_does_not_see(service: Service) -> None:
    referral = await service.refer(a_referral("1"))
    body = {
        "resourceType": "Condition",
        "identifier": [OWN],
        "code": {"text": "depressie"},
        "subject": {"reference": referral["Patient"]},
    }
    assert (await service.his.post("/fhir/Condition", json=body)).status_code == 201
    condition = {"If-None-Exist": f"identifier={OWN['system']}|{OWN['value']}"}
    guess = body | {"code": {"text": "geraden"}}
    assert (await service.coach.post("/fhir/Condition", json=guess, headers=condition)).status_code == 201
    found = await service.his.post("/fhir/Condition", json=guess | {"code": {"text": "x"}}, headers=condition)
    assert found.status_code == 412  # who sees both is told


async def test_sixteen_at_once_under_one_condition_make_one(service: Service, referral: Referral) -> None:
    condition = {"If-None-Exist": f"identifier={OWN['system']}|{OWN['value']}"}
    bodies = [result(based_on(referral["CarePlan"]), 40 + n, identifier=[OWN]) for n in range(16)]
    sent = [service.his.post("/fhir/Observation", json=body, headers=condition) for body in bodies]
    statuses = [each.status_code for each in await asyncio.gather(*sent)]
    assert statuses.count(201) == 1, statuses
    assert set(statuses) <= {200, 201, 409}  # 409: others were at work, three times over


async def test_a_wish_of_the_patient_may_come_by_itself(service: Service, referral: Referral) -> None:
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "dateTime": "2026-01-12",
        "scope": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
            ]
        },
        "category": [{"text": "delen"}],
        "patient": {"reference": referral["Patient"]},
        "policyRule": {"text": "wens"},
        "provision": {"type": "deny"},
    }
    answer = await service.his.post("/fhir/Consent", json=consent)
    assert answer.status_code == 201, answer.text
    again = await service.his.post("/fhir/Consent", json=consent)
    assert (again.status_code, again.headers["location"]) == (200, answer.headers["location"])
