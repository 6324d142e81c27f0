"""FHIR create of a ServiceRequest with intent proposal: who is asked says no, and what could be done instead.

A referral itself is a transaction Bundle. https://hl7.org/fhir/R4/servicerequest.html
"""

from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.steps.proposals import propose
from ketenzorg.fhir import r4
from ketenzorg.referral.bundle import read_alone


async def create_proposal(request: Http) -> ASGIResponse:
    """The proposal as it is stored; the Task that it answers is rejected, and names it in its output."""
    world, visit = world_of(request), visit_of(request)
    permit(visit.caller, "event", "Task")
    entry = read_alone(await read_body(request), r4.ServiceRequest, world.new_id())
    made = await propose(entry, visit, world)
    answer = resource(made.body, status=201, version=made.version, updated=made.updated)
    base = request.app.state.base_url
    answer.headers.add("Location", f"{base}/fhir/ServiceRequest/{made.id}/_history/{made.version}")
    return answer
