"""FHIR transaction: a referral comes in. https://hl7.org/fhir/R4/http.html#transaction"""

from functools import partial
from typing import Any

import msgspec
from litestar import Request, asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import send_json
from ketenzorg.api.batch import do_all, is_batch
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, base_of, idempotency_key_of, prefers, visit_of, world_of
from ketenzorg.coordination.consent.deciding import is_a_decision, put_on_record
from ketenzorg.coordination.once import Answered, once
from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.receiving.receipt import Receipt
from ketenzorg.coordination.receiving.referring import receive_posted
from ketenzorg.coordination.steps.adding import Addition, add_data
from ketenzorg.coordination.steps.belonging import is_for_a_traject
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.referral.bundle import read_bundle
from ketenzorg.referral.stored import instant


@asgi(
    "/fhir", copy_scope=False
)  # straight on the server's messages: the framework's way costs a tenth of a referral
async def transaction(scope: Scope, receive: Receive, send: Send) -> None:
    """The posted entries in their order, then what we made: Consent, CarePlan, Task."""
    request: Http = Request(scope, receive, send)
    if request.method != "POST":
        raise MethodNotAllowedException(headers={"allow": "POST"})
    await send_json(await _answer(request), send)


async def _answer(request: Http) -> bytes:
    world, visit = world_of(request), visit_of(request)
    body = await read_body(request)
    if is_batch(body):
        return await do_all(body, request)
    permit(visit.caller, "create", "ServiceRequest")
    key = idempotency_key_of(request)
    work = partial(_take_in, body, base_of(request), visit, world)
    answered = await once(key, body, visit, world, work) if key else await work()
    is_referral = answered.about.startswith("ServiceRequest/")
    if is_referral and prefers(request, "return=representation"):
        return await _with_resources(answered.body, visit, world)
    return answered.body


async def _take_in(body: bytes, base: str, visit: Visit, world: World) -> Answered:
    posted = read_bundle(body, world.new_id, base)
    if is_for_a_traject(posted):
        return _added(await add_data(posted, visit, world))
    if is_a_decision(posted):
        permit(visit.caller, "decide", "ServiceRequest")
        new, location, notices = await put_on_record(posted, visit, world)
        return _added(Addition(new, world.now(), (location,), notices))
    receipt = await receive_posted(posted, visit, world)
    return Answered(receipt.locations[receipt.request_place], _response_bundle(_entries(receipt)))


def _added(addition: Addition) -> Answered:
    """Where the data are; the first entry tells what changed."""
    responses = [_of_data(location, addition) for location in addition.locations]
    responses[0]["outcome"] = msgspec.Raw(operation_outcome(addition.notices, "informational"))
    entries = [{"response": response} for response in responses]
    return Answered(addition.locations[0], _response_bundle(entries))


def _of_data(location: str, addition: Addition) -> dict[str, Any]:
    if location in addition.known:
        return {"status": "200 OK", "location": location}
    return {
        "status": "201 Created" if addition.new else "200 OK",
        "location": f"{location}/_history/1",
        "etag": 'W/"1"',
        "lastModified": instant(addition.at),
    }


def _response_bundle(entries: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def _entries(receipt: Receipt) -> list[dict[str, Any]]:
    ours = [*receipt.consents, receipt.care_plan, *([] if receipt.task_was_posted else [receipt.task])]
    entries = [{"response": _response(location, receipt)} for location in (*receipt.locations, *ours)]
    outcome = operation_outcome(receipt.notices, "informational")
    entries[receipt.request_place]["response"]["outcome"] = msgspec.Raw(outcome)
    return entries


def _response(location: str, receipt: Receipt) -> dict[str, Any]:
    if not location:
        return {"status": "200 OK"}
    if location in receipt.known or not receipt.new:  # it may have moved on since; its address is what stays
        return {"status": "200 OK", "location": location}
    return {
        "status": "201 Created",
        "location": f"{location}/_history/1",
        "etag": 'W/"1"',
        "lastModified": instant(receipt.at),
    }


async def _with_resources(answer: bytes, visit: Visit, world: World) -> bytes:
    """As they are now, for who may see them now."""
    entries: list[dict[str, Any]] = msgspec.json.decode(answer)["entry"]
    for entry in entries:
        if "location" in entry["response"]:
            kind, id_, *_ = entry["response"]["location"].split("/")
            entry["resource"] = msgspec.Raw((await read(kind, id_, visit, world)).body)
    return _response_bundle(entries)
