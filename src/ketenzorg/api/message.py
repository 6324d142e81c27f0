"""FHIR messaging: a referral comes in as a message, and a message answers it.

https://hl7.org/fhir/R4/messageheader-operation-process-message.html. What was processed is answered with 200, also when
the answer is that it cannot be; what is no message, with an OperationOutcome as everywhere.
"""

from functools import partial
from typing import Any

from litestar import post
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.conditional_references import with_found
from ketenzorg.api.requests import Http, base_of, visit_of, world_of
from ketenzorg.api.transaction import take_in
from ketenzorg.coordination.once import Answered, once
from ketenzorg.errors import BadRequest, Conflict, Invalid, Issue, KetenzorgError, Unavailable
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.outcome import operation_outcome
from ketenzorg.referral.message import (
    OPERATION,
    Code,
    Message,
    answer_to_message,
    placed,
    read_message,
    wrong_in,
)

KEY = "message\n"  # no Idempotency-Key holds the end of a line


@post(f"/fhir/{OPERATION}", status_code=200)
async def process_message(request: Http) -> ASGIResponse:
    """The answer to a message; the same again to the same message."""
    permit(visit_of(request).caller, "create", "ServiceRequest")
    if request.query_params.get("async", "false") != "false" or "response-url" in request.query_params:
        raise BadRequest(_at_once())
    body = await read_body(request)
    decode_as(body, r4.Bundle)
    message = read_message(json.read_as_sent(body), base_of(request))
    visit, world = visit_of(request), world_of(request)
    work = partial(_process, message, request)
    try:
        answered = await once(f"{KEY}{message.id}", message.content, visit, world, work)
    except (Unavailable, Conflict) as error:  # Conflict here: this very message is still under way
        return resource(_refusal(message, "transient-error", error, request))
    except _Refused as refused:
        return resource(_refusal(message, "fatal-error", refused.error, request))
    except Invalid:  # under this id came something else
        return resource(_refusal(message, "fatal-error", Conflict(_another_message()), request))
    return resource(answered.body)


class _Refused(Exception):
    """What is wrong with a message: nothing of it is kept, and it may come again when that is mended."""

    def __init__(self, error: KetenzorgError) -> None:
        super().__init__()
        self.error = error


async def _process(message: Message, request: Http) -> Answered:
    base, world = base_of(request), world_of(request)
    if issues := wrong_in(message, base):
        raise _Refused(Invalid(*issues))
    try:
        bundle: dict[str, Any] = await with_found(message.transaction, request)
        answered = await take_in(json.write(bundle), base, visit_of(request), world)
    except Unavailable:
        raise
    except KetenzorgError as error:
        raise _Refused(type(error)(*map(placed, error.issues))) from error
    entries = json.read(answered.body)["entry"]
    outcome = next(each["response"]["outcome"] for each in entries if "outcome" in each["response"])
    found = [each["response"].get("location", "").partition("/_history")[0] for each in entries]
    focus = [each for each in found if each.startswith(("ServiceRequest/", "CarePlan/", "Task/"))]
    return Answered(answered.about, _answer(message, "ok", json.write(_placed(outcome)), focus, request))


def _placed(outcome: dict[str, Any]) -> dict[str, Any]:
    for issue in outcome["issue"]:
        if "expression" in issue:
            issue["expression"] = list(placed(Issue("", "", tuple(issue["expression"]))).expression)
    return outcome


def _refusal(message: Message, code: Code, error: KetenzorgError, request: Http) -> bytes:
    return _answer(message, code, operation_outcome(error.issues, error.code, error.status), (), request)


def _answer(message: Message, code: Code, outcome: bytes, focus: Any, request: Http) -> bytes:
    world = world_of(request)
    ids = world.new_id(), world.new_id(), world.new_id()
    return answer_to_message(
        message, code, outcome, focus, base=base_of(request), ids=ids, at=world.real_now()
    )


def _another_message() -> Issue:
    return Issue(
        nl="Onder deze MessageHeader.id stuurde u eerder een ander bericht. Geef een nieuw bericht een nieuwe id.",
        en="You sent another message under this MessageHeader.id before. Give a new message a new id.",
        expression=("Bundle.entry[0].resource.id",),
        code="duplicate",
        kind="other-content",
    )


def _at_once() -> Issue:
    return Issue(
        nl="Wij antwoorden meteen, in het antwoord op dit verzoek: zonder async en response-url.",
        en="We answer at once, in the response to this request: without async and response-url.",
        code="not-supported",
    )
