"""Our catalogue of mistakes: one stable code for each that somebody who connects a system acts on differently.

An issue says its kind where the FHIR code does not tell it (`Issue.kind`); otherwise code and status do.
"""

from typing import Any, Final, NamedTuple

from ketenzorg.errors import Issue

SYSTEM: Final = "https://ketenzorg.example/fhir/CodeSystem/error"


class Kind(NamedTuple):
    """What went wrong, and what the sender does."""

    title: str
    do: str


KINDS: Final[dict[str, Kind]] = {
    # What was sent cannot be read.
    "malformed": Kind("Not JSON, or not FHIR R4", "Mend what makes the request; the expression says where."),
    "missing": Kind("Something that must be there is not", "Add it; the expression says what."),
    "wrong-value": Kind("A value that cannot be", "Send another value; the text says which are right."),
    "wrong-code": Kind("A code that is not in the list", "Take a code of the value set that binds it."),
    "wrong-request": Kind("A header, parameter or form that cannot be read", "Mend the request."),
    "not-supported": Kind("We do not do this", "Look in /fhir/metadata for what there is."),
    "too-costly": Kind("This would take too much", "Ask for less at once, or search on more."),
    "too-large": Kind("Over a bound", "Send less at once; the bounds stand under What you can rely on."),
    "media-type": Kind("A format that we do not read or write", "Send and accept application/fhir+json."),
    # Who sends it.
    "login": Kind("No token, or one that does not count", "Get a new token."),
    "not-allowed": Kind("Your scope, role or part does not allow it", "Leave it to who may, or get the scope."),
    "not-found": Kind("Not there, or not for you", "Look at the address; the two look the same."),
    "throttled": Kind("More than your share", "Wait for Retry-After, then send the same again."),
    # What it asks.
    "alarm": Kind("An alarm rule: nothing was sent", "Phone now, as the text says. Show it to who refers."),
    "unanswered": Kind("A question that must be answered is not", "Answer it in the QuestionnaireResponse."),
    "rule": Kind("A rule of the pathway or the referral is broken", "Mend what the text names."),
    "no-identifier": Kind("The referral has no identifier of its own", "Add identifier with system and value."),
    "no-such-pathway": Kind("We do not have this pathway", "Name one of the canonicals that the text lists."),
    "unknown-organisation": Kind("The region does not know this organisation", "Name it by URA or AGB."),
    "cannot-perform": Kind("Nobody, or not this one, can take this here", "Leave the owner out, or name another."),
    "no-consent": Kind("The patient's consent is not on record", "Send the Consent, or answer the question."),
    "unresolved": Kind("A reference that leads nowhere", "Send it in the same Bundle, or refer to what is here."),
    "personal-number": Kind("A personal number (BSN) that is wrong, or in the wrong place", "Put it in an identifier."),
    "profile": Kind("A rule of a profile that the resource claims is broken", "Mend it, or leave meta.profile out."),
    "modifier": Kind("An element that changes the meaning, and that we do not know", "Leave it out if that is right."),
    # What is here already.
    "already-there": Kind("It is here already", "Keep the address that the text names."),
    "other-content": Kind("Other content under the same identifier", "Amend as the text says; do not send again."),
    "step": Kind("The pathway has no such step from here, or not for you", "Ask $next what may happen now."),
    "several": Kind("More than one matches", "Search on more, until it is one, or name the id."),
    "changed": Kind("Somebody was first, or it is another version", "Read it again, then decide anew."),
    "cut": Kind("A whole Task from who sees a part of it", "Use PATCH or $event."),
    "gone": Kind("It was here, and is kept no longer", "Begin from the number that the text names."),
    # Ours.
    "try-again": Kind("We cannot just now; nothing was stored", "Send the same again, later and later."),
    "our-fault": Kind("Something went wrong on our side", "Tell us the number in the text."),
    # Beside a success.
    "notice": Kind("Nothing is wrong: something to know", "Show it to who refers."),
    "incomplete": Kind("Not all of it", "Ask for the rest, or send what is missing, as the text says."),
}  # fmt: skip
_BY_ISSUE: Final = {
    "structure": "malformed", "required": "missing", "value": "wrong-value", "code-invalid": "wrong-code",
    "invalid": "wrong-request", "not-supported": "not-supported", "too-costly": "too-costly",
    "too-long": "too-large", "login": "login", "forbidden": "not-allowed", "role": "not-allowed",
    "suppressed": "not-allowed", "not-found": "not-found", "throttled": "throttled", "business-rule": "rule",
    "invariant": "rule", "extension": "modifier", "security": "personal-number", "duplicate": "already-there",
    "conflict": "changed", "multiple-matches": "several", "deleted": "gone", "transient": "try-again",
    "timeout": "try-again", "exception": "our-fault", "informational": "notice", "incomplete": "incomplete",
    "processing": "wrong-value",
}  # fmt: skip
_BY_STATUS: Final = {
    (406, "not-supported"): "media-type",
    (409, "business-rule"): "step",
    (415, "not-supported"): "media-type",
    (422, "not-found"): "unresolved",
}
ISSUE_CODES: Final = frozenset(_BY_ISSUE)


def kind_of(issue: Issue, code: str, status: int) -> str:
    """The code of the catalogue, for an issue with this FHIR code in an answer with this status."""
    return issue.kind or _BY_STATUS.get((status, code)) or _BY_ISSUE.get(code, "rule")


def code_system() -> dict[str, Any]:
    """The catalogue as it is published."""
    return {
        "resourceType": "CodeSystem",
        "id": "error",
        "url": SYSTEM,
        "version": "0.1.0",
        "name": "Error",
        "title": "Fouten",
        "status": "draft",
        "experimental": True,
        "date": "2026-12-01",
        "publisher": "ketenzorg",
        "description": "OperationOutcome.issue.details.coding: one stable code per kind of mistake.",
        "caseSensitive": True,
        "content": "complete",
        "concept": [
            {"code": code, "display": kind.title, "definition": kind.do} for code, kind in KINDS.items()
        ],
    }
