"""Searching as the CapabilityStatement tells it: every parameter, what it can do, and what it asks."""

from typing import Any, Final

from ketenzorg.api.search_along import includes, revincludes
from ketenzorg.api.search_clauses import modifiers
from ketenzorg.coordination.reading.gathering import MOST, has_any_rows
from ketenzorg.fhir.search_in_body import DECLARED, ORGANIZATION, has_rows, targets
from ketenzorg.fhir.search_parameters import Parameter

BY_NUMBER: Final = (
    "A personal number (BSN) by POST _search only, never in an address; it finds what shows it."
)
# A canonical is a reference in R4.
TYPES: Final = {"canonical": "reference"}
OF_ALL: Final = [
    {"name": "_id", "type": "token"},
    {
        "name": "_lastUpdated",
        "type": "date",
        "documentation": "Without _sort, what is found comes in this order.",
    },
]


def searching(kind: str) -> dict[str, Any]:
    """The parameters of a type, and what can come along."""
    declared = DECLARED[kind]
    described: dict[str, Any] = {
        "searchInclude": [*includes(kind)],
        "searchRevInclude": [*revincludes(kind)],
        "searchParam": [*OF_ALL, *(_described(kind, each) for each in declared.values())],
    }
    return {name: value for name, value in described.items() if value}


def _described(kind: str, parameter: Parameter) -> dict[str, str]:
    said = [BY_NUMBER] if parameter.name == "identifier" else []
    said += (
        [f"Modifiers: {', '.join(f':{each}' for each in possible)}."]
        if (possible := modifiers(parameter))
        else []
    )
    if parameter.kind == "composite":
        said.append(f"{'$'.join(each.name for each in parameter.parts)}, in the same element.")
    if kind == ORGANIZATION:
        said.append("Of all organisations of the region.")
    elif has_rows(kind, parameter.name):
        said.append("Indexed.")
    elif has_any_rows(kind):
        said.append(f"Looked up in at most {MOST} that the other parameters find.")
    elif parameter.kind == "reference" and targets(kind, parameter) != {ORGANIZATION}:
        said.append("Finds the traject of what it names, and in it what matches.")
    else:
        said.append("Looked up in one traject: together with _id or a reference to something of it.")
    return {
        "name": parameter.name,
        "type": TYPES.get(parameter.kind, parameter.kind),
        "documentation": " ".join(said),
    }
