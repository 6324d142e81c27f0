"""FHIR read and vread. https://hl7.org/fhir/R4/http.html#read, #vread"""

import re

from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit, types_for
from ketenzorg.api.answers import resource
from ketenzorg.api.definitions import KINDS, Published
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.looking import read as read_one
from ketenzorg.errors import Issue, NotFound

READABLE = types_for("read")
VERSION = re.compile(r"[0-9]{1,6}\Z")  # what is asked for goes on record: no longer number can be a version


@get("/fhir/{kind:str}/{id_:str}")
async def read(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """One resource, as far as the caller may see it."""
    if kind in KINDS:
        published: Published = request.app.state.published
        return resource(published.read(kind, id_))
    return await _read(request, kind, id_, None)


@get("/fhir/{kind:str}/{id_:str}/_history/{version:str}")
async def vread(
    request: Http, kind: FromPath[str], id_: FromPath[str], version: FromPath[str]
) -> ASGIResponse:
    """One version of a resource: what a notification points at."""
    return await _read(request, kind, id_, int(version) if VERSION.match(version) else 0)


async def _read(request: Http, kind: str, id_: str, version: int | None) -> ASGIResponse:
    if kind not in READABLE:
        raise NotFound(
            Issue(
                nl=f"Dit type hebben we niet; wel: {', '.join(sorted(READABLE))}.",
                en=f"We have no such type; these we have: {', '.join(sorted(READABLE))}.",
                code="not-supported",
            ),
        )
    visit = visit_of(request)
    permit(visit.caller, "read" if version is None else "vread", kind)
    seen = await read_one(kind, id_, visit, world_of(request), version)
    return resource(seen.body, version=seen.version, updated=seen.updated)
