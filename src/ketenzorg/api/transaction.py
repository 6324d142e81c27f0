"""FHIR transaction: a referral comes in. https://hl7.org/fhir/R4/http.html#transaction"""

from typing import Any

import msgspec
from litestar import Request, asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import send_json
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, prefers, visit_of, world_of
from ketenzorg.coordination.adding import Addition, add_data, is_for_a_traject
from ketenzorg.coordination.deciding import is_a_decision, put_on_record
from ketenzorg.coordination.looking import read
from ketenzorg.coordination.referring import Receipt, receive_posted
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
    permit(visit.caller, "create", "ServiceRequest")
    body = await read_body(request)
    posted = read_bundle(body, world.new_id)
    if is_for_a_traject(posted):
        return _added(await add_data(posted, visit, world))
    if is_a_decision(posted):
        permit(visit.caller, "decide", "ServiceRequest")
        new, location, notices = await put_on_record(posted, visit, world)
        return _added(Addition(new, world.now(), (location,), notices))
    receipt = await receive_posted(posted, visit, world)
    entries = _entries(receipt)
    if prefers(request, "return=representation"):
        await _add_resources(entries, visit, world)
    return msgspec.json.encode({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def _added(addition: Addition) -> bytes:
    """Where the data are; the first entry tells what changed."""
    status = "201 Created" if addition.new else "200 OK"
    responses: list[dict[str, Any]] = [
        {"status": status, "location": f"{location}/_history/1", "etag": 'W/"1"'}
        for location in addition.locations
    ]
    responses[0]["outcome"] = msgspec.Raw(operation_outcome(addition.notices, "informational"))
    entries = [{"response": response} for response in responses]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def _entries(receipt: Receipt) -> list[dict[str, Any]]:
    ours = [*receipt.consents, receipt.care_plan, *([] if receipt.task_was_posted else [receipt.task])]
    entries = [{"response": _response(location, receipt)} for location in (*receipt.locations, *ours)]
    outcome = operation_outcome(receipt.notices, "informational")
    entries[receipt.request_place]["response"]["outcome"] = msgspec.Raw(outcome)
    return entries


def _response(location: str, receipt: Receipt) -> dict[str, Any]:
    if location in receipt.known:
        return {"status": "200 OK", "location": location}
    if not receipt.new:  # it may have moved on since; its address is what stays
        return {"status": "200 OK", "location": location}
    return {
        "status": "201 Created",
        "location": f"{location}/_history/1",
        "etag": 'W/"1"',
        "lastModified": instant(receipt.at),
    }


async def _add_resources(entries: list[dict[str, Any]], visit: Visit, world: World) -> None:
    for entry in entries:
        kind, id_, *_ = entry["response"]["location"].split("/")
        entry["resource"] = msgspec.Raw((await read(kind, id_, visit, world)).body)
