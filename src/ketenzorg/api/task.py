"""FHIR update and patch of a Task, update of an Appointment. https://hl7.org/fhir/R4/http.html#update, #patch"""

from typing import Any
from uuid import UUID

import jsonpatch
from jsonpointer import JsonPointerException
from litestar import patch, put
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.appointment import update_appointment
from ketenzorg.api.body import read_body
from ketenzorg.api.kinds import READS, task_only
from ketenzorg.api.requests import Http, check_id, if_match_of, uuid_of, visit_of, world_of
from ketenzorg.coordination.steps.stepping import write_task
from ketenzorg.errors import Invalid, Issue, Malformed
from ketenzorg.fhir import bounds, json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.store.audit import Interaction

PATCH_TYPE = ("application/json-patch+json",)
MAX_OPERATIONS = 100


@put("/fhir/{kind:str}/{id_:str}")
async def update(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """Take a Task as its reader saw it, with what the reader changed in it; or what became of an appointment."""
    if kind == "Appointment":
        return await update_appointment(request, uuid_of(kind, id_))
    task_only(kind, allow=READS)
    visit = visit_of(request)
    permit(visit.caller, "update", "Task")
    task = uuid_of("Task", id_)
    body = await read_body(request)
    check_id(decode_as(body, r4.Task), task)
    return await _write(request, task, "update", lambda _: json.read(body))


@patch("/fhir/{kind:str}/{id_:str}")
async def json_patch(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """RFC 6902 on the Task as its reader sees it."""
    task_only(kind, allow=READS)
    visit = visit_of(request)
    permit(visit.caller, "patch", "Task")
    task = uuid_of("Task", id_)
    operations = _operations(await read_body(request, PATCH_TYPE))
    return await _write(request, task, "patch", lambda before: _patched(before, operations))


async def _write(request: Http, task: UUID, does: Interaction, edit: Any) -> ASGIResponse:
    now = await write_task(task, does, edit, visit_of(request), world_of(request), if_match_of(request))
    return resource(now.body, version=now.version, updated=now.updated)


def _operations(body: bytes) -> jsonpatch.JsonPatch:
    bounds.check(body)
    bounds.check_names(body)
    wrong = Issue(
        nl='Stuur een JSON Patch: [{"op": "replace", "path": "/status", "value": "accepted"}].',
        en='Send a JSON Patch: [{"op": "replace", "path": "/status", "value": "accepted"}].',
    )
    operations = json.read_any(body)
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        raise Malformed(wrong)
    try:
        return jsonpatch.JsonPatch(operations)
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, AttributeError) as error:
        raise Malformed(wrong) from error


def _patched(before: dict[str, Any], operations: jsonpatch.JsonPatch) -> dict[str, Any]:
    try:
        after = operations.apply(before)
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError) as error:
        raise Invalid(
            Issue(
                nl="De patch past niet op deze Task; lees hem opnieuw.",
                en="The patch does not fit this Task (a path that is not there, or a test that fails); read it again.",
                code="processing",
            ),
        ) from error
    if not isinstance(after, dict):
        raise Invalid(Issue(nl="Er blijft geen Task over.", en="No Task is left.", code="structure"))
    decode_as(json.write(after), r4.Task)
    return after
