"""Published examples of what we store: brought with a referral and read back equal, or refused for a listed reason."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from bringing import (
    PATIENT,
    REQUEST,
    Example,
    as_coordination_task,
    as_our_appointment,
    bundles,
    examples_in,
    referral,
)
from ketenzorg.access.rules import types_for
from ketenzorg.api.kinds import KNOWN
from published import exact, read, written
from services import Service

Json = dict[str, Any]
Stored = dict[str, tuple[Example, Any]]  # by address: what was sent, and what must come back
LIST = tomllib.loads((Path(__file__).parent / "not_stored.toml").read_text(encoding="utf-8"))
REFUSED = {each["file"]: each["expression"] for each in LIST["refused"]}
NOT_SENT = {each["type"]: each["status"] for each in LIST["type"]}
BY_ITSELF = ("Appointment", "Consent", "Patient", "ServiceRequest", "Task")  # one to a referral
ALONG = sorted(types_for("create") - {*BY_ITSELF, "Organization"})
LARGE = "synthea/"  # whole lives: read back by the page, all others one by one
# What the server must set: on each, and on the Task what the hand-over says, and what it has none of.
ALWAYS = ("versionId", "lastUpdated")
OF_THE_HAND_OVER = ("status", "businessStatus", "lastModified", "owner")
COMPLETED = ("identifier", "code", "for", "authoredOn", "requester", "restriction", "priority")


async def test_every_example_of_what_we_store_comes_back_or_is_refused_for_a_listed_reason(
    service: Service, examples: Path
) -> None:
    found = defaultdict[str, list[Example]](list)
    for each in examples_in(examples):
        found[each.kind].append(each)
    stored: Stored = {}
    for kind in BY_ITSELF:
        for each in found[kind]:
            if each.name not in REFUSED:
                stored |= await _alone(service, each)
    for together, body in bundles(
        [each for kind in ALONG for each in found[kind] if each.name not in REFUSED]
    ):
        stored |= _at(await service.his.post("/fhir", content=body), together)

    assert len(stored) > 7000
    await _read_back(service, stored)
    ours = [each for kind in (*ALONG, *BY_ITSELF) for each in found[kind]]
    refused = {each.name: await _refusal(service, each) for each in ours if each.name in REFUSED}
    assert refused == REFUSED
    status = {kind: await _by_type(service, found[kind][0]) for kind in found.keys() - {*ALONG, *BY_ITSELF}}
    assert {kind: status.pop(kind) for kind in KNOWN & status.keys()} == NOT_SENT
    assert set(status.values()) == {404}


async def _sent(service: Service, example: Example) -> tuple[httpx.Response, Example]:
    """An example in a referral of its own, and what it had become by then."""
    name, kind, resource = example
    match kind:
        case "Patient":
            body = referral(name, Patient=resource)
        case "ServiceRequest":
            body = referral(name, ServiceRequest=resource)
            resource = read(body)["entry"][1]["resource"]
        case "Task":
            resource = as_coordination_task(resource)
            body = referral(name, resource)
        case "Appointment":
            body = referral(name)
            resource = as_our_appointment(resource)
        case _:
            body = referral(name, resource)
    answer = await service.his.post("/fhir", content=body)
    return answer, Example(name, kind, resource)


async def _alone(service: Service, example: Example) -> Stored:
    answer, sent = await _sent(service, example)
    if sent.kind != "Appointment":
        return _at(answer, [sent])
    patient, request, *_ = _locations(answer)
    body = _pointed(written(sent.sent), patient, request)
    booked = await service.coach.post("/fhir/Appointment", content=body)
    assert booked.status_code == 201, (sent.name, booked.text)
    return {f"Appointment/{booked.json()['id']}": (sent, _wanted(sent, body))}


async def _refusal(service: Service, example: Example) -> str:
    """Where an example is refused: as listed when that is among the places, else all that was found."""
    answer, sent = await _sent(service, example)
    if sent.kind == "Appointment":
        patient, request, *_ = _locations(answer)
        body = _pointed(written(sent.sent), patient, request)
        answer = await service.coach.post("/fhir/Appointment", content=body)
    if answer.status_code not in (400, 422):
        return f"not refused: {answer.status_code}"
    places = [place for issue in answer.json()["issue"] for place in issue.get("expression", ())]
    within = [place.partition(".resource.")[2] or place.partition(".")[2] for place in places]
    return REFUSED[example.name] if REFUSED[example.name] in within else str(within)


async def _by_type(service: Service, example: Example) -> int:
    """What is said to who sends a type that is not taken from anybody, or in another way."""
    answer = await service.his.post(f"/fhir/{example.kind}", content=written(example.sent))
    assert answer.json()["resourceType"] == "OperationOutcome"
    return answer.status_code


def _locations(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["response"]["location"].partition("/_history")[0] for each in answer.json()["entry"]]


def _at(answer: httpx.Response, sent: Sequence[Example]) -> Stored:
    """Where each is: behind the entries of the referral, or in the place of one of them."""
    locations = _locations(answer)
    patient, request, *_ = locations
    placed = {"Patient": patient, "ServiceRequest": request}
    addresses = [placed.get(each.kind, location) for each, location in zip(sent, locations[4:], strict=False)]
    return {
        address: (each, _wanted(each, _pointed(written(each.sent), patient, request)))
        for each, address in zip(sent, addresses, strict=True)
    }


def _pointed(body: bytes, patient: str, request: str) -> bytes:
    return body.replace(PATIENT.encode(), patient.encode()).replace(REQUEST.encode(), request.encode())


def _wanted(sent: Example, body: bytes) -> Any:
    return _comparable(exact(body), sent.sent)


def _comparable(resource: Json, sent: Mapping[str, Any]) -> Json:
    """Without what the server must set."""
    meta = {name: value for name, value in resource.pop("meta", {}).items() if name not in ALWAYS}
    without = {"id"}
    if resource["resourceType"] == "Task":
        without |= {*OF_THE_HAND_OVER, *(name for name in COMPLETED if name not in sent)}
        resource["basedOn"] = [
            each
            for each in resource.get("basedOn", ())
            if not str(each.get("reference", "")).startswith("CarePlan/")
        ]
    kept = {name: value for name, value in resource.items() if name not in without}
    return kept | ({"meta": meta} if meta else {})


async def _read_back(service: Service, stored: Stored) -> None:
    large = {sent.kind for sent, _ in stored.values() if sent.name.startswith(LARGE)}
    seen = {
        address: read
        for kind in sorted(large)
        for address, read in (await _all_of(service, kind)).items()
        if address in stored
    }
    for address, (sent, _) in stored.items():
        if not sent.name.startswith(LARGE):
            answer = await service.his.get(f"/fhir/{address}")
            assert answer.status_code == 200, (sent.name, answer.text)
            seen[address] = exact(answer.content)
    assert seen.keys() == stored.keys()
    for address, (sent, wanted) in stored.items():
        assert _comparable(seen[address], sent.sent) == wanted, sent.name


async def _all_of(service: Service, kind: str) -> dict[str, Any]:
    """Every resource of a type, page after page."""
    found, page = {}, f"/fhir/{kind}/_history?_count=100"
    while page:
        answer = await service.his.get(page)
        assert answer.status_code == 200, answer.text
        body = exact(answer.content)
        found |= {f"{kind}/{each['resource']['id']}": each["resource"] for each in body.get("entry", ())}
        page = next((each["url"] for each in body.get("link", ()) if each["relation"] == "next"), "")
    return found
