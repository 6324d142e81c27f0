"""What every handler takes from a request: the world, the visit, and the headers that FHIR gives meaning."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from litestar import Request
from msgspec.structs import replace

from ketenzorg.api.gate import VISIT
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import BadRequest, Invalid, Issue, NotFound

Http = Request[Any, Any, Any]
WORLD = "ketenzorg.world"  # in the scope of a request that is not to change anything
LONGEST_KEY = 255  # characters of an Idempotency-Key
IDEMPOTENCY_KEY = re.compile(
    rf'\s*(?:"([\x20\x21\x23-\x7e]{{1,{LONGEST_KEY}}})"|([\x21\x23-\x7e]{{1,{LONGEST_KEY}}}))\s*\Z'
)
WEAK_ETAG = re.compile(r'\s*(?:W/)?"([0-9]{1,9})"\s*\Z')


def world_of(request: Http) -> World:
    """The world of this process, or that of a rehearsal."""
    scope: Any = request.scope
    world: World = scope.get(WORLD) or request.app.state.world
    return world


def base_of(request: Http) -> str:
    """Where our resources are, as a whole address."""
    return f"{request.app.state.base_url}/fhir"


def visit_of(request: Http) -> Visit:
    """Who calls; the gate has made sure that there is somebody."""
    scope: Any = request.scope
    visit: Visit = scope[VISIT]
    return visit


def uuid_of(kind: str, id_: str) -> UUID:
    """An id of ours; any other id is that of nothing here."""
    try:
        return UUID(id_)
    except ValueError:
        raise NotFound(
            Issue(nl=f"Deze {kind} is er niet, of niet voor u.", en=f"No such {kind}, or not for you.")
        ) from None


def if_match_of(request: Http) -> int | None:
    """The version that the caller has seen; None when it does not say."""
    header = request.headers.get("if-match")
    if header is None:
        return None
    found = WEAK_ETAG.match(header)
    if found is None:
        raise BadRequest(
            Issue(nl='If-Match is een ETag van ons: W/"3".', en='If-Match is an ETag of ours: W/"3".'),
        )
    return int(found[1])


def idempotency_key_of(request: Http) -> str | None:
    """What the caller calls this request; None when it does not say. A string of RFC 8941, or bare."""
    header = dict(request.scope["headers"]).get(b"idempotency-key")
    if header is None:
        return None
    found = IDEMPOTENCY_KEY.match(header.decode("latin-1"))
    if found is None:
        raise BadRequest(
            Issue(
                nl=f"Een Idempotency-Key is 1 tot {LONGEST_KEY} gewone tekens, zonder aanhalingstekens erin.",
                en=f"An Idempotency-Key is 1 to {LONGEST_KEY} printable ASCII characters, without quotes inside.",
            )
        )
    return found[1] or found[2]


def prefers(request: Http, preference: str) -> bool:
    """Whether the Prefer header asks for this. https://hl7.org/fhir/R4/http.html#ops"""
    header = dict(request.scope["headers"]).get(b"prefer")
    if header is None:
        return False
    wishes = re.split(r"[,;]", header.decode("latin-1"))
    return any(wish.replace(" ", "").replace('"', "").lower() == preference.lower() for wish in wishes)


@contextmanager
def placed(place: Callable[[str], str]) -> Iterator[None]:
    """What an event lacks has its place in what was sent: the pathway knows it by name only."""
    try:
        yield
    except Invalid as error:
        raise Invalid(
            *(
                replace(
                    issue, expression=tuple(at if at[:1].isupper() else place(at) for at in issue.expression)
                )
                for issue in error.issues
            )
        ) from error


def check_id(body: Any, id_: UUID, *, found: bool = False) -> None:
    """Raise Invalid when a resource has another id than its address says; one that was searched needs none."""
    if body.id != str(id_) and not (found and body.id is None):
        kind = type(body).__name__
        raise Invalid(
            Issue(
                nl=f"{kind}.id is een andere dan in het adres.",
                en=f"{kind}.id differs from the id in the URL.",
                expression=(f"{kind}.id",),
                code="value",
            ),
        )
