"""JSON Patch (RFC 6902) through jsonpatch, within bounds: a copy of a list into itself doubles it every time."""

from typing import Any, Final

import jsonpatch
from jsonpointer import JsonPointerException

from ketenzorg.errors import Invalid, Issue, Malformed, TooLarge
from ketenzorg.fhir import bounds, json
from ketenzorg.fhir.fhirpath_patch import MAX_OPERATIONS, Patch

MISFITS: Final = (jsonpatch.JsonPatchException, JsonPointerException, TypeError)


def read_json_patch(body: bytes) -> Patch:
    """The patch in a body. Raises Malformed."""
    bounds.check(body)
    bounds.check_names(body)
    operations = json.read_any(body)
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        raise Malformed(_no_patch())
    try:
        patches = [(jsonpatch.JsonPatch([each]), each["op"] == "copy") for each in operations]
    except (*MISFITS, AttributeError, KeyError) as error:
        raise Malformed(_no_patch()) from error

    def apply(before: dict[str, Any]) -> dict[str, Any]:
        after: Any = json.read_any(json.write(before))
        try:
            for patch, copies in patches:
                after = patch.apply(after, in_place=True)
                if copies:
                    _check_size(after)
        except MISFITS as error:
            raise Invalid(_misfit()) from error
        if not isinstance(after, dict):
            raise Invalid(
                Issue(nl="Er blijft geen resource over.", en="No resource is left.", code="structure")
            )
        return after

    return apply


def _check_size(resource: Any) -> None:
    body = json.write(resource)
    bounds.check(body)
    if len(body) > bounds.MAX_STRING:
        raise TooLarge(
            Issue(
                nl="Door wat deze patch kopieert, wordt de resource te groot.",
                en="What this patch copies makes the resource too large.",
            )
        )


def _no_patch() -> Issue:
    return Issue(
        nl='Stuur een JSON Patch: [{"op": "replace", "path": "/status", "value": "accepted"}].',
        en='Send a JSON Patch: [{"op": "replace", "path": "/status", "value": "accepted"}].',
    )


def _misfit() -> Issue:
    return Issue(
        nl="De patch past niet op deze resource; lees hem opnieuw.",
        en="The patch does not fit this resource (a path that is not there, or a test that fails); read it again.",
        code="processing",
    )
