"""A referral as a message: taken as a transaction is, once, and answered by a message that says what became of it."""

import asyncio
import copy
from typing import Any

import httpx
import pytest

from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from referrals import Change, a_referral, of
from services import Service

BASE = "http://127.0.0.1:8080/fhir"
EVENT = {"system": "https://ketenzorg.example/fhir/CodeSystem/message-event", "code": "referral"}
URL = "/fhir/$process-message"


def a_message(number: str = "1", *changes: Change, id_: str = "bericht-1") -> dict[str, Any]:
    """The example as a message."""
    sent = a_referral(number, *changes)["entry"]
    entries = [{key: value for key, value in entry.items() if key != "request"} for entry in sent]
    request = next(
        each["fullUrl"] for each in entries if each["resource"]["resourceType"] == "ServiceRequest"
    )
    header = {
        "resourceType": "MessageHeader",
        "id": id_,
        "eventCoding": EVENT,
        "destination": [{"endpoint": f"{BASE}/$process-message"}],
        "source": {"endpoint": "https://his.example/fhir/$process-message"},
        "focus": [{"reference": request}],
    }
    bundle = {
        "resourceType": "Bundle",
        "id": "omslag-1",
        "type": "message",
        "timestamp": "2026-01-12T10:15:00+01:00",
    }
    return bundle | {"entry": [{"fullUrl": f"urn:uuid:{HEADER}", "resource": header}, *entries]}


HEADER = "6f1a3c1e-5555-4a6b-9d5e-000000000001"


def header_of(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message["entry"][0]["resource"]
    return found


async def answer(service: Service, message: dict[str, Any]) -> tuple[str, dict[str, Any], httpx.Response]:
    """The code of the answer, its OperationOutcome, and all of it."""
    response = await service.his.post(URL, json=message)
    assert response.status_code == 200, response.text
    decode_as(response.content, r4.Bundle)
    [header, outcome] = [entry["resource"] for entry in response.json()["entry"]]
    told = header["response"]
    assert told["identifier"] == header_of(message)["id"]
    assert told["details"]["reference"] == response.json()["entry"][1]["fullUrl"]
    return told["code"], outcome, response


def paths(outcome: dict[str, Any]) -> list[str]:
    return [path for issue in outcome["issue"] for path in issue.get("expression", ())]


async def count(service: Service) -> int:
    rows = await service.rows("select count(*) as n from ketenzorg.traject")
    found: int = rows[0]["n"]
    return found


async def test_a_referral_is_taken_and_the_answer_says_what_is_there(service: Service) -> None:
    code, outcome, response = await answer(service, a_message())
    assert code == "ok"
    header = header_of(response.json())
    assert header["eventCoding"] == EVENT
    assert header["destination"] == [{"endpoint": "https://his.example/fhir/$process-message"}]
    kinds = [each["reference"].removeprefix(f"{BASE}/").partition("/")[0] for each in header["focus"]]
    assert kinds == ["ServiceRequest", "CarePlan", "Task"]
    for each in header["focus"]:
        assert (
            await service.his.get(each["reference"].removeprefix("http://127.0.0.1:8080"))
        ).status_code == 200
    assert any("Aan zet" in issue["details"]["text"] for issue in outcome["issue"])


async def test_the_same_message_has_the_same_answer_and_another_under_its_id_is_refused(
    service: Service,
) -> None:
    first = (await answer(service, a_message()))[2]
    resent = a_message() | {"id": "omslag-2", "timestamp": "2026-01-12T10:20:00+01:00"}
    assert (await answer(service, resent))[2].content == first.content
    code, outcome, _ = await answer(service, a_message("2"))
    assert (code, outcome["issue"][0]["code"], paths(outcome)) == (
        "fatal-error", "duplicate", ["Bundle.entry[0].resource.id"],
    )  # fmt: skip
    # The referral itself is known by its own identifier, in whatever message it comes.
    code, _, response = await answer(service, a_message(id_="bericht-2"))
    assert (code, header_of(response.json())["focus"]) == ("ok", header_of(first.json())["focus"])
    other = a_message(
        "1", lambda bundle: of(bundle, "ServiceRequest").update(priority="urgent"), id_="bericht-3"
    )
    code, outcome, _ = await answer(service, other)
    assert (code, outcome["issue"][0]["code"]) == ("fatal-error", "duplicate")
    posted = (await service.his.post("/fhir", json=a_referral("1"))).json()
    assert posted["entry"][0]["response"]["status"] == "200 OK"
    assert await count(service) == 1


async def test_sixteen_at_once_are_one(service: Service) -> None:
    sent = [service.his.post(URL, json=a_message()) for _ in range(16)]
    codes = [header_of(each.json())["response"]["code"] for each in await asyncio.gather(*sent)]
    assert set(codes) <= {"ok", "transient-error"}
    assert "ok" in codes
    assert await count(service) == 1


async def test_what_is_wrong_is_said_where_it_is_in_the_message_and_may_be_mended(service: Service) -> None:
    def break_it(bundle: dict[str, Any]) -> None:
        of(bundle, "ServiceRequest").update(status="draft")
        del of(bundle, "ServiceRequest")["requester"]

    code, outcome, response = await answer(service, a_message("1", break_it))
    request = "Bundle.entry[2].resource"
    assert (code, set(paths(outcome))) == ("fatal-error", {f"{request}.status", f"{request}.requester"})
    assert "focus" not in header_of(response.json())
    assert (await answer(service, a_message("1")))[0] == "ok"  # what failed is not kept


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "event": ({"eventCoding": {"system": "https://his.example", "code": "iets"}}, "event"),
    "an event by address": ({"eventCoding": None, "eventUri": "https://his.example/iets"}, "event"),
    "no focus": ({"focus": None}, "focus"),
    "focus on the patient": (
        {"focus": [{"reference": "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-000000000001"}]},
        "focus",
    ),
    "focus on nothing": ({"focus": [{"reference": "ServiceRequest/1"}]}, "focus"),
    "for another": ({"destination": [{"endpoint": "https://elders.example/fhir"}]}, "destination"),
    "a response": ({"response": {"identifier": "x", "code": "ok"}}, "response"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_message_that_is_not_for_us_is_a_fatal_error(service: Service, name: str) -> None:
    message, (change, path) = a_message(), WRONG[name]
    header = header_of(message)
    header |= change
    message["entry"][0]["resource"] = {key: value for key, value in header.items() if value is not None}
    code, outcome, _ = await answer(service, message)
    assert (code, paths(outcome)) == ("fatal-error", [f"Bundle.entry[0].resource.{path}"])
    assert await count(service) == 0


async def test_what_is_no_message_is_refused_as_everywhere(service: Service) -> None:
    async def refused(body: dict[str, Any] | bytes, status: int, url: str = URL) -> None:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        response = await service.his.post(url, **content)  # type: ignore[arg-type]
        assert (response.status_code, response.json()["resourceType"]) == (status, "OperationOutcome")

    await refused(a_referral("1"), 422)
    await refused({"resourceType": "Bundle", "type": "message"}, 400)
    headless = a_message()
    del headless["entry"][0]
    await refused(headless, 400)
    nameless = copy.deepcopy(a_message())
    del nameless["entry"][0]["resource"]["id"]
    assert (await service.his.post(URL, json=nameless)).status_code == 200  # its fullUrl says it
    del nameless["entry"][0]["fullUrl"]
    await refused(nameless, 422)
    await refused(b"{", 400)
    await refused({"resourceType": "Patient"}, 400)
    await refused(a_message(), 400, f"{URL}?async=true")
    await refused(a_message(), 400, f"{URL}?response-url=https://his.example")
    assert (await service.his.get(URL)).status_code == 405
    assert (await service.stranger.post(URL, json=a_message())).status_code == 401
    assert (await service.team.post(URL, json=a_message())).status_code == 403
    assert await count(service) == 1
