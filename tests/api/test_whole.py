"""A transaction that asks several things: all of it is done, in the order of the specification, or nothing."""

import asyncio
import json
from base64 import b64encode
from typing import Any

import httpx
import pytest

from api.test_appointment import appointment
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from kidneys import EGFR, a_kidney_referral, measurement
from referrals import a_referral, of, places, said, texts
from services import Referral, Service

URA = "http://fhir.nl/fhir/NamingSystem/ura"
OBSERVED = "urn:uuid:6f1a3c1e-3333-4a6b-9d5e-000000000001"
BASE = "http://127.0.0.1:8080/fhir"


def asked(method: str, url: str, resource: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    full_url = {"fullUrl": more.pop("fullUrl")} if "fullUrl" in more else {}
    body = {"resource": resource} if resource is not None else {}
    return {**full_url, **body, "request": {"method": method, "url": url, **more}}


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def json_patch(*operations: dict[str, Any]) -> dict[str, Any]:
    data = b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


def becomes(status: str) -> dict[str, Any]:
    return json_patch({"op": "replace", "path": "/status", "value": status})


def withdrawn() -> dict[str, Any]:
    coding = {"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": "niet-meer-nodig"}
    return json_patch(
        {"op": "replace", "path": "/status", "value": "cancelled"},
        {"op": "add", "path": "/statusReason", "value": {"coding": [coding]}},
    )


def result(based_on: str, value: float = 48, **more: Any) -> dict[str, Any]:
    return {**measurement(EGFR, value, "2026-01-12"), "basedOn": [{"reference": based_on}], **more}


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_referral("1"))


async def told(client: httpx.AsyncClient, *entries: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    answer = await client.post("/fhir", json=transaction(*entries), headers=headers)
    assert answer.status_code == 200, answer.text
    decode_as(answer.content, r4.Bundle)
    assert answer.json()["type"] == "transaction-response"
    found: list[dict[str, Any]] = answer.json()["entry"]
    return found


def statuses(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["response"]["status"][:3] for entry in entries]


async def counts(service: Service) -> list[int]:
    kinds = ("resource", "event", "outbox", "referral_identity")
    return [(await service.rows(f"select count(*) as n from ketenzorg.{kind}"))[0]["n"] for kind in kinds]


async def test_it_is_done_in_the_order_of_the_specification_and_told_in_that_of_the_request(
    service: Service, referral: Referral
) -> None:
    task = referral["Task"]
    found = await told(
        service.coach,
        asked("GET", task),
        asked(
            "PATCH", task, becomes("accepted"), ifMatch='W/"1"'
        ),  # of before, whatever the booking makes of it
        asked("POST", "Appointment", appointment(referral)),
        asked("HEAD", task),
    )
    assert statuses(found) == ["200", "200", "201", "200"]
    assert found[0]["resource"]["status"] == "accepted"
    names = [each["valueReference"]["reference"] for each in found[0]["resource"]["output"]]
    booked = found[2]["response"]["location"].partition("/_history")[0]
    assert booked in names
    version = found[0]["resource"]["meta"]["versionId"]
    assert found[1]["response"]["location"] == f"{task}/_history/{version}"
    assert found[1]["response"]["etag"] == f'W/"{version}"'
    assert found[1]["response"]["lastModified"].endswith("Z")
    assert "resource" not in found[3]


async def test_one_that_is_refused_undoes_all_and_every_reason_is_given(
    service: Service, referral: Referral
) -> None:
    task, before = referral["Task"], await counts(service)
    answer = await service.coach.post(
        "/fhir",
        json=transaction(
            asked("POST", "Appointment", appointment(referral)),
            asked("PATCH", task, becomes("completed"), ifMatch='W/"7"'),
            asked("PUT", "Appointment/00000000-0000-4000-8000-000000000099", {"resourceType": "Appointment"}),
            asked("GET", "Task/00000000-0000-4000-8000-000000000098"),
        ),
    )
    assert answer.status_code == 400  # the first of them is no transaction that can be asked at all
    answer = await service.coach.post(
        "/fhir",
        json=transaction(
            asked("POST", "Appointment", appointment(referral)),
            asked("PATCH", task, becomes("completed"), ifMatch='W/"7"'),
            asked("GET", "Task/00000000-0000-4000-8000-000000000098"),
        ),
    )
    assert answer.status_code == 412, answer.text
    assert {place.partition("]")[0] for place in places(answer)} == {"Bundle.entry[1", "Bundle.entry[2"}
    assert await counts(service) == before
    assert (await service.coach.get(f"/fhir/{task}")).json()["meta"]["versionId"] == "1"
    rows = await service.rows(
        "select what, interaction from ketenzorg.audit where outcome = '4' order by what, interaction"
    )
    assert ("Task/00000000-0000-4000-8000-000000000098", "read") in [tuple(row) for row in rows]
    assert (task, "patch") in [tuple(row) for row in rows]


async def test_what_is_made_can_be_named_by_what_changes_because_of_it(service: Service) -> None:
    referral = await service.refer(a_kidney_referral("1"))
    found = await told(
        service.his,
        asked("POST", "Observation", result(referral["ServiceRequest"]), fullUrl=OBSERVED),
        asked(
            "POST",
            "DiagnosticReport",
            {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": {"text": "nierfunctie"},
                "result": [{"reference": OBSERVED}],
            },
        ),
        asked("GET", f"Observation?patient={referral['Patient']}&_summary=count"),
    )
    assert statuses(found) == ["201", "201", "200"]
    made = [entry["response"]["location"].partition("/_history")[0] for entry in found[:2]]
    report = (await service.his.get(f"/fhir/{made[1]}")).json()
    assert report["result"][0]["reference"] == made[0]


async def test_a_new_referral_and_the_end_of_the_one_that_it_replaces(
    service: Service, referral: Referral
) -> None:
    new = a_referral("2")
    found = await told(service.his, asked("PATCH", referral["Task"], withdrawn()), *new["entry"])
    assert statuses(found)[: len(new["entry"]) + 1] == ["200", *["201"] * len(new["entry"])]
    assert [entry["response"]["location"].partition("/")[0] for entry in found[-2:]] == ["CarePlan", "Task"]
    old = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert old["status"] == "cancelled"
    third, open_task = a_referral("3"), found[-1]["response"]["location"].partition("/_history")[0]
    before = await counts(service)
    refused = await service.his.post(
        "/fhir", json=transaction(*third["entry"], asked("PATCH", open_task, becomes("completed")))
    )
    assert refused.status_code == 409, refused.text  # that is not for who refers to say
    assert f"Bundle.entry[{len(third['entry'])}].resource.status" in places(refused)
    assert await counts(service) == before
    assert (await service.his.post("/fhir", json=third)).json()["entry"][0]["response"][
        "status"
    ] == "201 Created"


async def test_two_entries_on_one_resource_and_two_that_wait_for_each_other_are_refused(
    service: Service, referral: Referral
) -> None:
    task, number = referral["Task"], "https://ketenzorg.example/onbekend"
    twice = transaction(
        asked("PATCH", task, becomes("accepted")), asked("PATCH", f"{BASE}/{task}", becomes("rejected"))
    )
    answer = await service.coach.post("/fhir", json=twice)
    assert answer.status_code == 422
    assert places(answer) == ["Bundle.entry[1].request.url", "Bundle.entry[0].request.url"]
    assert "entry[0]" in texts(answer)
    one, other = (f"urn:uuid:6f1a3c1e-4444-4a6b-9d5e-00000000000{n}" for n in (1, 2))
    kidney = await service.refer(a_kidney_referral("2"))
    circle = transaction(
        asked("GET", task),
        asked(
            "POST",
            "Observation",
            result(kidney["ServiceRequest"], derivedFrom=[{"reference": other}]),
            fullUrl=one,
        ),
        asked(
            "POST",
            "Observation",
            result(referral["ServiceRequest"], derivedFrom=[{"reference": one}]),
            fullUrl=other,
        ),
    )
    answer = await service.his.post("/fhir", json=circle)
    assert (answer.status_code, places(answer)) == (422, ["Bundle.entry[1]", "Bundle.entry[2]"])
    assert number not in answer.text


async def test_a_reference_may_be_a_search_that_finds_one_that_the_caller_sees(
    service: Service, referral: Referral
) -> None:
    bundle = a_referral("2")
    of(bundle, "ServiceRequest")["requester"] = {"reference": f"Organization?identifier={URA}|99990003"}
    taken = await service.refer(bundle)
    stored = (await service.his.get(f"/fhir/{taken['ServiceRequest']}")).json()
    assert stored["requester"]["reference"].startswith("Organization/0000")
    own = of(bundle, "ServiceRequest")["identifier"][0]
    by_number = f"ServiceRequest?identifier={own['system']}|{own['value']}"
    [added] = await told(service.his, asked("POST", "Condition", {
        "resourceType": "Condition", "code": {"text": "jicht"},
        "subject": {"reference": taken["Patient"]},
        "evidence": [{"detail": [{"reference": by_number}]}],
    }))  # fmt: skip
    where = added["response"]["location"].partition("/_history")[0]
    detail = (await service.his.get(f"/fhir/{where}")).json()["evidence"][0]["detail"][0]
    assert detail["reference"] == taken["ServiceRequest"]
    wrong = a_referral("3")
    of(wrong, "ServiceRequest")["supportingInfo"] = [
        {"reference": "ServiceRequest?status=active"},
        {"reference": "ServiceRequest?identifier=none|such"},
        {"reference": "Observation?naam=x"},
    ]
    answer = await service.his.post("/fhir", json=wrong)
    assert answer.status_code == 412
    path = "Bundle.entry[1].resource.supportingInfo"
    assert sorted(places(answer)) == [f"{path}[{n}].reference" for n in range(3)]
    codes = [each["code"] for each in answer.json()["issue"]]
    assert sorted(codes) == ["multiple-matches", "not-found", "not-found"]
    # The search is the caller's own: what is there for another is not there.
    entries = asked("GET", "Task"), asked("POST", "Observation", result(by_number))
    theirs = await service.hospital.post("/fhir", json=transaction(*entries))
    assert theirs.status_code == 412


async def test_what_is_changed_may_be_found_by_a_search(service: Service, referral: Referral) -> None:
    by_focus = f"Task?focus={referral['ServiceRequest']}"
    [changed] = await told(service.coach, asked("PATCH", by_focus, becomes("accepted"), ifMatch='W/"1"'))
    assert changed["response"]["location"] == f"{referral['Task']}/_history/2"
    twice = transaction(asked("PATCH", by_focus, becomes("rejected")), asked("DELETE", referral["Task"]))
    answer = await service.coach.post("/fhir", json=twice)
    assert (answer.status_code, len(places(answer))) == (422, 2)
    stale = transaction(asked("PATCH", by_focus, becomes("rejected"), ifMatch='W/"1"'))
    assert (await service.coach.post("/fhir", json=stale)).status_code == 412
    nobody = transaction(
        asked("PATCH", "Task?focus=ServiceRequest/1", becomes("accepted")), asked("GET", "Task")
    )
    answer = await service.coach.post("/fhir", json=nobody)
    assert (answer.status_code, places(answer)) == (404, ["Bundle.entry[0]"])


async def test_the_same_under_one_key_is_done_once_and_nothing_read_is_kept(
    service: Service, referral: Referral
) -> None:
    entries = (
        asked("PATCH", referral["Task"], becomes("accepted")),
        asked("POST", "Appointment", appointment(referral)),
    )
    first = await told(service.coach, *entries, **{"Idempotency-Key": "k"})
    assert await told(service.coach, *entries, **{"Idempotency-Key": "k"}) == first
    reading = transaction(*entries, asked("GET", referral["Task"]))
    answer = await service.coach.post("/fhir", json=reading, headers={"Idempotency-Key": "m"})
    assert (answer.status_code, places(answer)) == (400, ["Bundle.entry[2].request.method"])


async def test_all_of_it_may_be_given_back(service: Service, referral: Referral) -> None:
    found = await told(
        service.coach,
        asked("POST", f"{referral['Task']}/$event", said("eerste contact")),
        asked("POST", "Appointment", appointment(referral)),
        Prefer="return=representation",
    )
    assert found[1]["resource"]["resourceType"] == "Appointment"


async def test_what_cannot_be_asked_is_refused_before_anything_is_done(
    service: Service, referral: Referral
) -> None:
    answer = await service.coach.post(
        "/fhir",
        json=transaction(
            {"resource": becomes("accepted"), "request": {"method": "PATCH", "url": "../auth/token"}},
            asked("PATCH", referral["Task"]),
            asked("GET", referral["Task"]),
        ),
    )
    assert answer.status_code == 422
    assert places(answer) == ["Bundle.entry[1]"]
    many = await service.coach.post("/fhir", json=transaction(*[asked("GET", "metadata")] * 101))
    assert (many.status_code, places(many)) == (413, ["Bundle.entry"])
    outside = await service.coach.post("/fhir", json=transaction(*[asked("GET", "../auth/jwks")] * 2))
    assert outside.status_code == 404
    assert (await service.coach.get(f"/fhir/{referral['Task']}")).json()["status"] == "requested"


async def test_a_look_that_is_refused_says_why_without_a_body_too(service: Service) -> None:
    referral = await service.refer()
    for method in ("GET", "HEAD"):
        answer = await service.hospital.post("/fhir", json=transaction(asked(method, referral["Task"])))
        assert (answer.status_code, "or not for you" in texts(answer)) == (404, True), method
    looked = await service.his.post("/fhir", json=transaction(asked("HEAD", referral["Task"])))
    assert "resource" not in looked.json()["entry"][0]


async def test_many_at_once_on_the_same_two_lose_nothing_and_never_wait_for_each_other(
    service: Service,
) -> None:
    tasks = [(await service.refer(a_referral(number)))["Task"] for number in ("1", "2")]

    def noted(task: str, text: str) -> dict[str, Any]:
        return asked("PATCH", task, json_patch({"op": "add", "path": "/note", "value": [{"text": text}]}))

    def both(number: int) -> dict[str, Any]:
        order = tasks if number % 2 else tasks[::-1]
        return transaction(*(noted(task, f"keer {number}") for task in order))

    sent = [service.his.post("/fhir", json=both(number)) for number in range(8)]
    answers = await asyncio.gather(*sent)
    done = [each for each in answers if each.status_code == 200]
    assert {each.status_code for each in answers} <= {200, 409, 422}, [each.text for each in answers]
    versions = [(await service.his.get(f"/fhir/{task}")).json()["meta"]["versionId"] for task in tasks]
    assert versions == [str(1 + len(done))] * 2  # both or none, each time
    assert done
