"""A resource with a value at the end of every declared search parameter, made from the types of R4."""

from collections.abc import Mapping
from typing import Any

from ketenzorg.fhir import elements, r4
from ketenzorg.fhir.search_in_body import DECLARED, targets
from ketenzorg.fhir.search_parameters import Parameter

AT = "2026-01-12"


def filled(kind: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """A resource of this type; what it refers to are resources of `ids`, of which there is one of each type."""
    body: dict[str, Any] = {"resourceType": kind, "id": ids[kind]}
    for parameter in DECLARED[kind].values():
        for part in () if "|" in parameter.element and parameter.parts else parameter.parts or (parameter,):
            path = (
                f"{parameter.element}.{part.element}"
                if parameter.parts and parameter.element
                else part.element
            )
            reference = next(
                (f"{each}/{ids[each]}" for each in sorted(targets(kind, parameter)) if each in ids), ""
            )
            _put(body, elements.RESOURCES[kind], path.split("|")[0].split("."), part, reference)
    return body


def _put(body: dict[str, Any], kind: Any, path: list[str], parameter: Parameter, reference: str) -> None:
    element = elements.of(kind)[path[0]]
    if path[1:]:
        inner = body.setdefault(element.name, [{}] if element.many else {})
        assert element.kind is not None
        _put(inner[0] if element.many else inner, element.kind, path[1:], parameter, reference)
        return
    value = _value(element, parameter, reference)
    body.setdefault(element.name, [value] if element.many else value)


def _value(element: elements.Element, parameter: Parameter, reference: str) -> Any:
    name = parameter.name
    by_type: dict[Any, Any] = {
        r4.Reference: {"reference": reference},
        r4.CodeableConcept: {"coding": [{"system": f"urn:{name}", "code": name}], "text": f"Één {name}"},
        r4.Coding: {"system": f"urn:{name}", "code": name},
        r4.Identifier: {"system": f"urn:{name}", "value": name},
        r4.Quantity: {"value": 5.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        r4.Period: {"start": AT, "end": AT},
    }
    if element.kind is not None:
        return by_type[element.kind]
    if element.codes:
        return element.codes[0]
    by_title = {
        "bool": True, "boolean": True, "date": AT, "datetime": f"{AT}T09:30:00Z", "instant": f"{AT}T09:30:00Z",
        "string": f"Één {name}", "code": "text/plain", "uri": "urn:x", "url": "urn:x", "canonical": "urn:x|1.0",
    }  # fmt: skip
    return by_title[element.title.lower()]
