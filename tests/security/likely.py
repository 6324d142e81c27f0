"""Requests that are right as far as one can know: what the grammar spoils only now and then."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

Json = dict[str, Any]
PRACTICE = "his-demo"
CODES = "http://hl7.org/fhir/CodeSystem/task-code"
REASONS = ("niet-meer-nodig", "geen-plek", "past-niet", "wil-niet")
STATUSES = ("received", "accepted", "in-progress", "completed", "rejected", "cancelled")
VITALS = {"system": "http://loinc.org", "code": "62238-1"}


class Between(dict[str, str]):
    """A hand-over as somebody sees it: the Task, and what it names."""

    @classmethod
    def of(cls, task: Mapping[str, Any]) -> "Between | None":
        """None where the reader sees too little of it."""
        named = {name: task.get(name, {}).get("reference", "") for name in ("focus", "for")}
        return cls(task=f"Task/{task['id']}", **named) if all(named.values()) else None


def patches(task: Mapping[str, Any], words: str, chance: Random) -> Iterator[tuple[bool, Any]]:
    """As JSON Patch (True) and as FHIRPath Patch."""
    status = chance.choice(STATUSES)
    reason = {"coding": [{"code": chance.choice(REASONS)}]}
    output = {"type": {"text": "bijlage"}, "valueString": words}
    at = "/output/-" if task.get("output") else "/output"
    yield True, [{"op": "add", "path": at, "value": output if at.endswith("-") else [output]}]
    yield (
        True,
        [
            {"op": "replace", "path": "/status", "value": status},
            *([{"op": "add", "path": "/statusReason", "value": reason}] if status in STATUSES[4:] else []),
        ],
    )
    yield False, operation("replace", "Task.status", {"valueCode": status})
    parts = [
        {"name": "type", "valueCodeableConcept": {"text": "bijlage"}},
        {"name": "valueString", "valueString": words},
    ]
    yield False, operation("add", "Task", {"name": "value", "part": parts}, named="output")


def operation(what: str, path: str, value: Json, named: str = "") -> Json:
    part = [
        {"name": "type", "valueCode": what},
        {"name": "path", "valueString": path},
        *([{"name": "name", "valueString": named}] if named else []),
        {"name": "value", **value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


def creations(between: Between, words: str, chance: Random) -> Iterator[Json]:
    """One resource that is taken by itself: data, a question, an appointment, a proposal."""
    about = {"subject": {"reference": between["for"]}}
    based = {"basedOn": [{"reference": between["focus"]}]}
    day = f"2026-01-{chance.randint(1, 12):02}"
    value = {"value": chance.randint(15, 90), "unit": "mL/min", "system": "http://unitsofmeasure.org"}
    yield {
        "resourceType": "Observation", "status": "final", "code": {"coding": [VITALS]}, **based, **about,
        "effectiveDateTime": day, "valueQuantity": value, "note": [{"text": words}],
    }  # fmt: skip
    yield {"resourceType": "Condition", "code": {"text": words or "jicht"}, **about}
    yield {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"text": words or "gips"},
        **based,
        **about,
    }
    code = chance.choice(["abort", "information"])
    yield {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": CODES, "code": code}]},
        "reasonCode": {"coding": [{"code": chance.choice(REASONS)}], "text": words or "x"},
        ("focus" if code == "abort" else "partOf"): {"reference": between["task"]}
        if code == "abort"
        else [{"reference": between["task"]}],
        "input": [{"type": {"coding": [{"code": "vraag"}], "text": "vraag"}, "valueString": words or "Hoe gaat het?"}],
    }  # fmt: skip
    yield {
        "resourceType": "Appointment", "status": chance.choice(["booked", "proposed", "pending"]), **based,
        "start": f"2026-02-{chance.randint(1, 28):02}T10:00:00+01:00", "end": "2026-03-01T10:45:00+01:00",
        "participant": [{"actor": {"reference": between["for"]}, "status": "accepted"}], "comment": words or "x",
    }  # fmt: skip
    yield {
        "resourceType": "ServiceRequest", "status": "active", "intent": "proposal", **based, **about,
        "code": {"text": words or "x"},
    }  # fmt: skip


def requests(between: Between, words: str, chance: Random) -> Iterator[Json]:
    """Entries of a batch."""
    for url in (
        between["task"], between["focus"], f"{between['task']}/$next", f"{between['task']}/_history",
        f"Task?patient={between['for']}", f"Observation?patient={between['for']}&_count=2", "Task?status=requested",
    ):  # fmt: skip
        yield {"request": {"method": "GET", "url": url}}
    for each in creations(between, words, chance):
        yield {"resource": each, "request": {"method": "POST", "url": each["resourceType"]}}
