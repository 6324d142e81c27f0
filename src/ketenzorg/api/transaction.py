"""FHIR transaction: a referral comes in, or other things that are to be done together or not at all.

https://hl7.org/fhir/R4/http.html#transaction
"""

from functools import partial
from typing import Any

import msgspec
from litestar import Request, asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from ketenzorg.access.rules import permit
from ketenzorg.api.acts import entries_of, may_be_several, refuse_reading
from ketenzorg.api.answers import send_json
from ketenzorg.api.batch import do_all, is_batch
from ketenzorg.api.body import read_body
from ketenzorg.api.conditional_references import has_conditional, with_found
from ketenzorg.api.requests import Http, base_of, idempotency_key_of, prefers, visit_of, world_of
from ketenzorg.api.whole import do_whole
from ketenzorg.coordination.consent.deciding import is_a_decision, put_on_record
from ketenzorg.coordination.once import Answered, once
from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.receiving.receipt import Receipt
from ketenzorg.coordination.receiving.referring import receive_posted
from ketenzorg.coordination.steps.adding import Addition, add_data
from ketenzorg.coordination.steps.belonging import is_for_a_traject
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
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
    several = may_be_several(body)
    if not several:
        permit(visit.caller, "create", "ServiceRequest")
    key = idempotency_key_of(request)
    work = partial(_do_several if several else _do_one, body, request)
    answered = await once(key, body, visit, world, work) if key else await work()
    if prefers(request, "return=representation"):
        return await _with_resources(answered.body, visit, world)
    return answered.body


async def _do_one(body: bytes, request: Http) -> Answered:
    """A referral, data for a traject, or what a patient wants: all that most of them are."""
    if has_conditional(body):
        decode_as(body, r4.Bundle)
        body = json.write(await with_found(json.read_as_sent(body), request))
    return await take_in(body, base_of(request), visit_of(request), world_of(request))


async def _do_several(body: bytes, request: Http) -> Answered:
    """The same beside other requests, or one of them with something that made it look so."""
    bundle = entries_of(body, base_of(request))
    if bundle is None:
        permit(visit_of(request).caller, "create", "ServiceRequest")
        return await _do_one(body, request)
    if idempotency_key_of(request):
        refuse_reading(bundle["entry"])
    return await do_whole(await with_found(bundle, request), request, take_in)


async def take_in(body: bytes, base: str, visit: Visit, world: World) -> Answered:
    """A Bundle that is one thing."""
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
    ours = [*receipt.made, receipt.care_plan, *([] if receipt.task_was_posted else [receipt.task])]
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
        if "location" in entry["response"] and "resource" not in entry:
            kind, id_, *_ = entry["response"]["location"].split("/")
            entry["resource"] = msgspec.Raw((await read(kind, id_, visit, world)).body)
    return _response_bundle(entries)
