"""FHIR batch: each entry is a request of its own, and one that fails changes no other.

https://hl7.org/fhir/R4/http.html#transaction. An entry goes the way of any request: the same rules, the same record.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec

from ketenzorg.api.answers import outcome_of
from ketenzorg.api.inner import answer_to, inner_scope
from ketenzorg.api.requests import Http
from ketenzorg.api.shaping import Answer
from ketenzorg.errors import BadRequest, Issue, KetenzorgError, TooLarge
from ketenzorg.fhir import bounds, json

MOST: Final = 100  # entries: each is a request
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CONDITIONS: Final = {  # of an entry, as headers
    "ifMatch": b"if-match",
    "ifNoneMatch": b"if-none-match",
    "ifModifiedSince": b"if-modified-since",
    "ifNoneExist": b"if-none-exist",
}
PASSED_ON: Final = (b"host", b"prefer")
LONGEST_URL: Final = 4096  # characters
URL: Final = re.compile(r"[!-~]+\Z")
FAILED: Final = HTTPStatus.BAD_REQUEST.value


def is_batch(body: bytes) -> bool:
    """Whether a body says that it is a batch; what is wrong with it otherwise is for others to say."""
    if b'"batch"' not in body:
        return False
    bounds.check(body)
    bundle = bounds.read(body)
    return isinstance(bundle, dict) and bundle.get("type") == "batch"


async def do_all(body: bytes, request: Http) -> bytes:
    """A batch-response with the answer to each, in their order."""
    if b"idempotency-key" in dict(request.scope["headers"]):
        raise BadRequest(_no_key())
    bounds.check_names(body)
    bundle = json.read_as_sent(body)
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise BadRequest(_issue("Bundle.entry", "een Bundle met een lijst.", "a Bundle with a list."))
    if len(entries) > MOST:
        raise TooLarge(
            _issue("Bundle.entry", f"hoogstens {MOST} in een batch.", f"at most {MOST} in a batch.")
        )
    answers = [await _one(entry, place, request) for place, entry in enumerate(entries)]
    told = {"resourceType": "Bundle", "type": "batch-response"}
    return msgspec.json.encode(told | ({"entry": answers} if answers else {}))


async def _one(entry: Any, place: int, request: Http) -> dict[str, Any]:
    try:
        scope, content = as_request(entry, f"Bundle.entry[{place}]", request)
        answer = await answer_to(scope, content)
    except KetenzorgError as error:
        refusal = outcome_of(error)
        answer = Answer(error.status, [(b"content-type", b"application/fhir+json")], refusal.body)
    return dict(_told(answer))


def _told(answer: Answer) -> Iterator[tuple[str, Any]]:
    response: dict[str, Any] = {"status": f"{answer.status} {HTTPStatus(answer.status).phrase}"}
    for name, header in (("location", b"location"), ("etag", b"etag")):
        if found := answer.header(header):
            response[name] = found
    content = answer.body if answer.header(b"content-type").startswith("application/fhir+json") else b""
    if content and answer.status >= FAILED:
        response["outcome"] = msgspec.Raw(content)
    elif content:
        yield "resource", msgspec.Raw(content)
    yield "response", response


def as_request(entry: Any, path: str, request: Http) -> tuple[Any, bytes]:
    """What it would be if it came alone. Raises BadRequest."""
    asked = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(asked, dict) or asked.get("method") not in METHODS:
        listed = ", ".join(METHODS)
        raise BadRequest(_issue(f"{path}.request.method", f"een van: {listed}.", f"one of: {listed}."))
    url = asked.get("url")
    base = f"{request.app.state.base_url}/fhir/"
    address, _, query = str(url).removeprefix(base).partition("?")
    if not isinstance(url, str) or not address or len(url) > LONGEST_URL or not URL.match(url):
        raise BadRequest(
            _issue(
                f"{path}.request.url",
                "een adres onder /fhir, zoals Task/<id>; in een batch zit geen batch of transactie.",
                "an address under /fhir, like Task/<id>; a batch holds no batch or transaction.",
            )
        )
    kind, content = _content(entry.get("resource"), path)
    headers = [(b"content-type", kind), *_conditions(asked), *_passed_on(request)]
    return inner_scope(request, asked["method"], f"/fhir/{address}", query, headers), content


def _content(resource: Any, path: str) -> tuple[bytes, bytes]:
    """The type and the bytes of a body; a JSON Patch is sent inside a Binary."""
    if not isinstance(resource, dict):
        return b"application/fhir+json", b""
    if resource.get("resourceType") != "Binary":
        return b"application/fhir+json", json.write(resource)
    try:
        return str(resource["contentType"]).encode("latin-1"), b64decode(resource["data"], validate=True)
    except (KeyError, TypeError, ValueError, NotBase64):
        raise BadRequest(
            _issue(
                f"{path}.resource",
                "een Binary met contentType en data (base64).",
                "a Binary with contentType and data (base64).",
            )
        ) from None


def _conditions(asked: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, header in CONDITIONS.items():
        if name in asked:
            yield header, str(asked[name]).encode("latin-1", "replace")


def _passed_on(request: Http) -> Iterator[tuple[bytes, bytes]]:
    yield from ((name, value) for name, value in request.scope["headers"] if name in PASSED_ON)


def _no_key() -> Issue:
    return Issue(
        "Een Idempotency-Key is er voor een transactie; in een batch staat elk verzoek op zichzelf.",
        "An Idempotency-Key is for a transaction; in a batch each request stands alone.",
        code="not-supported",
    )


def _issue(expression: str, nl: str, en: str) -> Issue:
    return Issue(f"Hier hoort {nl}", f"This must be {en}", (expression,), code="value")
