"""Operations on a Subscription: how it stands, what there was to hear, hearing it again, another secret.

$status and $events: https://hl7.org/fhir/uv/subscriptions-backport/operations.html; $resend and $renew-secret are ours.
"""

import re
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, uuid_of, visit_of, world_of
from ketenzorg.coordination.hearing.notification import About, notification, subscription_status
from ketenzorg.coordination.hearing.replaying import CONTENTS, events, send_again, standings
from ketenzorg.coordination.hearing.subscribing import own, renew_secret
from ketenzorg.coordination.world import Visit
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.referral.stored import instant
from ketenzorg.store.replaying import LAST, Numbers
from ketenzorg.store.subscriptions import Content

KIND = "Subscription"
NUMBER = re.compile(r"[0-9]{1,18}\Z")
SINCE, UNTIL = "eventsSinceNumber", "eventsUntilNumber"


@get("/fhir/Subscription/$status")
async def statuses(request: Http) -> ASGIResponse:
    """How the caller's subscriptions stand: ?id=…&status=…, each as often as wanted; all without."""
    visit = _permitted(request, "subscription")
    asked = request.query_params
    ids = [uuid_of(KIND, id_) for each in asked.getall("id", []) for id_ in each.split(",")]
    wanted = [status for each in asked.getall("status", []) for status in each.split(",")]
    return _standings(request, await standings(ids, wanted, visit, world_of(request)))


@get("/fhir/Subscription/{id_:str}/$status")
async def status(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """How one subscription stands; also when its endpoint does not answer."""
    visit, world = _permitted(request, "subscription"), world_of(request)
    ours = await own(uuid_of(KIND, id_), visit, world)
    return _standings(request, await standings([ours.id], [], visit, world))


@get("/fhir/Subscription/{id_:str}/$events")
async def past_events(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """What there was to hear, from one number to another. For who polls: the cursor is the number after the last."""
    visit, world = _permitted(request, "subscription"), world_of(request)
    asked = request.query_params
    numbers = Numbers(_number(asked.get(SINCE), 0), _number(asked.get(UNTIL), LAST))
    found = await events(uuid_of(KIND, id_), numbers, _content(asked.get("content")), visit, world)
    now = world.real_now()
    bundle = notification(
        world.new_id(), "query-event", found.about, found.told, now, f"{request.app.state.base_url}/fhir"
    )
    return resource(bundle)


@post("/fhir/Subscription/{id_:str}/$resend", status_code=200)
async def resend(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """Deliver a range of events once more, under the ids that they had; what was parked is tried again."""
    visit, world = _permitted(request, "resubscribe"), world_of(request)
    subscription = uuid_of(KIND, id_)
    given = {
        each.name: each.valueString or str(each.valueInteger or "")
        for each in decode_as(await read_body(request), r4.Parameters).parameter or ()
    }
    since = _number(given.get(SINCE), 0)
    asked = Numbers(since, _number(given.get(UNTIL), LAST))
    count, until = await send_again(subscription, asked, visit, world)
    return _parameters({"name": "events", "valueInteger": count}, {"name": UNTIL, "valueString": str(until)})


@post("/fhir/Subscription/{id_:str}/$renew-secret", status_code=200)
async def another_secret(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """A new secret, told this once; the one before it signs along for a day."""
    visit = _permitted(request, "resubscribe")
    secret, until = await renew_secret(uuid_of(KIND, id_), visit, world_of(request))
    return _parameters(
        {"name": "secret", "valueString": secret}, {"name": "previousUntil", "valueInstant": instant(until)}
    )


def _standings(request: Http, found: list[About]) -> ASGIResponse:
    base = f"{request.app.state.base_url}/fhir"
    entries = [
        {
            "fullUrl": f"urn:uuid:{each.id}",
            "resource": subscription_status("query-status", each, (), base),
            "search": {"mode": "match"},
        }
        for each in found
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return resource(msgspec.json.encode(bundle | ({"entry": entries} if entries else {})))


def _parameters(*parameters: dict[str, Any]) -> ASGIResponse:
    return resource(msgspec.json.encode({"resourceType": "Parameters", "parameter": parameters}))


def _permitted(request: Http, does: str) -> Visit:
    visit = visit_of(request)
    permit(visit.caller, does, KIND)
    return visit


def _number(text: str | None, otherwise: int) -> int:
    if not text:
        return otherwise
    if not NUMBER.match(text):
        raise BadRequest(
            Issue(
                nl=f"{SINCE} en {UNTIL} zijn nummers van berichten.",
                en=f"{SINCE} and {UNTIL} are numbers of events.",
                code="value",
            )
        )
    return int(text)


def _content(text: str | None) -> Content | None:
    if text is None:
        return None
    found = next((each for each in CONTENTS if each == text), None)
    if found is None:
        listed = ", ".join(CONTENTS)
        raise BadRequest(
            Issue(nl=f"content is een van: {listed}.", en=f"content is one of: {listed}.", code="value")
        )
    return found


ROUTES: list[ControllerRouterHandler] = [statuses, status, past_events, resend, another_secret]
