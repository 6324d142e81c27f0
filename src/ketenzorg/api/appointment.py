"""FHIR create and update of an Appointment, by who does the work. https://hl7.org/fhir/R4/appointment.html"""

from uuid import UUID

from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.access.views import is_cut
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, check_id, if_match_of, visit_of, world_of
from ketenzorg.coordination.reading.looking import read
from ketenzorg.coordination.steps.appointments import KIND, book, rebook
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.fhirpath_patch import Patch
from ketenzorg.referral.bundle import Entry, read_alone


async def create_appointment(request: Http) -> ASGIResponse:
    """201 with a new one; 200 with what is there when the same content comes again."""
    world, visit = world_of(request), visit_of(request)
    permit(visit.caller, "book", KIND)
    entry = read_alone(await read_body(request), r4.Appointment, world.new_id())
    now, new = await book(entry, visit, world)
    answer = resource(now.body, status=201 if new else 200, version=now.version, updated=now.updated)
    base = request.app.state.base_url
    answer.headers.add("Location", f"{base}/fhir/{KIND}/{now.id}/_history/{now.version}")
    return answer


async def update_appointment(request: Http, id_: UUID, *, found: bool = False) -> ASGIResponse:
    """The whole appointment as it is from now on."""
    world, visit = world_of(request), visit_of(request)
    permit(visit.caller, "rebook", KIND)
    entry = read_alone(await read_body(request), r4.Appointment, id_)
    check_id(entry.resource, id_, found=found)
    _refuse_cut(entry)
    now = await rebook(id_, entry, visit, world, if_match_of(request))
    return resource(now.body, version=now.version, updated=now.updated)


async def patch_appointment(request: Http, id_: UUID, edit: Patch) -> ASGIResponse:
    """The appointment as its reader sees it, with these changes in it."""
    world, visit = world_of(request), visit_of(request)
    if_match = if_match_of(request)
    seen = await read(KIND, str(id_), visit, world)
    entry = read_alone(json.write(edit(json.read(seen.body))), r4.Appointment, id_)
    _refuse_cut(entry)
    now = await rebook(id_, entry, visit, world, seen.version if if_match is None else if_match)
    return resource(now.body, version=now.version, updated=now.updated)


def _refuse_cut(entry: Entry) -> None:
    """Raise Invalid for an appointment of which its sender was shown a part."""
    if not is_cut(entry.content):
        return
    raise Invalid(
        Issue(
            nl="U zag niet alles van deze afspraak (SUBSETTED): teruggeschreven zou eruit zijn wat u niet zag.",
            en="You were not shown all of this appointment (SUBSETTED): written back, what you did not see would be "
            "gone.",
            expression=("Appointment.meta.tag",),
            code="business-rule",
            kind="cut",
        )
    )
