"""References and addresses that are a search: `Organization?identifier=…`, found as the caller would find it.

https://hl7.org/fhir/R4/http.html#trules. A personal number may stand in one: it goes by form, not in an address.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from ketenzorg.api.inner import answer_to, inner_scope
from ketenzorg.api.rehearsing import issues_of
from ketenzorg.api.requests import Http
from ketenzorg.errors import Issue, PreconditionFailed, TooLarge, Unavailable
from ketenzorg.fhir import json

CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.S)
IN_A_BODY: Final = re.compile(rb'"reference"\s*:\s*"[A-Z][A-Za-z]+\?')
FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
MOST: Final = 20  # different searches of one Bundle
FOUND: Final = HTTPStatus.OK.value
OURS: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value


def has_conditional(body: bytes) -> bool:
    """Whether a reference in a body may be a search."""
    return b"?" in body and IN_A_BODY.search(body) is not None


async def with_found(bundle: dict[str, Any], request: Http) -> dict[str, Any]:
    """The Bundle with the address of what each search found in its place.

    Raises PreconditionFailed for every one that found nothing, or more than one, at once.
    """
    asked = {search for _, search in searches_in(bundle)}
    if len(asked) > MOST:
        raise TooLarge(_too_many())
    found = {search: await find(search, request) for search in asked}
    wrong = [
        _not_one(path, len(found[search])) for path, search in searches_in(bundle) if len(found[search]) != 1
    ]
    if wrong:
        raise PreconditionFailed(*wrong)
    named: dict[str, Any] = _renamed(bundle, {search: addresses[0] for search, addresses in found.items()})
    return named


async def find(search: str, request: Http) -> list[str]:
    """The addresses that a search finds, at most two; none for a search that cannot be done."""
    kind, _, query = search.partition("?")
    host = [each for each in request.scope["headers"] if each[0] == b"host"]
    scope = inner_scope(request, "POST", f"/fhir/{kind}/_search", "", [FORM, *host])
    answer = await answer_to(scope, f"{query}&_count=2".encode())
    if answer.status >= OURS:
        raise Unavailable(*issues_of(answer))
    if answer.status != FOUND:
        return []
    resources = [
        each["resource"]
        for each in json.read(answer.body).get("entry", ())
        if each.get("search", {}).get("mode") == "match"
    ]
    return [f"{each['resourceType']}/{each['id']}" for each in resources]


def searches_in(node: Any, path: str = "Bundle") -> Iterator[tuple[str, str]]:
    """Each reference that is a search, with its place."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference" and isinstance(value, str):
                if CONDITIONAL.fullmatch(value):
                    yield f"{path}.reference", value
            else:
                yield from searches_in(value, f"{path}.{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from searches_in(value, f"{path}[{place}]")


def _renamed(node: Any, addresses: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: addresses[value]
            if key == "reference" and isinstance(value, str) and value in addresses
            else _renamed(value, addresses)
            for key, value in node.items()
        }
    return [_renamed(value, addresses) for value in node] if isinstance(node, list) else node


def _not_one(path: str, many: int) -> Issue:
    if many:
        return Issue(
            nl="Deze zoekvraag vindt er meer dan één; zoek nauwer, of noem de resource zelf.",
            en="This search finds more than one; make it narrower, or name the resource itself.",
            expression=(path,),
            code="multiple-matches",
        )
    return Issue(
        nl="Deze zoekvraag vindt niets dat u mag zien. Zoek op wat bij GET /fhir/metadata staat, zoals identifier.",
        en="This search finds nothing that you may see. Search by what GET /fhir/metadata names, such as identifier.",
        expression=(path,),
        code="not-found",
    )


def _too_many() -> Issue:
    return Issue(
        nl=f"Hoogstens {MOST} verschillende zoekvragen als verwijzing in één Bundle.",
        en=f"At most {MOST} different searches as references in one Bundle.",
        expression=("Bundle.entry",),
    )
