"""FHIR read. https://hl7.org/fhir/R4/http.html#read"""

from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.api.answers import resource
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.looking import read as read_one
from ketenzorg.errors import Issue, NotFound
from ketenzorg.referral.bundle import ACCEPTED

READABLE = ACCEPTED | {"CarePlan"}


@get("/fhir/{kind:str}/{id_:str}")
async def read(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """One resource, as far as the caller may see it."""
    if kind not in READABLE:
        raise NotFound(
            Issue(
                nl=f"Dit type hebben we niet; wel: {', '.join(sorted(READABLE))}.",
                en=f"We have no such type; these we have: {', '.join(sorted(READABLE))}.",
                code="not-supported",
            ),
        )
    visit = visit_of(request)
    visit.caller.require(kind, "r")
    seen = await read_one(kind, id_, visit, world_of(request))
    return resource(seen.body, version=seen.version, updated=seen.updated)
