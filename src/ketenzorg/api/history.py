"""FHIR history of one resource and of a type. https://hl7.org/fhir/R4/http.html#history"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from ketenzorg.access.rules import permit, types_for
from ketenzorg.api.answers import resource
from ketenzorg.api.kinds import check_kind
from ketenzorg.api.requests import Http, uuid_of, visit_of, world_of
from ketenzorg.api.search_form import in_address
from ketenzorg.api.search_values import DEFAULT_COUNT, Wrong, read_count, read_date, wrong_parameter
from ketenzorg.coordination.reading.history import Page, history
from ketenzorg.coordination.reading.looking import Seen
from ketenzorg.errors import BadRequest
from ketenzorg.fhir.dates import Period
from ketenzorg.referral.stored import instant
from ketenzorg.store.history import Asked, Spot

OF_ONE: Final = types_for("history-instance")
OF_TYPE: Final = types_for("history-type")
NAMES: Final = ("_since", "_at", "_count", "_cursor")
LONGEST: Final = 100  # characters of one value
CURSOR: Final = re.compile(r"([0-9]{1,17})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,9})\Z")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Pairs = list[tuple[str, str]]


@get("/fhir/{kind:str}/{id_:str}/_history")
async def of_one(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """The versions of one resource, the newest first."""
    check_kind(kind, OF_ONE)
    permit(visit_of(request).caller, "history-instance", kind)
    return await _history(request, kind, uuid_of(kind, id_))


@get("/fhir/{kind:str}/_history")
async def of_type(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """The versions of all resources of a type that the caller may see, the newest first."""
    check_kind(kind, OF_TYPE)
    permit(visit_of(request).caller, "history-type", kind)
    return await _history(request, kind, None)


async def _history(request: Http, kind: str, id_: UUID | None) -> ASGIResponse:
    pairs = in_address(request)
    asked = _read(kind, id_, pairs)
    page = await history(asked, pairs, visit_of(request), world_of(request))
    return resource(msgspec.json.encode(_bundle(request, pairs, page)))


def _read(kind: str, id_: UUID | None, pairs: Pairs) -> Asked:
    """Raises BadRequest with every parameter that is wrong."""
    values: dict[str, Any] = {}
    issues = []
    for name, value in pairs:
        try:
            if name in NAMES and (len(value) > LONGEST or name in values):
                raise Wrong(f"één keer, hoogstens {LONGEST} tekens.", f"once, at most {LONGEST} characters.")
            values[name] = _value(name, value)
        except Wrong as wrong:
            issues.append(wrong_parameter(name if name in NAMES else "", *wrong.args))
    if issues:
        raise BadRequest(*issues)
    since: Period | None = values.get("_since")
    return Asked(
        type=kind,
        id=id_,
        since=since.low if since else None,
        current=values.get("_at"),
        after=values.get("_cursor"),
        most=values.get("_count", DEFAULT_COUNT),
    )


def _value(name: str, text: str) -> Any:
    match name:
        case "_count":
            return read_count(text)
        case "_since" | "_at":
            prefix, period = read_date(text)
            if prefix != "eq" or text.startswith("eq"):
                raise Wrong("zonder vergelijking ervoor.", "without a prefix.")
            return period
        case "_cursor":
            return _spot(text)
        case _:
            listed = ", ".join(NAMES[:-1])
            raise Wrong(f"bij geschiedenis kan: {listed}.", f"a history takes: {listed}.")


def _spot(text: str) -> Spot:
    found = CURSOR.match(text)
    if found is None:
        raise Wrong("neem het adres van ‘next’ over.", "take the address of 'next' as it is.")
    return Spot(EPOCH + timedelta(microseconds=int(found[1])), UUID(found[2]), int(found[3]))


def _bundle(request: Http, pairs: Pairs, page: Page) -> dict[str, Any]:
    base = f"{request.app.state.base_url}/fhir"
    address = f"{request.app.state.base_url}{request.scope['path']}"
    links = [{"relation": "self", "url": _url(address, pairs)}]
    if page.next_after is not None:
        at, id_, version = page.next_after
        cursor = f"{(at - EPOCH) // timedelta(microseconds=1)}.{id_}.{version}"
        following = [*((name, value) for name, value in pairs if name != "_cursor"), ("_cursor", cursor)]
        links.append({"relation": "next", "url": _url(address, following)})
    entries = list(_entries(page.versions, base))
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "history", "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _url(address: str, pairs: Pairs) -> str:
    return f"{address}?{urlencode(pairs, safe=':')}" if pairs else address


def _entries(versions: list[Seen], base: str) -> Iterator[dict[str, Any]]:
    for each in versions:
        first = each.version == 1
        yield {
            "fullUrl": f"{base}/{each.type}/{each.id}",
            "resource": msgspec.Raw(each.body),
            "request": {
                "method": "POST" if first else "PUT",
                "url": each.type if first else f"{each.type}/{each.id}",
            },
            "response": {
                "status": "201 Created" if first else "200 OK",
                "etag": f'W/"{each.version}"',
                "lastModified": instant(each.updated),
            },
        }


ROUTES: list[ControllerRouterHandler] = [of_one, of_type]
