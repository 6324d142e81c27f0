"""What a request would be answered: it is done, by the same code, in a transaction that is undone."""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from ketenzorg.access.rules import rule_id
from ketenzorg.api.inner import answer_to, inner_scope
from ketenzorg.api.requests import WORLD, Http, visit_of, world_of
from ketenzorg.api.shaping import Answer
from ketenzorg.errors import Issue, Unavailable
from ketenzorg.fhir import json
from ketenzorg.store.audit import DONE, REFUSED
from ketenzorg.store.database import Database
from ketenzorg.store.trial import on_trial

AT_ONCE: Final = 2  # each holds a connection for as long as it takes
PASSED_ON: Final = (b"host", b"if-match")
FAILED: Final = HTTPStatus.BAD_REQUEST.value
OURS: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value


class Rehearsals:
    """Those of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def rehearse(self, request: Http, method: str, at: str, content: bytes = b"") -> list[Issue]:
        """Everything that would be said, and whether it would be done. Raises Unavailable."""
        passed = [each for each in request.scope["headers"] if each[0] in PASSED_ON]
        headers = [(b"content-type", b"application/fhir+json"), *passed]
        scope = inner_scope(request, method, at, "", headers)
        async with self._turns, on_trial(self._database) as trial:
            answer = await answer_to(scope | {WORLD: world_of(request).on_trial(trial)}, content)
        if answer.status >= OURS:
            raise Unavailable(*issues_of(answer))
        if at == "/fhir":
            await _on_record(request, answer)
        said = list(issues_of(answer))
        return said if answer.status >= FAILED else [_WOULD_BE_DONE, *said]


async def _on_record(request: Http, answer: Answer) -> None:
    """It tells who asks what is here of a patient, as sending it would."""
    world = world_of(request)
    rule = rule_id("create", "ServiceRequest", "none")
    access = visit_of(request).access(world, "validate", "ServiceRequest", rule=rule)
    await world.audit.note(access, "ServiceRequest", outcome=REFUSED if answer.status >= FAILED else DONE)


def issues_of(answer: Answer) -> Iterator[Issue]:
    """Everything that it says, also of each entry of a Bundle."""
    body = json.read(answer.body) if answer.body else {}
    outcomes = [body] if body.get("resourceType") == "OperationOutcome" else []
    outcomes += [
        each["response"]["outcome"] for each in body.get("entry", ()) if "outcome" in each["response"]
    ]
    for outcome in outcomes:
        for each in outcome["issue"]:
            yield _issue(each)


def _issue(told: dict[str, Any]) -> Issue:
    [coding] = told["details"]["coding"]
    return Issue(
        nl=told["details"]["text"],
        en=told["diagnostics"],
        expression=(
            *told.get("expression", ()),
            *(at.removeprefix("http.") for at in told.get("location", ())),
        ),
        code=told["code"],
        severity=told["severity"],
        kind=coding["code"],
    )


_WOULD_BE_DONE: Final = Issue(
    "Dit zou worden aangenomen. Er is niets opgeslagen of verstuurd.",
    "This would be taken. Nothing was stored or sent.",
    code="informational",
    severity="information",
)
