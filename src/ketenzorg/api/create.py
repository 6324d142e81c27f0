"""FHIR create: a Task that asks something (abort, information, another candidate), an Appointment, a proposal, data.

A referral is a transaction Bundle; the Tasks of hand-overs are made by ketenzorg. https://hl7.org/fhir/R4/http.html#create
"""

from typing import Any

from litestar import post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.added import DATA, DECIDED, create_data, create_decision
from ketenzorg.api.answers import resource
from ketenzorg.api.appointment import create_appointment
from ketenzorg.api.body import read_body
from ketenzorg.api.kinds import READS, task_only
from ketenzorg.api.proposal import create_proposal
from ketenzorg.api.requests import Http, uuid_of, visit_of, world_of
from ketenzorg.coordination.steps.asking import ask_another, ask_beside
from ketenzorg.errors import BadRequest, Invalid, Issue
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.modifiers import unknown_modifiers
from ketenzorg.referral.aside_task import FULFIL, about, asks_another, kind_of


@post("/fhir/{kind:str}", status_code=201)
async def create(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """Ask the other side something: the Task that it now has. Or keep an appointment, propose other care, add data."""
    if kind == "Appointment":
        return await create_appointment(request)
    if kind == "ServiceRequest":
        return await create_proposal(request)
    if kind in DATA:
        return await create_data(request, kind)
    if kind in DECIDED:
        return await create_decision(request)
    task_only(kind, allow=READS)
    visit = visit_of(request)
    permit(visit.caller, "ask", "Task")
    if "if-none-exist" in request.headers:
        raise BadRequest(_no_condition())
    body = await read_body(request)
    decode_as(body, r4.Task)
    task: dict[str, Any] = json.read(body)
    issues = list(unknown_modifiers(task, "Task"))
    if issues:
        raise Invalid(*issues)
    code, (reference, _, id_) = kind_of(task) or asks_another(task), about(task).rpartition("/")
    if not code or reference.rpartition("/")[2] != "Task" or task["status"] != "requested":
        raise Invalid(_what_can_be_asked())
    ask = ask_another if code == FULFIL else ask_beside
    now = await ask(uuid_of("Task", id_), code, task, visit, world_of(request))
    answer = resource(now.body, status=201, version=now.version, updated=now.updated)
    made = json.read(now.body)["id"]
    answer.headers.add("Location", f"{request.app.state.base_url}/fhir/Task/{made}/_history/{now.version}")
    return answer


def _what_can_be_asked() -> Issue:
    return Issue(
        nl="Een Task die u zo maakt, heeft status requested en code abort (focus: de Task die moet stoppen), "
        "information (partOf: de Task waarover u iets vraagt) of, met een owner, fulfill (partOf: de Task waarvoor nog "
        "niemand gekozen is). Een verwijzing stuurt u als transaction Bundle.",
        en="A Task that you create this way has status requested and code abort (focus: the Task that must stop), "
        "information (partOf: the Task that you ask about) or, with an owner, fulfill (partOf: the Task for which "
        "nobody is chosen yet). A referral is sent as a transaction Bundle.",
        expression=("Task.code", "Task.focus", "Task.partOf", "Task.status"),
        code="not-supported",
    )


def _no_condition() -> Issue:
    return Issue(
        nl="If-None-Exist kan hier niet: van een hand-over staat hoogstens één zulke vraag open.",
        en="If-None-Exist is not supported here: of a hand-over at most one such question is open.",
        code="not-supported",
    )
