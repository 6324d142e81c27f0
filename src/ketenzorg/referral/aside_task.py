"""The Task of a question beside the hand-over: a request to stop, a question about the referral.

https://hl7.org/fhir/R4/task.html; abort: http://hl7.org/fhir/CodeSystem/task-code, with the Coordination Task in focus;
a question is part of it. Who is asked owns it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.referral.codes import BASE, TASK_CODE, output_type
from ketenzorg.referral.stored import instant, ours, stored_form

ABORT, INFORMATION, FULFIL = "abort", "information", "fulfill"
QUESTION_SYSTEM = f"{BASE}/CodeSystem/task-code"
CODINGS = {
    ABORT: {"system": TASK_CODE, "code": "abort", "display": "Mark the focal resource as no longer active"},
    INFORMATION: {
        "system": QUESTION_SYSTEM,
        "code": "information",
        "display": "Give the information that is asked",
    },
}
OPEN = "requested"


def new_aside(
    coordination: Mapping[str, Any],
    id_: UUID,
    *,
    code: str,
    title: str,
    requester: str,
    owner: str,
    asked: Mapping[str, str],
    questionnaire: str,
    until: datetime | None,
    at: datetime,
) -> bytes:
    """The first version. `coordination` is the Task that it is about, `asked` the words or codes of the question.

    `until`: when who is asked is late with the answer.
    """
    about = {"reference": f"Task/{coordination['id']}"}
    inputs: list[dict[str, Any]] = [
        {"type": output_type(name), "valueString": text} for name, text in asked.items()
    ]
    if code == INFORMATION:  # by the same questions the answer may come as data
        inputs.append({"type": output_type("questionnaire"), "valueCanonical": questionnaire})
    return json.write(
        {
            **ours("Task", id_, 1, at),
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}],
            **({"focus": about} if code == ABORT else {"partOf": [about]}),
            "status": OPEN,
            "intent": "order",
            "priority": coordination.get("priority", "routine"),
            "code": {"coding": [CODINGS[code]], "text": title},
            "for": coordination["for"],
            "authoredOn": instant(at),
            "lastModified": instant(at),
            "requester": {"reference": requester},
            "owner": {"reference": owner},
            **({"restriction": {"period": {"end": instant(until)}}} if until else {}),
            "input": inputs,
        }
    )


def next_aside(
    body: bytes, id_: UUID, version: int, *, status: str, answered: Mapping[str, str], at: datetime
) -> bytes:
    """The version after an answer, or after the question fell away."""
    output = [{"type": output_type(name), "valueString": text} for name, text in answered.items()]
    return stored_form(body, id_, version, at, status=status, lastModified=instant(at), output=output or None)


def is_open(body: bytes) -> bool:
    """Whether nobody has answered yet."""
    return bool(json.read(body)["status"] == OPEN)


def kind_of(task: Mapping[str, Any]) -> str:
    """abort, information, or empty for a Task that is neither."""
    codings = task.get("code", {}).get("coding", ())
    for kind, ours_ in CODINGS.items():
        if any(
            (each.get("system"), each.get("code")) == (ours_["system"], ours_["code"]) for each in codings
        ):
            return kind
    return ""


def asks_another(task: Mapping[str, Any]) -> str:
    """FULFIL for a Task that asks one more organisation, as part of a hand-over for which nobody is chosen yet."""
    codings = task.get("code", {}).get("coding", [{"code": FULFIL}])
    wanted = any(each.get("code") == FULFIL for each in codings)
    return FULFIL if wanted and task.get("partOf") and task.get("owner") else ""


def about(task: Mapping[str, Any]) -> str:
    """The Task that it is about: "Task/<id>", or what else stands there."""
    parts = task.get("partOf") or [{}]
    if asks_another(task):
        return str(parts[0].get("reference", ""))
    return str((task.get("focus") or parts[0]).get("reference", ""))
