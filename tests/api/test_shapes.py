"""An answer in the form that its reader asks for: less of it, laid out, without its body, or none when it is known."""

from typing import Any

import httpx
import pytest

from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, places, texts
from services import Referral, Service

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_referral("1"))


async def told(service: Service, address: str, **headers: str) -> dict[str, Any]:
    answer = await service.his.get(f"/fhir/{address}", headers=headers)
    assert answer.status_code == 200, answer.text
    body = json.read(answer.content)
    decode_as(answer.content, getattr(r4, body["resourceType"]))  # a part is a valid resource too
    return body


async def test_a_summary_is_what_r4_says_of_it_and_says_that_it_is_one(
    service: Service, referral: Referral
) -> None:
    whole = await told(service, referral["Patient"])
    short = await told(service, f"{referral['Patient']}?_summary=true")
    assert whole.keys() - short.keys() == {"generalPractitioner", "text"} & whole.keys() | {
        name
        for name in ("maritalStatus", "multipleBirthInteger", "contact", "communication")
        if name in whole
    }
    assert SUBSETTED in short["meta"]["tag"]
    assert SUBSETTED not in whole["meta"].get("tag", ())
    request = await told(service, f"{referral['ServiceRequest']}?_summary=text")
    assert request.keys() <= {
        "resourceType",
        "id",
        "meta",
        "text",
        "status",
        "intent",
        "subject",
        "doNotPerform",
    }
    assert "text" not in await told(service, f"{referral['ServiceRequest']}?_summary=data")
    assert await told(service, f"{referral['Patient']}?_summary=false") == whole


async def test_elements_are_those_asked_for_and_those_that_may_not_be_missing(
    service: Service, referral: Referral
) -> None:
    task = await told(service, f"{referral['Task']}?_elements=code,priority")
    assert task.keys() - {"priority"} == {"resourceType", "id", "meta", "status", "intent", "code"}
    page = await told(service, "Task?_elements=code&_include=Task:patient&status=requested")
    assert {entry["resource"]["resourceType"] for entry in page["entry"]} == {"Task", "Patient"}
    for entry in page["entry"]:
        assert SUBSETTED in entry["resource"]["meta"]["tag"]
        assert not {"for", "owner", "name"} & entry["resource"].keys()
    [link] = page["link"]
    assert link["url"].endswith("&_elements=code")
    history = await told(service, f"{referral['Task']}/_history?_elements=code")
    assert "owner" not in history["entry"][0]["resource"]
    form = await service.his.post(
        "/fhir/Task/_search", content="_elements=code&status=requested",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert "owner" not in form.json()["entry"][0]["resource"]


async def test_a_count_is_of_what_its_reader_finds_and_shows_nothing(
    service: Service, referral: Referral
) -> None:
    await service.refer(a_referral("2"))
    counted = await told(service, "Task?_summary=count&status=requested")
    assert counted["total"] == 2
    assert counted.keys() == {"resourceType", "type", "total", "link"}
    assert (await service.hospital.get("/fhir/Task?_summary=count")).json()["total"] == 0
    assert (await told(service, "Subscription?_summary=count"))["total"] == 0
    for address in (referral["Task"], "AuditEvent", f"{referral['Task']}/_history"):
        answer = await service.his.get(f"/fhir/{address}?_summary=count")
        assert (answer.status_code, places(answer)) == (400, ["_summary"]), address


async def test_pretty_is_the_same_laid_out_with_the_digits_that_were_sent(
    service: Service, referral: Referral
) -> None:
    plain = await service.his.get(f"/fhir/{referral['QuestionnaireResponse']}")
    pretty = await service.his.get(f"/fhir/{referral['QuestionnaireResponse']}?_pretty=true")
    assert pretty.content.count(b"\n") > 10 > plain.content.count(b"\n")
    assert json.read(pretty.content) == json.read(plain.content)
    absent = await service.his.get("/fhir/Task/x?_pretty=true")
    assert (absent.status_code, absent.content.count(b"\n") > 5) == (404, True)


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [
        ("_format=json", "application/fhir+xml", 200),
        ("_format=application/fhir+json", "", 200),
        ("_format=application/fhir%2Bjson", "", 200),
        ("_format=xml", "", 406),
        ("_format=xml", "application/fhir+json", 406),
        ("", "application/fhir+xml, application/json;q=0.5", 200),
        ("", "application/fhir+json;q=0", 406),
        ("", "application/fhir+json; fhirVersion=4.0", 200),
        ("", "application/fhir+json; fhirVersion=5.0", 406),
        ("", "text/turtle", 406),
    ],
)
async def test_what_we_speak_is_said(service: Service, query: str, accept: str, status: int) -> None:
    for address in ("Task", "metadata"):
        answer = await service.his.get(f"/fhir/{address}?{query}", headers={"Accept": accept})
        assert answer.status_code == status, (address, answer.text)
        assert answer.headers["Content-Type"].startswith("application/fhir+json")


async def test_who_knows_the_version_gets_no_body_again(service: Service, referral: Referral) -> None:
    task = f"/fhir/{referral['Task']}"
    first = await service.his.get(task)
    tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", {tag}'}, {"If-Modified-Since": changed}):
        known = await service.his.get(task, headers=headers)
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag), headers
        assert "Content-Type" not in known.headers
    await service.happens(referral["Task"], "aannemen")
    for headers in ({"If-None-Match": tag}, {"If-None-Match": "nonsense"}, {"If-Modified-Since": "nonsense"}):
        assert (await service.his.get(task, headers=headers)).json()["meta"]["versionId"] == "2", headers
    hidden = await service.hospital.get(task, headers={"If-None-Match": "*"})
    assert hidden.status_code == 404
    plan = await service.his.get("/fhir/PlanDefinition/welzijn-op-recept-0.1.0")
    if plan.status_code == 200:
        again = await service.his.get(plan.request.url.path, headers={"If-None-Match": plan.headers["ETag"]})
        assert again.status_code == 304


async def test_head_tells_what_get_tells_without_the_body(service: Service, referral: Referral) -> None:
    for address in (
        referral["Task"],
        f"{referral['Task']}/_history/1",
        "Task?status=requested",
        "Task/x",
        "metadata",
    ):
        got = await service.his.get(f"/fhir/{address}")
        head = await service.his.head(f"/fhir/{address}")
        assert head.content == b""
        ours = {"x-request-id"}
        assert {name: value for name, value in head.headers.items() if name not in ours} == {
            name: value for name, value in got.headers.items() if name not in ours
        }, address
        assert head.status_code == got.status_code
    assert (await service.his.head(f"/fhir/{referral['Task']}/$event")).status_code == 405


async def test_a_wrong_wish_is_refused_by_name_and_all_at_once(service: Service, referral: Referral) -> None:
    task = f"/fhir/{referral['Task']}"
    for query, wanted in {
        "_summary=short": ["_summary"], "_summary=true&_summary=true": ["_summary"], "_pretty=yes": ["_pretty"],
        "_elements=": ["_elements"], "_elements=nothing": ["_elements"], "_elements=code&_summary=true": ["_elements"],
        "_pretty=1&_summary=x": ["_pretty", "_summary"],
    }.items():  # fmt: skip
        answer = await service.his.get(f"{task}?{query}")
        assert (answer.status_code, places(answer)) == (400, wanted), (query, texts(answer))


@pytest.mark.parametrize(
    ("method", "address", "allow", "why"),
    [
        ("PUT", "PlanDefinition/x", "GET, HEAD", "read only"),
        ("PATCH", "Organization/x", "GET, HEAD", "file of the region"),
        ("PUT", "AuditEvent/x", "GET, HEAD", "the log"),
        ("PUT", "CarePlan/x", "GET, HEAD", "happens on the Task"),
        ("PUT", "Patient/x", "GET, HEAD", "happens in a traject"),
        ("POST", "Composition", "GET, HEAD", "made by us"),
    ],
)
async def test_what_cannot_be_done_says_why_and_what_can(
    service: Service, method: str, address: str, allow: str, why: str
) -> None:
    answer = await service.his.request(method, f"/fhir/{address}", content=b"{}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allow
    assert why in texts(answer)
    unknown = await service.his.request(method, f"/fhir/Nergens{address[address.find('/') :]}", content=b"{}")
    assert unknown.status_code == 404


async def test_the_request_id_comes_back(service: Service) -> None:
    answer = await service.his.get("/fhir/Task?_summary=true", headers={"X-Request-Id": "abc-1"})
    assert answer.headers["X-Request-Id"] == "abc-1"


async def test_a_write_gives_back_what_is_preferred(service: Service, referral: Referral) -> None:
    async def patch(status: str, prefer: str) -> httpx.Response:
        answer = await service.coach.patch(
            f"/fhir/{referral['Task']}",
            content=f'[{{"op": "replace", "path": "/status", "value": "{status}"}}]',
            headers={"Content-Type": "application/json-patch+json", "Prefer": prefer},
        )
        assert answer.headers["ETag"]
        return answer

    minimal = await patch("received", "return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["Preference-Applied"]) == (
        200, b"", "return=minimal",
    )  # fmt: skip
    outcome = await patch("accepted", "handling=strict, return=OperationOutcome")
    assert outcome.json()["resourceType"] == "OperationOutcome"
    whole = await patch("accepted", "return=representation")
    assert whole.json()["status"] == "accepted"
    refused = await service.coach.patch(
        f"/fhir/{referral['Task']}", content="[1]",
        headers={"Content-Type": "application/json-patch+json", "Prefer": "return=minimal"},
    )  # fmt: skip
    assert (refused.status_code, refused.json()["resourceType"]) == (400, "OperationOutcome")
