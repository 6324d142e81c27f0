"""Resources made by chance from the tables of R4: types, choice elements, companions, precisions; some broken."""

import json
import re
from copy import deepcopy
from random import Random
from typing import Any

from ketenzorg.fhir import elements, r4
from ketenzorg.fhir.elements import Element
from ketenzorg.fhir.r4_tables import BOUND, CHOICES, REQUIRED, TARGETS

Json = dict[str, Any]
KINDS = sorted(
    r4.STORED_TYPES - {"CapabilityStatement", "OperationDefinition", "SearchParameter", "StructureDefinition"}
)
UNKNOWN = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
SAMPLES: dict[str, tuple[Any, ...]] = {
    "base64binary": ("aGFsbG8=", "aGFs bG8="),
    "boolean": (True, False),
    "bool": (True, False),
    "canonical": ("https://voorbeeld.example/x|1.0", "urn:x"),
    "code": ("nl", "a b"),
    "date": ("2026", "2026-02", "2024-02-29", "1900-01-01", "9999-12-31"),
    "datetime": ("2026", "2026-02", "2024-02-29", "2026-11-02T10:00:00+01:00", "2026-11-02T10:00:00.123Z",
                 "2026-11-02T23:59:60Z", "2026-11-02T10:00:00-14:00"),
    "decimal": ("1.10", "0.00", "-0.0", "1.20E2", "123456789012345678", "0.000000000000000001", "7", "1e-7"),
    "elementid": ("a",),
    "id": ("a", "A-1.b", "a" * 64),
    "instant": ("2026-11-02T10:00:00+01:00", "2026-11-02T10:00:00.123456Z", "2026-11-02T23:59:60Z"),
    "integer": (0, -1, 2147483647, -2147483648),
    "markdown": ("**x**", "regel\n\n- x"),
    "oid": ("urn:oid:2.16.840.1",),
    "positiveint": (1, 2147483647),
    "string": ("x", "é\U0001f600", "a  b"),
    "time": ("10:00:00", "23:59:60", "10:00:00.5"),
    "unsignedint": (0, 2147483647),
    "uri": ("urn:x", "https://voorbeeld.example/é"),
    "url": ("https://voorbeeld.example",),
    "uuid": ("urn:uuid:6f1a3c1e-1111-4a6b-9d5e-000000000001",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">x</div>',),
}  # fmt: skip
_DECIMAL = re.compile(rb'"decimal ([^"]+)"')
# What may stand anywhere, and nearly always is wrong there.
JUNK: tuple[Any, ...] = (
    None, [], {}, "", " ", "x y", 0, 1.5, True, "true", "1", [None], [[]], {"x": 1}, ["x"], "2026-02-30", "2026-13",
    "2026-11-02T10:00:00", "2026-11-02T24:00:00Z", "2026-11-02T10:00:00+14:01", "10000", "24:00:00", "=", -1,
)  # fmt: skip


def written(resource: Any) -> bytes:
    """As JSON, in which decimals have the digits that they were given."""
    return _DECIMAL.sub(rb"\1", json.dumps(resource).encode())


def any_resource(kind: str, chance: Random) -> Json:
    """A resource of this type; of each two, one has something put in it that does not belong there."""
    resource = {"resourceType": kind, **_object(elements.RESOURCES[kind], chance, 0)}
    if kind != "Binary" and chance.random() < 0.2:
        _contain(resource, chance)
    if chance.random() < 0.5:
        _spoil(resource, chance)
    return resource


def _contain(resource: Json, chance: Random) -> None:
    inside = {"resourceType": "Organization", "id": "o", "name": "x"}
    resource["contained"] = [inside]
    at = chance.choice(["#o", "#o", "#p", "#"])
    resource.setdefault("extension", []).append({"url": "urn:x", "valueReference": {"reference": at}})


def _object(kind: Any, chance: Random, deep: int) -> Json:
    name = kind.__name__
    found = elements.of(kind)
    choices = {each: stem for stem, (_, names) in CHOICES.get(name, {}).items() for each in names}
    made: Json = {}
    for element in found.values():
        if (
            not element.companion
            and element.name not in choices
            and element.name not in ("contained", "resource")
        ):
            needed = element.needed or element.name in REQUIRED.get(name, ())
            if needed or chance.random() < 0.25 / (deep + 1) ** 2:
                _put(made, element, name, chance, deep)
    for needed, names in CHOICES.get(name, {}).values():
        if needed or chance.random() < 0.3 / (deep + 1):
            for each in chance.sample(names, 2 if chance.random() < 0.03 else 1):
                _put(made, found[each], name, chance, deep)
    return made or _something(kind, chance, deep)


def _something(kind: Any, chance: Random, deep: int) -> Json:
    """Nothing is empty: one element that leads no deeper."""
    plain = [
        e
        for e in elements.of(kind).values()
        if e.primitive is not None and e.name != "id" and not e.companion
    ]
    made: Json = {}
    if plain:
        _put(made, chance.choice(plain), kind.__name__, chance, deep)
    return made or {"extension": [{"url": "urn:x", "valueString": "x"}]}


def _put(made: Json, element: Element, of: str, chance: Random, deep: int) -> None:
    times = chance.choice([1, 1, 2]) if element.many else 1
    values = [_value(element, of, chance, deep) for _ in range(times)]
    if element.primitive is None:
        made[element.name] = values if element.many else values[0]
        return
    beside = [deepcopy(UNKNOWN) if chance.random() < 0.1 else None for _ in values]
    if any(beside) and element.name not in ("id", "url", "div"):
        gone = chance.random() < 0.5
        values = [None if gone and other else value for value, other in zip(values, beside, strict=True)]
        made["_" + element.name] = beside if element.many else beside[0]
    if any(value is not None for value in values):
        made[element.name] = values if element.many else values[0]


def _value(element: Element, of: str, chance: Random, deep: int) -> Any:
    if element.kind is r4.Extension:
        return {"url": "urn:x", "valueDecimal": "decimal " + chance.choice(SAMPLES["decimal"])}
    if element.kind is r4.Reference:
        return _reference(TARGETS.get(of, {}).get(element.name), chance)
    if element.name in BOUND.get(of, {}):
        system, codes = BOUND[of][element.name]
        return {"coding": [{"system": system, "code": chance.choice(codes)}]}
    if element.kind is not None:
        return _object(element.kind, chance, deep + 1) if deep < 4 else _something(element.kind, chance, deep)
    if element.codes:
        return chance.choice(element.codes)
    title = element.title.lower()
    value = chance.choice(SAMPLES[title])
    return f"decimal {value}" if title == "decimal" else value


def _reference(targets: list[str] | None, chance: Random) -> Json:
    kind = chance.choice(targets or KINDS) if chance.random() < 0.95 else chance.choice(KINDS)
    return chance.choice([
        {"reference": f"{kind}/1"},
        {"reference": f"https://elders.example/fhir/{kind}/1/_history/2"},
        {"reference": "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-000000000001"},
        {"identifier": {"system": "urn:x", "value": "1"}},
        {"display": "x"},
    ])  # fmt: skip


def _spoil(data: Any, chance: Random) -> None:
    """Junk at one place, anywhere."""
    while True:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = chance.choice(keys)
        inside = data[key]
        if isinstance(inside, dict | list) and inside and chance.random() < 0.7:
            data = inside
            continue
        if key != "resourceType":
            data[key] = deepcopy(chance.choice(JUNK))
        return
