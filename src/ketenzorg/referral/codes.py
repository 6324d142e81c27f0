"""The codes of our own that stand in resources: steps, reasons, and the hand-over itself."""

from typing import Any

BASE = "https://ketenzorg.example/fhir"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
STEP_EXTENSION = f"{BASE}/StructureDefinition/step"
REASON_SYSTEM = f"{BASE}/CodeSystem/reason"
OUTPUT_SYSTEM = f"{BASE}/CodeSystem/output"


def step_system(canonical: str) -> str:
    """The code system of the steps of a pathway, from the canonical of its PlanDefinition."""
    name = canonical.partition("|")[0].rpartition("/")[2]
    return f"{BASE}/CodeSystem/{name}-step"


def step_concept(canonical: str, step: str) -> dict[str, Any]:
    """A step as a CodeableConcept: the code for systems, the text for people."""
    version = canonical.partition("|")[2]
    return {"coding": [{"system": step_system(canonical), "version": version, "code": step}], "text": step}


def step_extension(concept: dict[str, Any]) -> dict[str, Any]:
    """The step as it stands on the CarePlan."""
    return {"url": STEP_EXTENSION, "valueCodeableConcept": concept}


def reason_concept(code: str, text: str) -> dict[str, Any]:
    """Why a Task was refused, held, cancelled or failed."""
    return {"coding": [{"system": REASON_SYSTEM, "code": code, "display": text}], "text": text}


def output_type(name: str) -> dict[str, Any]:
    """What an entry of Task.output holds: "terugkoppeling" for instance."""
    return {"coding": [{"system": OUTPUT_SYSTEM, "code": name}], "text": name}


def fulfil() -> dict[str, Any]:
    """Task.code of a hand-over: carry out the request in focus."""
    return {"coding": [{"system": TASK_CODE, "code": "fulfill", "display": "Fulfill the focal request"}]}
