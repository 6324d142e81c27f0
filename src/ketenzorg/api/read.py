"""FHIR read and vread. https://hl7.org/fhir/R4/http.html#read, #vread"""

import re
from hashlib import sha256

from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit, types_for
from ketenzorg.api.answers import resource
from ketenzorg.api.definitions import KINDS, Published
from ketenzorg.api.kinds import check_kind
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.reading.looking import read as read_one

READABLE = types_for("read")
LONGEST_TAG = 16  # of what has no version: it changes with the program
VERSION = re.compile(r"[0-9]{1,6}\Z")  # what is asked for goes on record: no longer number can be a version


@get("/fhir/{kind:str}/{id_:str}")
async def read(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """One resource, as far as the caller may see it."""
    if kind in KINDS:
        published: Published = request.app.state.published
        body = published.read(kind, id_)
        answer = resource(body, updated=world_of(request).started)
        answer.headers.add("ETag", f'W/"{sha256(body).hexdigest()[:LONGEST_TAG]}"')
        return answer
    return await _read(request, kind, id_, None)


@get("/fhir/{kind:str}/{id_:str}/_history/{version:str}")
async def vread(
    request: Http, kind: FromPath[str], id_: FromPath[str], version: FromPath[str]
) -> ASGIResponse:
    """One version of a resource: what a notification points at."""
    return await _read(request, kind, id_, int(version) if VERSION.match(version) else 0)


async def _read(request: Http, kind: str, id_: str, version: int | None) -> ASGIResponse:
    check_kind(kind, READABLE)
    visit = visit_of(request)
    permit(visit.caller, "read" if version is None else "vread", kind)
    seen = await read_one(kind, id_, visit, world_of(request), version)
    return resource(seen.body, version=seen.version, updated=seen.updated)
