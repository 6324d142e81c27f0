"""Every way to fail: the FHIR issue code and the HTTP status of each, three lines a class.

Issue codes: https://hl7.org/fhir/R4/valueset-issue-type.html. Statuses: https://hl7.org/fhir/R4/http.html.
Texts never hold values of personal data: they name the place, what is wrong and what to do.
"""

from typing import ClassVar

import msgspec


class Issue(msgspec.Struct, frozen=True):
    """One thing that is wrong, where, in Dutch and in English, for an OperationOutcome."""

    nl: str
    en: str
    expression: tuple[str, ...] = ()  # FHIRPath of the element, e.g. "Bundle.entry[2].resource.status"
    code: str = ""  # empty: the code of the error that carries the issue
    severity: str = "error"
    soft: bool = False  # nothing depends on it: a client may be registered so that it is kept, with a warning
    kind: str = ""  # of our catalogue (fhir/catalogue.py); empty: the code and the status tell it


class KetenzorgError(Exception):
    """Base of all expected failures; carries every issue that was found, not only the first."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, *issues: Issue, headers: dict[str, str] | None = None) -> None:
        super().__init__(*issues)
        self.issues = issues
        self.headers = headers or {}

    def __str__(self) -> str:
        return "; ".join(issue.en for issue in self.issues)


class Malformed(KetenzorgError):
    """The body is not JSON, or not the FHIR R4 that it says it is."""

    status, code = 400, "structure"


class Invalid(KetenzorgError):
    """Good FHIR that breaks a rule of the pathway or of the referral."""

    status, code = 422, "business-rule"


class BadRequest(KetenzorgError):
    """The request around the body is wrong: a search parameter, a header."""

    status, code = 400, "invalid"


class TooCostly(BadRequest):
    """A search that would look at too much."""

    code = "too-costly"


class Unauthenticated(KetenzorgError):
    """No token, or one that we do not trust."""

    status, code = 401, "login"


class TokenRefused(KetenzorgError):
    """No token for this request; `error` is what RFC 6749 section 5.2 calls it."""

    status, code = 400, "login"
    error: ClassVar[str] = "invalid_request"


class InvalidClient(TokenRefused):
    """The assertion is not one of a client that we know, or may not be used."""

    error = "invalid_client"


class InvalidGrant(TokenRefused):
    """A known client asks for somebody for whom it does not speak."""

    error = "invalid_grant"


class InvalidScope(TokenRefused):
    """A scope that we do not understand, or of which nothing was registered for this client."""

    error = "invalid_scope"


class UnsupportedGrantType(TokenRefused):
    """Another flow than client_credentials."""

    error = "unsupported_grant_type"


class Forbidden(KetenzorgError):
    """A known caller without the scope or the part that this takes."""

    status, code = 403, "forbidden"


class NotFound(KetenzorgError):
    """Not here, or not for this caller: the two look the same."""

    status, code = 404, "not-found"


class MethodNotAllowed(KetenzorgError):
    """The route exists; this interaction on it does not."""

    status, code = 405, "not-supported"


class NotAcceptable(KetenzorgError):
    """The caller asks for a format that we do not speak."""

    status, code = 406, "not-supported"


class TooSlow(KetenzorgError):
    """The request did not come in within its time."""

    status, code = 408, "timeout"


class Conflict(KetenzorgError):
    """Other content under the same identifier, or somebody was first."""

    status, code = 409, "conflict"


class TransitionNotAllowed(KetenzorgError):
    """The pathway has no such step from here, or this party may not take it."""

    status, code = 409, "business-rule"


class Gone(KetenzorgError):
    """It was here, and is kept no longer."""

    status, code = 410, "deleted"


class PreconditionFailed(KetenzorgError):
    """If-Match names another version than the stored one."""

    status, code = 412, "conflict"


class TooLarge(KetenzorgError):
    """Over one of the published bounds."""

    status, code = 413, "too-long"


class UnsupportedMediaType(KetenzorgError):
    """A body in a format that we do not read."""

    status, code = 415, "not-supported"


class TooMany(KetenzorgError):
    """This client asks more than its share."""

    status, code = 429, "throttled"


class HeadTooLarge(KetenzorgError):
    """Address and headers are over their bound."""

    status, code = 431, "too-long"


class Unavailable(KetenzorgError):
    """The database cannot be reached just now; nothing was stored; try again."""

    status, code = 503, "transient"
