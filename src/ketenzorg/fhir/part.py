"""A part of a resource, as its reader asks for it: `_summary` and `_elements`. https://hl7.org/fhir/R4/search.html#summary

What must be there, or changes what the rest means, is in every part. A part says that it is one: SUBSETTED.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from ketenzorg.fhir import elements
from ketenzorg.fhir.r4_tables import ALWAYS, SUMMARY

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
OF_EVERY: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})

Part = Callable[[dict[str, Any]], dict[str, Any]]


def summary(resource: dict[str, Any]) -> dict[str, Any]:
    """`_summary=true`: the elements that R4 marks so, also inside of others."""
    kind = elements.RESOURCES.get(resource["resourceType"])
    return _marked(resource, _summarised(resource, kind)) if kind else resource


def narrative(resource: dict[str, Any]) -> dict[str, Any]:
    """`_summary=text`: what people read, and what may not be missing."""
    return listed(resource, ("text",))


def data(resource: dict[str, Any]) -> dict[str, Any]:
    """`_summary=data`: all but what people read."""
    return _marked(resource, {name: value for name, value in resource.items() if name != "text"})


def listed(resource: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """`_elements`: these of the resource itself."""
    kept = {*OF_EVERY, *ALWAYS.get(resource["resourceType"], ()), *names}
    return _marked(
        resource, {name: value for name, value in resource.items() if name.removeprefix("_") in kept}
    )


def elements_of(kind: str) -> frozenset[str]:
    """What `_elements` may name of a type."""
    struct = elements.RESOURCES.get(kind)
    known = elements.of(struct).values() if struct else ()
    return frozenset(each.name for each in known if not each.companion)


def _summarised(node: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    name = kind.__name__
    kept = {*OF_EVERY, *ALWAYS.get(name, ()), *SUMMARY.get(name, ())}
    known = elements.of(kind)
    return {
        key: _inside(value, known[key].kind if key in known else None)
        for key, value in node.items()
        if key.removeprefix("_") in kept
    }


def _inside(value: Any, kind: type[msgspec.Struct] | None) -> Any:
    if kind is None or kind.__name__ not in SUMMARY:
        return value
    return (
        [_summarised(each, kind) for each in value] if isinstance(value, list) else _summarised(value, kind)
    )


def _marked(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if part == whole:
        return whole
    meta = part.get("meta", {})
    tags = meta.get("tag", [])
    return part if SUBSETTED in tags else part | {"meta": meta | {"tag": [*tags, SUBSETTED]}}
