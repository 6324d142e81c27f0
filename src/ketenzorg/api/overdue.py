"""Which Tasks are late, for the organisation that asks. https://hl7.org/fhir/R4/operations.html"""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.receiving.notice import cite
from ketenzorg.coordination.showing.overdue import Late, overdue
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.referral.stored import instant
from ketenzorg.store.worklist import Spot

AFTER = re.compile(r"(?P<at>[0-9T:.+-]{19,32})~(?P<traject>[0-9a-f-]{36})~(?P<role>[^~]{1,64})")


@get("/fhir/Task/$overdue")
async def overdue_tasks(request: Http) -> ASGIResponse:
    """Norms and controls that were not met in time, the longest first; `next` is `after` for the next page."""
    visit = visit_of(request)
    permit(visit.caller, "overdue", "Task")
    late, following = await overdue(_spot(request.query_params.get("after")), visit, world_of(request))
    parameters = [_late(each) for each in late]
    if following:
        place = f"{following.at.isoformat()}~{following.traject}~{following.role}"
        parameters.append({"name": "next", "valueString": place})
    return resource(msgspec.json.encode({"resourceType": "Parameters", "parameter": parameters}))


def _late(late: Late) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "task", "valueReference": {"reference": f"Task/{late.task}"}},
        {"name": "pathway", "valueString": late.pathway},
        {"name": "step", "valueString": late.step},
        {"name": "control" if late.control else "norm", "valueString": late.norm},
        {"name": "source", "valueString": cite(late.source)},
        {"name": "due", "valueInstant": instant(late.since)},
        *({"name": "tell", "valueString": role} for role in late.tell),
    ]
    return {"name": "late", "part": parts}


def _spot(text: str | None) -> Spot | None:
    if text is None:
        return None
    found = AFTER.fullmatch(text)
    try:
        if found:
            return Spot(datetime.fromisoformat(found["at"]), UUID(found["traject"]), found["role"])
    except ValueError:
        pass
    raise BadRequest(
        Issue(nl="‘after’ is wat wij bij ‘next’ gaven.", en="'after' is what we gave as 'next'."),
    )
