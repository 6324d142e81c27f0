"""A batch: each entry comes out as the request that it is would, and one that fails changes no other."""

from base64 import b64encode
from typing import Any

import pytest

from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, places, said, texts
from services import Referral, Service


def get(url: str, **more: Any) -> dict[str, Any]:
    return {"request": {"method": "GET", "url": url, **more}}


def batch(*entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}


async def answers(service: Service, *entries: Any) -> list[dict[str, Any]]:
    answer = await service.coach.post("/fhir", json=batch(*entries))
    assert answer.status_code == 200, answer.text
    decode_as(answer.content, r4.Bundle)
    assert answer.json()["type"] == "batch-response"
    found: list[dict[str, Any]] = answer.json()["entry"]
    return found


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_referral("1"))


async def test_each_entry_is_a_request_of_its_own(service: Service, referral: Referral) -> None:
    task = referral["Task"]
    patch = b64encode(b'[{"op": "replace", "path": "/status", "value": "accepted"}]').decode()
    found = await answers(
        service,
        get("Task?status=requested&_elements=status"),
        get("Task/nobody"),
        {
            "resource": {
                "resourceType": "Binary",
                "contentType": "application/json-patch+json",
                "data": patch,
            },
            "request": {"method": "PATCH", "url": task, "ifMatch": 'W/"1"'},
        },
        get(task, ifNoneMatch='W/"2"'),
        {"resource": said("dit bestaat niet"), "request": {"method": "POST", "url": f"{task}/$event"}},
        {"resource": said("eerste contact"), "request": {"method": "POST", "url": f"{task}/$event"}},
        get(f"http://127.0.0.1:8080/fhir/{task}"),
    )
    assert [each["response"]["status"] for each in found] == [
        "200 OK", "404 Not Found", "200 OK", "304 Not Modified", "409 Conflict", "200 OK", "200 OK",
    ]  # fmt: skip
    assert found[0]["resource"]["entry"][0]["resource"]["status"] == "requested"
    assert "owner" not in found[0]["resource"]["entry"][0]["resource"]
    assert found[1]["response"]["outcome"]["issue"][0]["details"]["text"]
    assert found[2]["response"]["etag"] == 'W/"2"'
    assert "resource" not in found[3]
    assert found[6]["resource"]["meta"]["versionId"] == "3"


async def test_what_is_wrong_with_one_is_said_in_its_place(service: Service, referral: Referral) -> None:
    nested = {"resource": batch(), "request": {"method": "POST", "url": ""}}
    no_data = {
        "resource": {"resourceType": "Binary"},
        "request": {"method": "PATCH", "url": referral["Task"]},
    }
    broken = {
        "resource": {"resourceType": "Task", "status": "x"},
        "request": {"method": "PUT", "url": referral["Task"]},
    }
    found = await answers(
        service, {}, "x", get("Task\nX"), nested, get("../auth/token"), no_data, broken,
        get("http://elsewhere.example/fhir/Task"), get("Task?_format=xml"), get("metadata"), get(referral["Task"]),
    )  # fmt: skip
    assert [each["response"]["status"][:3] for each in found] == [
        "400", "400", "400", "400", "404", "400", "400", "404", "406", "200", "200",
    ]  # fmt: skip
    assert found[3]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[3].request.url"]


async def test_a_batch_is_bounded_and_each_entry_is_seen_as_its_caller_may(
    service: Service, referral: Referral
) -> None:
    many = await service.coach.post("/fhir", json=batch(*[get("metadata")] * 101))
    assert (many.status_code, places(many)) == (413, ["Bundle.entry"])
    keyed = await service.coach.post("/fhir", json=batch(), headers={"Idempotency-Key": "a"})
    assert keyed.status_code == 400
    assert (await service.coach.post("/fhir", json=batch() | {"entry": {}})).status_code == 400
    seen = await service.hospital.post("/fhir", json=batch(get(referral["Task"]), get("Task")))
    assert [each["response"]["status"][:3] for each in seen.json()["entry"]] == ["404", "200"]
    assert "entry" not in seen.json()["entry"][1]["resource"]
    refused = await service.team.post("/fhir", json=batch(get(referral["Task"])))
    assert "system/Task.r" in texts_of(refused.json()["entry"][0]["response"]["outcome"])
    assert "system/ServiceRequest.c" in texts(await service.team.post("/fhir", json=a_referral("2")))
    rows = await service.rows(
        "select count(*) as many from ketenzorg.audit where request in"
        " (select request from ketenzorg.audit where interaction = 'search' and outcome = '0')"
    )
    assert rows[0]["many"] == 2  # the read and the search of one batch, each on record


def texts_of(outcome: dict[str, Any]) -> str:
    return " ".join(each["diagnostics"] for each in outcome["issue"])
