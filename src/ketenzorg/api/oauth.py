"""Answers below /auth: JSON as OAuth has it, for every way to fail. RFC 6749 section 5.2."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse

from ketenzorg.api import answers
from ketenzorg.errors import Forbidden, KetenzorgError, TokenRefused, TooMany, Unauthenticated, Unavailable

JSON = "application/json"
GRANTING = "/auth/token"


def is_auth(path: str) -> bool:
    """Whether an address is one of OAuth, and not one of FHIR."""
    return path.startswith("/auth/")


def success(content: Any, headers: dict[str, str] | None = None) -> ASGIResponse:
    """What was asked."""
    return ASGIResponse(body=msgspec.json.encode(content), headers=headers or {}, media_type=JSON)


def outcome_of(error: KetenzorgError) -> ASGIResponse:
    """An expected failure."""
    return ASGIResponse(body=_body(error), status_code=error.status, headers=error.headers, media_type=JSON)


def expected(_: Request[Any, Any, Any], error: KetenzorgError) -> Response[bytes]:
    """Exception handler of everything in ketenzorg.errors."""
    return Response(_body(error), status_code=error.status, headers=error.headers, media_type=JSON)


def of_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The framework's own refusals."""
    return expected(request, answers.ours(error))


def crash(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What we did not expect: an id for both sides, and nothing of what happened inside."""
    return expected(request, answers.crashed(error))


def _body(error: KetenzorgError) -> bytes:
    # The text may hold no quotes and no backslash.
    said = str(error).replace('"', "'").replace("\\", "/")
    return msgspec.json.encode({"error": _word(error), "error_description": said})


def _word(error: KetenzorgError) -> str:
    match error:
        case TokenRefused():
            return error.error
        case Unauthenticated():
            return "invalid_token"
        case Forbidden():
            return "insufficient_scope"
        case Unavailable() | TooMany():
            return "temporarily_unavailable"
        case _:
            return "server_error" if error.status >= 500 else "invalid_request"  # noqa: PLR2004
