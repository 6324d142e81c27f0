"""The generated modules are what the definitions say, and no invariant of R4 is forgotten."""

from pathlib import Path

import pytest

from ketenzorg.fhir import elements, generate
from ketenzorg.fhir.generate import Definitions, modules
from ketenzorg.fhir.invariants import INVARIANTS, LEFT_OUT, STRUCTURAL
from ketenzorg.fhir.r4 import ACCEPTED_TYPES, STORED_TYPES


def test_the_generated_modules_are_up_to_date(r4_package: Path) -> None:
    for name, text in modules(r4_package).items():
        committed = Path(generate.__file__).with_name(name).read_text(encoding="utf-8")
        assert committed == text, f"{name}: run python -m ketenzorg.fhir.generate"


def test_every_invariant_of_our_types_is_checked_or_left_out_with_a_reason(r4_package: Path) -> None:
    in_r4 = _invariants(Definitions(r4_package))
    checked = {each.key for each in INVARIANTS} | set(STRUCTURAL) - {"sqty-1"}  # of a profile on Quantity
    assert checked | set(LEFT_OUT) == in_r4
    assert not checked & set(LEFT_OUT)


def _invariants(definitions: Definitions) -> set[str]:
    """Over our resources and all data types that they use."""
    found: set[str] = set()
    seen: set[str] = set()
    to_do = list(elements.RESOURCES)
    while to_do:
        name = to_do.pop()
        if name in seen or name not in definitions.types:
            continue
        seen.add(name)
        for element in definitions.types[name]["snapshot"]["element"]:
            found |= {constraint["key"] for constraint in element.get("constraint", [])}
            to_do += [kind["code"] for kind in element.get("type", [])]
    return found


@pytest.mark.parametrize("name", sorted(STORED_TYPES))
def test_every_stored_type_has_a_struct(name: str) -> None:
    assert elements.RESOURCES[name].__struct_config__.tag == name


def test_what_we_publish_is_not_accepted_from_others() -> None:
    assert {"PlanDefinition", "AuditEvent"} <= STORED_TYPES - ACCEPTED_TYPES
    assert {"Task", "ServiceRequest", "Patient"} <= ACCEPTED_TYPES
