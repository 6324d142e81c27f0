"""FHIR search on the types that a worklist needs. https://hl7.org/fhir/R4/search.html"""

from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.definitions import KINDS, Published
from ketenzorg.api.requests import Http, prefers, visit_of, world_of
from ketenzorg.api.search_form import in_address, in_form
from ketenzorg.api.search_query import Asked, check_searchable, read_query
from ketenzorg.api.search_values import place_as_text
from ketenzorg.api.shaping import wants_count
from ketenzorg.coordination.reading.bringing import MOST as MOST_ALONG
from ketenzorg.coordination.reading.gathering import MOST_COUNTED
from ketenzorg.coordination.reading.looking import Page, Seen
from ketenzorg.coordination.reading.looking import search as search_page
from ketenzorg.errors import Issue
from ketenzorg.fhir.outcome import operation_outcome

NOT_COUNTED = Issue(
    nl=f"Het zijn er meer dan {MOST_COUNTED}: geteld is niet hoeveel.",
    en=f"There are more than {MOST_COUNTED}: how many was not counted.",
    code="too-costly",
    severity="warning",
)
ONLY_PART = Issue(
    nl="Er is meer om door te kijken: volg ‘next’, ook als deze pagina leeg is. Sneller gaat het met owner, status, "
    "patient, identifier of _lastUpdated.",
    en="There is more to look through: follow 'next', also when this page is empty. It is faster with owner, status, "
    "patient, identifier or _lastUpdated.",
    code="incomplete",
    severity="information",
)
LEFT_BEHIND = Issue(
    nl=f"Hoogstens {MOST_ALONG} resources gaan mee: vraag met _count minder tegelijk.",
    en=f"At most {MOST_ALONG} resources come along: ask for fewer at once, with _count.",
    code="incomplete",
    severity="warning",
)


@get("/fhir/{kind:str}")
async def search(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """A page of what matches; `next` leads on without skipping or repeating, also while data changes."""
    if kind in KINDS:
        return _of_definitions(request, kind, in_address(request))
    may_search(kind, request)
    return await _search(request, kind, in_address(request))


@post("/fhir/{kind:str}/_search", status_code=200)
async def search_by_form(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """The same with the parameters in a form: the only way to ask for a personal number."""
    if kind in KINDS:
        return _of_definitions(request, kind, await in_form(request))
    may_search(kind, request)
    return await _search(request, kind, await in_form(request))


def _of_definitions(request: Http, kind: str, pairs: list[tuple[str, str]]) -> ASGIResponse:
    published: Published = request.app.state.published
    return resource(published.search(kind, pairs, request.app.state.base_url))


def may_search(kind: str, request: Http) -> None:
    """Raise NotFound for a type that cannot be searched, Forbidden without the scope for it."""
    check_searchable(kind)
    permit(visit_of(request).caller, "search", kind)


async def _search(request: Http, kind: str, pairs: list[tuple[str, str]]) -> ASGIResponse:
    world = world_of(request)
    strict = prefers(request, "handling=strict")
    asked = read_query(kind, pairs, world, request.app.state.base_url, strict=strict)
    on_record = [*asked.kept, *asked.hidden]
    wanted = asked.wanted
    if wants_count(request.scope):
        wanted = msgspec.structs.replace(wanted, total=True, nothing_else=True)
    page = await search_page(wanted, on_record, visit_of(request), world)
    return resource(msgspec.json.encode(_bundle(request, kind, asked, page)))


def _bundle(request: Http, kind: str, asked: Asked, page: Page) -> dict[str, object]:
    base = request.app.state.base_url
    links = [{"relation": "self", "url": _url(base, kind, asked.kept)}]
    entries = [_entry(base, seen, "match") for seen in page.matches]
    entries += [_entry(base, seen, "include") for seen in page.included]
    if asked.ignored:
        entries.append(_told(_ignored(asked.ignored)))
    if not page.counted:
        entries.append(_told(NOT_COUNTED))
    if page.next_after is not None and len(page.matches) < asked.wanted.query.count:
        entries.append(_told(ONLY_PART))
    if not page.all_along:
        entries.append(_told(LEFT_BEHIND))
    cursor = place_as_text(page.next_after) if page.next_after is not None else ""
    if cursor and asked.hidden:
        entries.append(_told(_more(cursor)))
    elif cursor:
        following = [*asked.kept, ("_cursor", cursor)]
        links.append({"relation": "next", "url": _url(base, kind, following)})
    bundle: dict[str, object] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if page.total is not None:
        bundle["total"] = page.total
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


def _told(issue: Issue) -> dict[str, object]:
    return {
        "resource": msgspec.Raw(operation_outcome([issue], issue.code)),
        "search": {"mode": "outcome"},
    }


def _ignored(names: tuple[str, ...]) -> Issue:
    return Issue(
        nl="Deze zoekparameters kennen we niet en zijn overgeslagen.",
        en="These search parameters are not known and were ignored.",
        expression=names,
        code="not-supported",
        severity="warning",
    )


def _more(after: str) -> Issue:
    """An address that leads on would hold the number."""
    return Issue(
        nl=f"Er is meer: stuur hetzelfde formulier met _cursor={after}.",
        en=f"There is more: send the same form with _cursor={after}.",
        code="incomplete",
        severity="warning",
    )
