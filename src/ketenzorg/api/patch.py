"""FHIR patch, as JSON Patch or as FHIRPath Patch: what is left is judged as an update is.

https://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from litestar import patch
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.appointment import patch_appointment
from ketenzorg.api.body import JSON, media_type_of, read_body
from ketenzorg.api.conditional import the_one
from ketenzorg.api.kinds import READS, check_kind
from ketenzorg.api.requests import Http, if_match_of, placed, uuid_of, visit_of, world_of
from ketenzorg.coordination.steps.stepping import write_task
from ketenzorg.errors import Invalid, Issue, UnsupportedMediaType
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.elements import RESOURCES
from ketenzorg.fhir.fhirpath_patch import Patch, read_fhirpath_patch
from ketenzorg.fhir.json_patch import read_json_patch

JSON_PATCH: Final = "application/json-patch+json"
PATCHES: Final = (JSON_PATCH, *JSON)
PATCHED: Final = ("Task", "Appointment")
OURS: Final = ("resourceType", "id", "meta", "text", "lastModified")  # of what is patched: we write these


@patch("/fhir/{kind:str}/{id_:str}")
async def patch_one(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """The resource as its reader sees it, with these changes in it."""
    check_kind(kind, PATCHED, READS)
    return await patch_known(request, kind, uuid_of(kind, id_))


@patch("/fhir/{kind:str}")
async def patch_found(request: Http, kind: FromPath[str]) -> ASGIResponse:
    """The same, of the only one that matches."""
    check_kind(kind, PATCHED, READS)
    return await patch_known(request, kind, await the_one(request, kind, _does(kind)))


def _does(kind: str) -> str:
    return "patch" if kind == "Task" else "rebook"


async def patch_known(request: Http, kind: str, id_: UUID) -> ASGIResponse:
    """The same, of one that was found."""
    permit(visit_of(request).caller, _does(kind), kind)
    edit = read_patch(media_type_of(request), await read_body(request, PATCHES), kind)
    if kind == "Appointment":
        return await patch_appointment(request, id_, edit)
    with placed(lambda _: "Task.statusReason"):
        now = await write_task(id_, "patch", edit, visit_of(request), world_of(request), if_match_of(request))
    return resource(now.body, version=now.version, updated=now.updated)


def read_patch(media_type: str, body: bytes, kind: str) -> Patch:
    """What a body does to a resource of this type; the result is one again. Raises Malformed, UnsupportedMediaType."""
    if media_type == JSON_PATCH:
        apply = read_json_patch(body)
    elif b'"resourceType"' not in body:
        raise UnsupportedMediaType(_which_patch())
    else:
        decode_as(body, r4.Parameters)
        apply = read_fhirpath_patch(json.read(body), kind)
    return _checked(apply, RESOURCES[kind])


def _which_patch() -> Issue:
    return Issue(
        nl=f"Een patch is JSON Patch (Content-Type: {JSON_PATCH}), of Parameters van FHIRPath Patch ({JSON[0]}); "
        "een merge patch lezen wij niet.",
        en=f"A patch is JSON Patch (Content-Type: {JSON_PATCH}), or the Parameters of FHIRPath Patch ({JSON[0]}); "
        "we do not read a merge patch.",
    )


def _checked(apply: Patch, struct: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def edit(before: dict[str, Any]) -> dict[str, Any]:
        after = apply(before)
        issues = list(_touched(before, after))
        if issues:
            raise Invalid(*issues)
        decode_as(json.write(after), struct)
        return after

    return edit


def _touched(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Issue]:
    kind = before["resourceType"]
    for element in OURS:
        if before.get(element) != after.get(element):
            yield Issue(
                nl=f"{kind}.{element} schrijven wij: dat verandert niet met een patch.",
                en=f"{kind}.{element} is written by us: a patch does not change it.",
                expression=(f"{kind}.{element}",),
            )
