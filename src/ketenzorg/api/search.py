"""FHIR search on the types that a worklist needs. https://hl7.org/fhir/R4/search.html"""

from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.requests import Http, prefers, visit_of, world_of
from ketenzorg.api.search_query import Asked, read_query
from ketenzorg.coordination.looking import Page, Seen
from ketenzorg.coordination.looking import search as search_page
from ketenzorg.errors import Issue
from ketenzorg.fhir.outcome import operation_outcome


@get("/fhir/{kind:str}")
async def search(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """A page of what matches; `next` leads on without skipping or repeating, also while data changes."""
    world, visit = world_of(request), visit_of(request)
    strict = prefers(request, "handling=strict")
    pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="replace")
    asked = read_query(kind, pairs, world.region, request.app.state.base_url, strict=strict)
    permit(visit.caller, "search", kind)
    page = await search_page(asked.query, asked.includes, asked.kept, visit, world)
    return resource(msgspec.json.encode(_bundle(request, kind, asked, page)))


def _bundle(request: Http, kind: str, asked: Asked, page: Page) -> dict[str, object]:
    base = request.app.state.base_url
    links = [{"relation": "self", "url": _url(base, kind, asked.kept)}]
    if page.next_after is not None:
        following = [*asked.kept, ("_cursor", str(page.next_after))]
        links.append({"relation": "next", "url": _url(base, kind, following)})
    entries = [_entry(base, seen, "match") for seen in page.matches]
    entries += [_entry(base, seen, "include") for seen in page.included]
    if asked.ignored:
        entries.append(_warning(asked.ignored))
    bundle: dict[str, object] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _url(base: str, kind: str, pairs: list[tuple[str, str]]) -> str:
    query = urlencode(pairs, safe="|,:/$")
    return f"{base}/fhir/{kind}?{query}" if query else f"{base}/fhir/{kind}"


def _entry(base: str, seen: Seen, mode: str) -> dict[str, object]:
    return {
        "fullUrl": f"{base}/fhir/{seen.type}/{seen.id}",
        "resource": msgspec.Raw(seen.body),
        "search": {"mode": mode},
    }


def _warning(ignored: tuple[str, ...]) -> dict[str, object]:
    issue = Issue(
        nl="Deze zoekparameters kennen we niet en zijn overgeslagen.",
        en="These search parameters are not known and were ignored.",
        expression=ignored,
        code="not-supported",
        severity="warning",
    )
    return {
        "resource": msgspec.Raw(operation_outcome([issue], "not-supported")),
        "search": {"mode": "outcome"},
    }
