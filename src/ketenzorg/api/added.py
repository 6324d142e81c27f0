"""FHIR create of data for a traject that runs, one by one. https://hl7.org/fhir/R4/http.html#create

Stored and judged as through a transaction Bundle: `coordination.steps.adding`.
"""

from typing import Any, Final

from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit, types_for
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, base_of, prefers, visit_of, world_of
from ketenzorg.coordination.consent.deciding import put_on_record
from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.steps.adding import Addition, add_data
from ketenzorg.errors import Invalid, NotFound
from ketenzorg.fhir import r4
from ketenzorg.fhir.modifiers import unknown_modifiers
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.referral.bundle import Entry, Posted, read_alone

DATA: Final = types_for("add")
DECIDED: Final = types_for("decide")


async def create_data(request: Http, kind: str) -> ASGIResponse:
    """201 with what was stored; 200 with what is there, when it came before or If-None-Exist finds it."""
    visit, world = visit_of(request), world_of(request)
    permit(visit.caller, "add", kind)
    entry = await _read(request, kind)
    entry.if_none_exist = request.headers.get("if-none-exist", "")
    return await _told(await add_data(Posted([entry]), visit, world), request)


async def create_decision(request: Http) -> ASGIResponse:
    """What a patient wants shared: the Consent by itself."""
    visit, world = visit_of(request), world_of(request)
    permit(visit.caller, "decide", "Consent")
    entry = await _read(request, "Consent")
    new, location, notices = await put_on_record(Posted([entry]), visit, world)
    return await _told(Addition(new, world.now(), (location,), notices, seen=True), request)


async def _read(request: Http, kind: str) -> Entry:
    struct: Any = getattr(r4, kind)
    entry = read_alone(await read_body(request), struct, world_of(request).new_id(), base_of(request))
    if issues := list(unknown_modifiers(entry.content, kind)):
        raise Invalid(*issues)
    return entry


async def _told(addition: Addition, request: Http) -> ASGIResponse:
    """The resource as its sender sees it; instead what changed by it, when that is asked for or cannot wait."""
    [location] = addition.locations
    kind, _, id_ = location.partition("/")
    status = 201 if addition.new else 200
    body, version, updated = operation_outcome(addition.notices, "informational"), 1, addition.at
    if addition.seen and _wants_resource(addition, request):
        try:
            seen = await read(kind, id_, visit_of(request), world_of(request))
        except NotFound:  # its part ended since, or the view of its role: what it sent stays where it is
            pass
        else:
            body, version, updated = seen.body, seen.version, seen.updated
    answer = resource(body, status=status, version=version, updated=updated)
    answer.headers.add("Location", f"{base_of(request)}/{location}/_history/{version}")
    return answer


def _wants_resource(addition: Addition, request: Http) -> bool:
    """What was raised must be read by somebody: only who says to want the resource gets that alone."""
    asks_otherwise = prefers(request, "return=OperationOutcome")
    return prefers(request, "return=representation") or not (addition.raised or asks_otherwise)
