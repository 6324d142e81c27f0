"""FHIR create, read, search, update and delete of a Subscription.

https://hl7.org/fhir/uv/subscriptions-backport/, the R4 form; https://hl7.org/fhir/R4/http.html.
"""

from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, if_match_of, uuid_of, visit_of, world_of
from ketenzorg.coordination.hearing.subscribing import (
    as_resource,
    own,
    resubscribe,
    subscribe,
    subscriptions_of,
    unsubscribe,
)
from ketenzorg.coordination.world import Visit
from ketenzorg.store.subscriptions import Subscription

KIND = "Subscription"


@post("/fhir/Subscription", status_code=201)
async def create(request: Http) -> ASGIResponse:
    """A new subscription; the answer tells the secret that signs, this once."""
    visit = _permitted(request, "subscribe")
    made, secret = await subscribe(await read_body(request), visit, world_of(request))
    answer = resource(as_resource(made, secret), status=201, version=made.version, updated=made.updated)
    answer.headers.add("Location", f"{_address(request, made.id)}/_history/{made.version}")
    return answer


@get("/fhir/Subscription")
async def search(request: Http) -> ASGIResponse:
    """All subscriptions of the caller's organisation: there are few."""
    return await _all(request)


@post("/fhir/Subscription/_search", status_code=200)
async def search_by_form(request: Http) -> ASGIResponse:
    """The same; no parameter makes them fewer."""
    return await _all(request)


async def _all(request: Http) -> ASGIResponse:
    visit = _permitted(request, "subscriptions")
    found = await subscriptions_of(visit, world_of(request))
    entries = [
        {
            "fullUrl": _address(request, each.id),
            "resource": msgspec.Raw(as_resource(each)),
            "search": {"mode": "match"},
        }
        for each in found
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return resource(msgspec.json.encode(bundle | ({"entry": entries} if entries else {})))


@get("/fhir/Subscription/{id_:str}")
async def read(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """One subscription, and how it stands."""
    visit = _permitted(request, "subscription")
    return _shown(await own(uuid_of(KIND, id_), visit, world_of(request)))


@put("/fhir/Subscription/{id_:str}")
async def update(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """Another wish under the same id; its endpoint must answer anew."""
    visit = _permitted(request, "resubscribe")
    subscription, body = uuid_of(KIND, id_), await read_body(request)
    return _shown(await resubscribe(subscription, body, visit, world_of(request), if_match_of(request)))


@delete("/fhir/Subscription/{id_:str}", status_code=204)
async def remove(request: Http, id_: FromPath[str]) -> None:
    """Nothing of it is left."""
    visit = _permitted(request, "unsubscribe")
    await unsubscribe(uuid_of(KIND, id_), visit, world_of(request))


def _permitted(request: Http, does: str) -> Visit:
    visit = visit_of(request)
    permit(visit.caller, does, KIND)
    return visit


def _shown(subscription: Subscription) -> ASGIResponse:
    return resource(as_resource(subscription), version=subscription.version, updated=subscription.updated)


def _address(request: Http, id_: UUID) -> str:
    return f"{request.app.state.base_url}/fhir/Subscription/{id_}"


ROUTES: list[ControllerRouterHandler] = [
    create,
    search,
    search_by_form,
    read,
    update,
    remove,
]
