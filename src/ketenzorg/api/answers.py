"""Answers over HTTP: resources with their version, and every failure as an OperationOutcome."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import Send

from ketenzorg.api.kinds import kind_in, refused
from ketenzorg.errors import (
    BadRequest,
    Issue,
    KetenzorgError,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.logs import CRASH, log

FHIR_JSON = "application/fhir+json; charset=utf-8"


def resource(
    body: bytes, *, status: int = 200, version: int | None = None, updated: datetime | None = None
) -> ASGIResponse:
    """A resource, with ETag and Last-Modified where it has a version."""
    headers = {}
    if version is not None:
        headers["ETag"] = f'W/"{version}"'
    if updated is not None:
        headers["Last-Modified"] = format_datetime(updated, usegmt=True)
    return ASGIResponse(body=body, status_code=status, headers=headers, media_type=FHIR_JSON)


async def send_json(body: bytes, send: Send) -> None:
    """A success straight to the server, for the one answer that must be quick."""
    headers = [(b"content-type", FHIR_JSON.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def outcome_of(error: KetenzorgError) -> ASGIResponse:
    """An expected failure, with everything that the caller can act on."""
    return ASGIResponse(
        body=operation_outcome(error.issues, error.code, error.status),
        status_code=error.status,
        headers=error.headers,
        media_type=FHIR_JSON,
    )


def _handled(error: KetenzorgError) -> Response[bytes]:
    """The same, as the framework wants it from an exception handler."""
    return Response(
        operation_outcome(error.issues, error.code, error.status),
        status_code=error.status,
        headers=error.headers,
        media_type=FHIR_JSON,
    )


def expected(_: Request[Any, Any, Any], error: KetenzorgError) -> Response[bytes]:
    """Exception handler of everything in ketenzorg.errors."""
    return _handled(error)


def of_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The framework's own refusals, in our form."""
    refusal, path = ours(error), request.scope["path"]
    kind = kind_in(path)
    if isinstance(refusal, NotFound) and kind and path == f"/fhir/{kind}":
        return _handled(refused(kind, ()))  # a type with an address of its own below it
    if isinstance(refusal, MethodNotAllowed) and kind:
        return _handled(refused(kind, refusal.headers.get("Allow", "").split(", ")))
    return _handled(refusal)


def crash(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What we did not expect."""
    return _handled(crashed(error))


def crashed(error: Exception) -> KetenzorgError:
    """A crash as both sides hear of it: an id, and nothing of what happened inside; the log has where."""
    number = str(uuid4())
    log(CRASH, request=number, error=f"{type(error).__module__}.{type(error).__qualname__}{_where(error)}")
    issue = Issue(
        nl=f"Er ging bij ons iets mis. Meld dit nummer: {number}.",
        en=f"Something went wrong on our side. Report this number: {number}.",
    )
    return KetenzorgError(issue)


def _where(error: Exception) -> str:
    """File and line of each step, without values: these may be anybody's."""
    steps = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        steps.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " at " + " > ".join(steps)


def _also_head(allowed: str) -> str:
    """What can be got can be asked for without its body."""
    methods = [each.strip() for each in allowed.split(",") if each.strip() not in ("", "OPTIONS")]
    return ", ".join([*methods, *(["HEAD"] if "GET" in methods and "HEAD" not in methods else [])])


def ours(error: HTTPException) -> KetenzorgError:
    """A refusal of the framework as one of ours."""
    match error.status_code:
        case 404:
            return NotFound(Issue(nl="Dit adres bestaat niet.", en="No such address. See /fhir/metadata."))
        case 405:
            allowed = _also_head((error.headers or {}).get("allow", ""))
            return MethodNotAllowed(
                Issue(
                    nl=f"Dit kan hier niet; wel: {allowed or 'zie /fhir/metadata'}.",
                    en=f"Not possible here; possible: {allowed or 'see /fhir/metadata'}.",
                ),
                headers={"Allow": allowed} if allowed else {},
            )
        case 413:
            return TooLarge(Issue(nl="Het bericht is te groot.", en="The message is too large."))
        case 415:
            return UnsupportedMediaType(
                Issue(nl="Stuur application/fhir+json.", en="Send application/fhir+json."),
            )
        case 400:
            return Malformed(Issue(nl="Het verzoek is niet te lezen.", en="The request cannot be read."))
        case _:
            return BadRequest(
                Issue(nl="Dit verzoek kunnen we niet aannemen.", en="We cannot take this request.")
            )
