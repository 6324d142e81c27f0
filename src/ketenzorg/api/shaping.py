"""How an answer under /fhir is given: HEAD, conditional reads, `_format`, `_pretty`, `_summary` and `_elements`.

https://hl7.org/fhir/R4/http.html#general, #cread; https://hl7.org/fhir/R4/search.html#summary. What is answered, and to
whom, was decided before: here it only becomes less, or is laid out otherwise.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Litestar

from ketenzorg.errors import BadRequest, Issue, KetenzorgError, NotAcceptable
from ketenzorg.fhir import json, part
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.fhir.part import Part

SHAPE: Final = "ketenzorg.shape"  # of the answer to a request; a form may still add to it
NAMES: Final = ("_format", "_pretty", "_summary", "_elements")
JSON: Final = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
ACCEPTED: Final = frozenset({"application/fhir+json", "application/json", "application/*", "*/*"})
VERSIONS: Final = ("", "4.0")  # of FHIR, as a media type names them
PARTS: Final[Mapping[str, Part | None]] = {
    "true": part.summary,
    "text": part.narrative,
    "data": part.data,
    "count": None,
    "false": None,
}
MOST_ELEMENTS: Final = 50
INDENT: Final = 2
FOUND: Final = frozenset({"searchset", "history"})
OUTCOME: Final = "OperationOutcome"
RETURNS: Final = {each.lower(): each for each in ("minimal", "representation", OUTCOME)}
WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
WHOLE: Final = frozenset({"/fhir", "/fhir/Subscription"})
RETURN: Final = re.compile(r'(?:^|[\s,;])return\s*=\s*"?(minimal|representation|operationoutcome)\b', re.I)
WRITTEN: Final = frozenset({HTTPStatus.OK.value, HTTPStatus.CREATED.value})
OK: Final = HTTPStatus.OK.value
NOT_MODIFIED: Final = HTTPStatus.NOT_MODIFIED.value

Pairs = list[tuple[str, str]]
Headers = Sequence[tuple[bytes, bytes]]


class Shape(msgspec.Struct):
    """What was asked of the form of an answer."""

    returns: str = ""  # after a write: minimal, OperationOutcome; all else is the resource

    pretty: bool = False
    count: bool = False
    part: Part | None = None
    asked: Pairs = []  # as it came, for the links of a page

    def take(self, pairs: Pairs, kind: str) -> None:
        """More wishes. Raises NotAcceptable for another format than JSON, BadRequest for all else that is wrong."""
        wishes = dict(pairs)
        if wishes.get("_format", "json").replace(" ", "+").partition(";")[0].lower() not in JSON:
            raise not_acceptable()
        wrong = list(_wrong([*self.asked, *pairs], kind))
        if wrong:
            raise BadRequest(*wrong)
        self.pretty |= wishes.get("_pretty") == "true"
        self.count |= wishes.get("_summary") == "count"
        self.part = PARTS[wishes["_summary"]] if "_summary" in wishes else self.part
        if "_elements" in wishes:
            names = frozenset(wishes["_elements"].split(","))
            self.part = partial(part.listed, names=names)
        self.asked = [*self.asked, *pairs]


def take_wishes(pairs: Pairs, scope: Any) -> Pairs:
    """The parameters of a form without those about the answer, which are kept for it."""
    wishes = [pair for pair in pairs if pair[0] in NAMES]
    if wishes:
        scope[SHAPE].take(wishes, _kind(scope["path"]))
    return [pair for pair in pairs if pair[0] not in NAMES]


def wants_count(scope: Any) -> bool:
    """Whether it is asked how many there are, and not which."""
    shape: Shape | None = scope.get(SHAPE)
    return shape is not None and shape.count


def check_accept(accept: str, query: bytes, *, also: str = "") -> None:
    """Raise NotAcceptable when somebody wants nothing that we speak. `_format` goes before it."""
    if b"_format=" in query or not accept.strip():
        return
    if not any(_is_ours(each, also) for each in accept.lower().split(",")):
        raise not_acceptable()


def _is_ours(wanted: str, also: str) -> bool:
    media, *rest = (each.strip() for each in wanted.split(";"))
    parameters = dict(each.partition("=")[::2] for each in rest)
    refused = parameters.get("q", "1").strip("0") in ("", ".")
    version = parameters.get("fhirversion", "").strip('"')
    return (media in ACCEPTED or media == also != "") and not refused and version in VERSIONS


class Shaping:
    """Stands between the gate and the application; what asks for nothing of this passes it as it is."""

    def __init__(self, app: Litestar) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not _asks(scope):
            await self._app(scope, receive, send)
            return
        inner, shape = _without_wishes(scope)
        answer = Answer()
        await self._app(inner, receive, answer.take)
        await _sent(answer, shape, scope, send)


class Answer:
    """All of an answer, kept until it has its form."""

    def __init__(self, status: int = 0, headers: Headers = (), body: bytes = b"") -> None:
        self.status = status
        self.headers = list(headers)
        self.body = body

    async def take(self, message: Any) -> None:
        """What the application sends."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> str:
        """Its value; "" when it is not there."""
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == name), "")


def _asks(scope: Any) -> bool:
    """Whether anything here has to do with the request."""
    method = scope["method"]
    if method == "HEAD":
        return True
    if not scope["path"].startswith("/fhir"):
        return False
    if method in WRITES and _returns(scope):
        return True
    if method == "POST" and scope["path"].endswith("/_search"):
        return True
    if any(name.encode() in scope["query_string"] for name in NAMES):
        return True
    return method == "GET" and any(
        name in (b"if-none-match", b"if-modified-since") for name, _ in scope["headers"]
    )


def _returns(scope: Any) -> str:
    """What a write shall give back. https://hl7.org/fhir/R4/http.html#ops

    A transaction sees to that itself, an operation gives what it is asked for, and the secret of a new Subscription is
    told once.
    """
    path = scope["path"]
    if scope["method"] not in WRITES or "$" in path or path in WHOLE or path.endswith("/_search"):
        return ""
    header = next((value for name, value in scope["headers"] if name == b"prefer"), b"")
    found = RETURN.search(header.decode("latin-1"))
    return RETURNS[found[1].lower()] if found else ""


def _without_wishes(scope: Any) -> tuple[Any, Shape]:
    """The request as the handlers know it."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")
    wishes = [pair for pair in pairs if pair[0] in NAMES and scope["path"].startswith("/fhir")]
    shape = Shape(returns=_returns(scope))
    shape.take(wishes, _kind(scope["path"]))
    inner = {**scope, SHAPE: shape}
    if wishes:
        inner["query_string"] = urlencode([pair for pair in pairs if pair[0] not in NAMES]).encode()
    if scope["method"] == "HEAD":
        inner["method"] = "GET"
    return inner, shape


async def _sent(answer: Answer, shape: Shape, scope: Any, send: Any) -> None:
    status, body = answer.status, answer.body
    left_out = {b"content-length"}
    if status == OK and scope["method"] in ("GET", "HEAD") and _is_known(answer, scope["headers"]):
        status, body = NOT_MODIFIED, b""
        left_out.add(b"content-type")
    elif shape.returns and status in WRITTEN:
        body = _given_back(body, shape)
        if not body:
            left_out.add(b"content-type")
    elif answer.header(b"content-type").startswith("application/fhir+json"):
        body = _formed(body, shape) if status == OK else _laid_out(body, shape)
    headers = [pair for pair in answer.headers if pair[0].lower() not in left_out]
    if shape.returns and status in WRITTEN:
        headers.append((b"preference-applied", f"return={shape.returns}".encode()))
    if status != NOT_MODIFIED:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _given_back(body: bytes, shape: Shape) -> bytes:
    if shape.returns == "minimal":
        return b""
    told = body.startswith(b'{"resourceType":"OperationOutcome"')  # it has more to say than that it is stored
    if shape.returns == OUTCOME and not told:
        body = operation_outcome([_DONE], _DONE.code)
    return _laid_out(body, shape)


def _is_known(answer: Answer, headers: Any) -> bool:
    """Whether the caller has this already. https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match"""
    given = {name: value.decode("latin-1") for name, value in headers}
    tag, moment = answer.header(b"etag"), answer.header(b"last-modified")
    if b"if-none-match" in given:
        known = {each.strip().removeprefix("W/") for each in given[b"if-none-match"].split(",")}
        return tag != "" and ("*" in known or tag.removeprefix("W/") in known)
    since = _moment(given.get(b"if-modified-since", ""))
    changed = _moment(moment)
    return since is not None and changed is not None and changed <= since


def _moment(text: str) -> datetime | None:
    """A date of HTTP; None for what is none, which is then as if it were not there."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _formed(body: bytes, shape: Shape) -> bytes:
    if shape.part or shape.count or shape.asked:
        body = json.write(_part_of(json.read(body), shape))
    return _laid_out(body, shape)


def _laid_out(body: bytes, shape: Shape) -> bytes:
    return msgspec.json.format(body, indent=INDENT) if shape.pretty and body else body


def _part_of(whole: dict[str, Any], shape: Shape) -> dict[str, Any]:
    if whole.get("type") in FOUND and whole["resourceType"] == "Bundle":
        return _page_of(whole, shape)
    if shape.count:
        raise BadRequest(_not_counted())
    if shape.part is None or whole["resourceType"] in ("Bundle", "Parameters", "OperationOutcome"):
        return whole
    return shape.part(whole)


def _page_of(page: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """A page of a search or a history: each resource in part, and links that ask for the same."""
    for link in page.get("link", ()):
        link["url"] += ("&" if "?" in link["url"] else "?") + urlencode(shape.asked, safe=",/")
    if shape.count:
        if "total" not in page:
            raise BadRequest(_not_counted())
        links = [link for link in page.get("link", ()) if link["relation"] == "self"]
        told = [each for each in page.get("entry", ()) if each.get("search", {}).get("mode") == "outcome"]
        kept = {name: value for name, value in page.items() if name not in ("link", "entry")}
        return kept | ({"link": links} if links else {}) | ({"entry": told} if told else {})
    if shape.part is not None:
        for entry in page.get("entry", ()):
            if entry["resource"]["resourceType"] != "OperationOutcome":
                entry["resource"] = shape.part(entry["resource"])
    return page


def _kind(path: str) -> str:
    """The type that an address is about; "" for none."""
    return path.split("/")[2] if path.count("/") > 1 else ""


def _wrong(pairs: Pairs, kind: str) -> Iterator[Issue]:
    names = [name for name, _ in pairs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _issue(name, "deze parameter staat er twee keer.", "this parameter stands twice.")
    wishes = dict(pairs)
    if wishes.get("_pretty", "true") not in ("true", "false"):
        yield _issue("_pretty", "true of false.", "true or false.")
    if wishes.get("_summary", "true") not in PARTS:
        known = ", ".join(PARTS)
        yield _issue("_summary", f"een van: {known}.", f"one of: {known}.")
    if "_elements" in wishes:
        if wishes.get("_summary", "false") != "false":
            yield _issue("_elements", "niet samen met _summary.", "not together with _summary.")
        yield from _wrong_elements(wishes["_elements"].split(","), kind)


def _wrong_elements(names: list[str], kind: str) -> Iterator[Issue]:
    known = part.elements_of(kind)
    if len(names) > MOST_ELEMENTS:
        yield _issue("_elements", f"hoogstens {MOST_ELEMENTS} namen.", f"at most {MOST_ELEMENTS} names.")
    elif known and not known.issuperset(names):
        listed = ", ".join(sorted(known))
        yield _issue(
            "_elements",
            f"namen van elementen van {kind}, met komma's ertussen: {listed}.",
            f"names of elements of {kind}, with commas between them: {listed}.",
        )


_DONE: Final = Issue(
    "Het is opgeslagen; ETag noemt de versie.",
    "It is stored; ETag names the version.",
    code="informational",
    severity="information",
)


def _issue(name: str, nl: str, en: str) -> Issue:
    return Issue(f"{name}: {nl}", f"{name}: {en}", (name,), code="value")


def _not_counted() -> Issue:
    return _issue(
        "_summary",
        "hier wordt niet geteld: count kan bij zoeken en bij geschiedenis.",
        "nothing is counted here: count is for searches and histories.",
    )


def not_acceptable() -> KetenzorgError:
    """For who wants another format, or another version of FHIR."""
    return NotAcceptable(
        Issue(
            nl="Wij spreken alleen JSON van FHIR R4: Accept: application/fhir+json, of _format=json.",
            en="We speak the JSON of FHIR R4 only: Accept: application/fhir+json, or _format=json.",
        )
    )
