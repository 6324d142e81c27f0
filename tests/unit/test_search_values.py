"""What a search value means, of every kind that is looked up in a body: R4's own sentences as a table.

https://hl7.org/fhir/R4/search.html
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from content import REGION
from ketenzorg.api.search_clauses import Clauses
from ketenzorg.api.search_values import Wrong
from ketenzorg.coordination.reading.matching import Looked
from ketenzorg.fhir.search_in_body import DECLARED
from ketenzorg.fhir.ucum import converted

NOW = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)
BASE = "http://here/fhir/"
ONE = "00000000-0000-4000-8000-0000000000aa"
UCUM, LOINC, ROLE = (
    "http://unitsofmeasure.org", "http://loinc.org", "http://terminology.hl7.org/CodeSystem/v2-0203",
)  # fmt: skip
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": ["http://x/een"], "tag": [{"system": "urn:t", "code": "t"}]},
    "identifier": [
        {"type": {"coding": [{"system": ROLE, "code": "MR"}]}, "system": "urn:a", "value": "1"},
        {"type": {"coding": [{"system": ROLE, "code": "FILL"}]}, "system": "urn:a", "value": "2"},
    ],
    "code": {"coding": [{"system": LOINC, "code": "2823-3"}]},
    "subject": {"reference": f"Patient/{ONE}"},
    "effectiveDateTime": "2026-01-10T10:00:00Z",
    "valueQuantity": {"value": "5.40", "unit": "mmol per liter", "system": UCUM, "code": "mmol/L"},
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": {"value": "120", "system": UCUM, "code": "mm[Hg]"},
        },
        {
            "code": {"coding": [{"code": "c"}]},
            "valueCodeableConcept": {"coding": [{"system": "urn:v", "code": "v"}]},
        },
    ],
}
LETTER = {"resourceType": "Composition", "title": "Één brief, étage 3"}
DAY, YEAR = ({"resourceType": "Procedure", "performedDateTime": each} for each in ("2026-01-10", "2025"))

HOLDS: list[tuple[dict[str, Any], str, str, bool]] = [
    # token
    (OBSERVATION, "identifier", "1", True),
    (OBSERVATION, "identifier", "urn:a|1", True),
    (OBSERVATION, "identifier", "urn:a|", True),
    (OBSERVATION, "identifier", "|1", False),
    (OBSERVATION, "identifier:of-type", f"{ROLE}|MR|1", True),
    (OBSERVATION, "identifier:of-type", f"{ROLE}|MR|2", False),
    (OBSERVATION, "identifier:of-type", f"{ROLE}|MR|2,{ROLE}|FILL|2", True),
    (OBSERVATION, "identifier:of-type", "urn:other|MR|1", False),
    (OBSERVATION, "code:not", f"{LOINC}|2823-3", False),
    (OBSERVATION, "code:not", "9", True),
    (OBSERVATION, "component-code", "|c", True),
    (OBSERVATION, "_tag", "urn:t|t", True),
    (OBSERVATION, "_profile", "http://x/een", True),
    (OBSERVATION, "_profile", "http://x", False),
    (OBSERVATION, "_security:missing", "true", True),
    # reference
    (OBSERVATION, "subject", ONE, True),
    (OBSERVATION, "subject", f"Patient/{ONE}", True),
    (OBSERVATION, "subject", f"{BASE}Patient/{ONE}", True),
    (OBSERVATION, "subject", f"http://elsewhere/fhir/Patient/{ONE}", False),
    (OBSERVATION, "subject:Patient", ONE, True),
    (OBSERVATION, "subject:Composition", ONE, False),
    # string: the beginning, without case and accents
    (LETTER, "title", "een BRIEF", True),
    (LETTER, "title", "brief", False),
    (LETTER, "title:contains", "Etage", True),
    (LETTER, "title:exact", "een brief\\, etage 3", False),
    (LETTER, "title:exact", "Één brief\\, étage 3", True),
    # date: what the digits of both mean
    *[
        (DAY, "date", value, holds)
        for value, holds in {
            "2026-01-10": True, "2026-01": True, "2026-01-10T10:00:00Z": False, "ne2026-01-10": False,
            "ne2026-01-11": True, "gt2026-01-09": True, "gt2026-01-10": False, "ge2026-01-10": True,
            "lt2026-01-11": True, "lt2026-01-10": False, "le2026-01-10": True, "sa2026-01-09": True,
            "sa2026-01": False, "eb2026-01-11": True, "eb2026-01-10": False, "gt2026-01-10T10:00:00Z": True,
            "lt2026-01-10T10:00:00Z": True, "ap2026-01-10": True, "ap2026-01-09": True, "ap2025-12-01": False,
        }.items()
    ],
    *[
        (YEAR, "date", value, holds)
        for value, holds in {
            "2025": True, "2025-06": False, "gt2025-06": True, "lt2025-06": True, "sa2025-06": False, "eb2026": True,
        }.items()
    ],
    # quantity: what the digits asked for mean, in any unit or in one
    *[
        (OBSERVATION, "value-quantity", value, holds)
        for value, holds in {
            "5.4": True, "5.40": True, "5": True, "5.3": False, f"5.4|{UCUM}|mmol/L": True, "5.4||mmol/L": True,
            "5.4||mmol per liter": True, f"5.4|{UCUM}|mg/dL": False, f"5.4|{UCUM}|meq/L": True, "ne5.4": False,
            "gt5.39": True, "gt5.4": False, "lt5.4": False, "ge5.4": True, "le5.4": True, "sa5": True, "eb5.5": True,
            "ap5": True, f"5400|{UCUM}|umol/L": True, f"0.0054|{UCUM}|mol/L": True,
            "ap4": False, "ap-5": False, "5.4e0": True,
        }.items()
    ],
    *[
        (OBSERVATION, "component-value-quantity", value, holds)
        for value, holds in {
            f"16|{UCUM}|kPa": True, f"15|{UCUM}|kPa": False, f"gt0.1|{UCUM}|m[Hg]": True, f"120|{UCUM}|mmol/L": False,
            f"lt20000|{UCUM}|Pa": True, f"120|{UCUM}|Cel": False, f"120|{UCUM}|kPa": False, "120||mm[Hg]": True,
        }.items()
    ],
    # composite: in the same element
    (OBSERVATION, "code-value-quantity", f"{LOINC}|2823-3$5.4", True),
    (OBSERVATION, "code-value-quantity", f"8480-6$gt100|{UCUM}|mm[Hg]", False),
    (OBSERVATION, "component-code-value-quantity", f"8480-6$gt100|{UCUM}|mm[Hg]", True),
    (OBSERVATION, "component-code-value-quantity", "c$120", False),
    (OBSERVATION, "combo-code-value-quantity", "8480-6$120", True),
    (OBSERVATION, "combo-code-value-quantity", "2823-3$5.4", True),
    (OBSERVATION, "combo-code-value-quantity", "2823-3$120", False),
    (OBSERVATION, "component-code-value-concept", "c$urn:v|v", True),
    (OBSERVATION, "combo-code-value-concept", "8480-6$urn:v|v", False),
    (OBSERVATION, "combo-code", "8480-6", True),
    (OBSERVATION, "combo-value-quantity", f"120|{UCUM}|mm[Hg]", True),
]  # fmt: skip


def clause(kind: str, name: str, value: str) -> Any:
    parameter, _, modifier = name.partition(":")
    return Clauses(REGION, lambda: NOW, BASE).read(DECLARED[kind][parameter], modifier, value)


@pytest.mark.parametrize(("body", "name", "value", "holds"), HOLDS)
def test_a_value_finds_what_it_means(body: dict[str, Any], name: str, value: str, holds: bool) -> None:
    assert Looked(body).matches([clause(body["resourceType"], name, value)]) is holds


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("Observation", "identifier:of-type", "MR|1"),
        ("Observation", "identifier:of-type", f"{ROLE}|MR|"),
        ("Observation", "code:of-type", f"{ROLE}|MR|1"),
        ("Observation", "date:exact", "2026"),
        ("Observation", "date", "ap"),
        ("Observation", "date", "ap0001-01-01"),
        ("Observation", "value-quantity", "5|mmol/L"),
        ("Observation", "code-value-quantity", "2823-3"),
        ("Composition", "title:below", "x"),
    ],
)
def test_a_mistake_in_a_value_is_said(kind: str, name: str, value: str) -> None:
    with pytest.raises(Wrong):
        clause(kind, name, value)


@pytest.mark.parametrize(
    ("value", "unit", "to", "gives"),
    [
        ("1", "kg", "g", "1000"),
        ("2", "h", "min", "120"),
        ("10", "mg/dL", "g/L", "0.1"),
        ("1", "L", "cm3", "1000"),
        ("5", "10*9/L", "10*3/uL", "5"),
        ("60", "mL/min", "mL/s", "1"),
        ("1", "kg.m2", "g.m2", "1000"),
        ("72", "{beats}/min", "/min", "72"),
        ("5", "%", "1", "0.05"),
        ("1", "[in_i]", "cm", "2.54"),
        ("1", "mmol/L", "mg/dL", None),
        ("1", "kg", "", None),
        ("1", "Cel", "K", None),
        ("1", "kg/0", "g", None),
        ("1", "g" * 50, "g", None),
        ("1", "kg//", "g", None),
        ("1", "kg é", "g", None),
        ("1", "10*99", "1", None),
    ],
)
def test_a_unit_is_another_by_a_factor(value: str, unit: str, to: str, gives: str | None) -> None:
    assert converted(Decimal(value), unit, to) == (None if gives is None else Decimal(gives))
