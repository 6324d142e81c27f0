"""FHIR update of a Task and of an Appointment. https://hl7.org/fhir/R4/http.html#update

Nothing is made by it: a Task comes with a referral, an Appointment by POST.
"""

from typing import Final
from uuid import UUID

from litestar import put
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.appointment import update_appointment
from ketenzorg.api.body import read_body
from ketenzorg.api.conditional import made_by, the_one
from ketenzorg.api.kinds import READS, check_kind
from ketenzorg.api.requests import Http, check_id, if_match_of, placed, uuid_of, visit_of, world_of
from ketenzorg.coordination.steps.stepping import write_task
from ketenzorg.errors import Issue, NotFound
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as

UPDATED: Final = ("Task", "Appointment")


@put("/fhir/{kind:str}/{id_:str}")
async def update(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """Take a Task as its reader saw it, with what the reader changed in it; or what became of an appointment."""
    check_kind(kind, UPDATED, READS)
    try:
        return await update_known(request, kind, uuid_of(kind, id_))
    except NotFound as error:
        raise NotFound(*error.issues, _not_made(kind)) from None


@put("/fhir/{kind:str}")
async def update_found(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """The same, of the only one that matches."""
    check_kind(kind, UPDATED, READS)
    does = "update" if kind == "Task" else "rebook"
    return await update_known(request, kind, await the_one(request, kind, does), found=True)


async def update_known(request: Http, kind: str, id_: UUID, *, found: bool = False) -> ASGIResponse:
    """The same; of one that was found by a search, the body need not name the id."""
    if kind == "Appointment":
        return await update_appointment(request, id_, found=found)
    visit = visit_of(request)
    permit(visit.caller, "update", "Task")
    body = await read_body(request)
    check_id(decode_as(body, r4.Task), id_, found=found)
    with placed(lambda _: "Task.statusReason"):
        now = await write_task(
            id_, "update", lambda _: json.read(body), visit, world_of(request), if_match_of(request)
        )
    return resource(now.body, version=now.version, updated=now.updated)


def _not_made(kind: str) -> Issue:
    nl, en = made_by(kind)
    return Issue(
        nl=f"Met PUT wordt er geen gemaakt: dat doet {nl}, en het id is van ons.",
        en=f"PUT makes none: that is done by {en}, and the id is ours.",
        code="not-supported",
        severity="information",
    )
