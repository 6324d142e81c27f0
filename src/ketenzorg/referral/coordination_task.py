"""The Coordination Task between requester and owner. https://hl7.org/fhir/R4/task.html

Its status is the hand-over, its businessStatus tells people the step.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.fhir.dates import period_of
from ketenzorg.referral.codes import fulfil, output_type, reason_concept, step_concept
from ketenzorg.referral.stored import instant, ours, stored_form

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
SELECTED = {"system": "http://fhir.nl/CodeSystem/nl-cow-business-status", "code": "selected"}
URGENCIES = ("routine", "urgent", "asap", "stat")  # http://hl7.org/fhir/request-priority, sooner and sooner


def first_task(
    sent: bytes | None,
    id_: UUID,
    *,
    canonical: str,
    step: str,
    status: str,
    care_plan: str,
    request: str,
    patient: str,
    requester: str,
    owner: str,
    priority: str | None,
    until: datetime | None,
    at: datetime,
    part_of: str = "",
) -> bytes:
    """The Task of a new hand-over: the sender's own, completed, or one that we make.

    Without an `owner` it is still to be chosen; that of a candidate is `part_of` it.
    """
    started = json.read(sent) if sent else {"resourceType": "Task", "intent": "order"}
    return stored_form(
        json.write(started) if sent is None else sent,
        id_,
        1,
        at,
        identifier=started.get("identifier") or [_own_identifier(id_)],
        basedOn=[*started.get("basedOn", ()), {"reference": care_plan}],
        status=status,
        businessStatus=step_concept(canonical, step),
        code=started.get("code") or fulfil(),
        focus={"reference": request},
        **{"for": started.get("for") or {"reference": patient}},
        authoredOn=started.get("authoredOn") or instant(at),
        lastModified=_not_before(started.get("authoredOn"), at),
        requester=started.get("requester") or {"reference": requester},
        owner={"reference": owner} if owner else None,
        partOf=[*started.get("partOf", ()), {"reference": part_of}] if part_of else started.get("partOf"),
        restriction=started.get("restriction") or _until(until),
        **({"priority": urgent} if (urgent := most_urgent(started.get("priority"), priority)) else {}),
    )


def most_urgent(one: str | None, other: str | None) -> str | None:
    """Of two Task.priority the one that is sooner."""
    return (
        max(one, other, key=lambda each: URGENCIES.index(each or "routine"))
        if one and other
        else one or other
    )


def next_task(
    body: bytes,
    id_: UUID,
    version: int,
    *,
    canonical: str,
    step: str,
    status: str,
    reason: tuple[str, str] | None,
    output: Mapping[str, str],
    added: Mapping[str, list[Any]],
    until: datetime | None,
    until_before: datetime | None,
    at: datetime,
) -> bytes:
    """The version after a step: `output` are texts by name, `added` are notes and outputs as a party wrote them.

    `until` is when the soonest norm or control ends, and ended before the step: late is who is past it.
    """
    before = json.read(body)
    outputs = [
        *before.get("output", ()),
        *added.get("output", ()),
        *({"type": output_type(name), "valueString": text} for name, text in output.items()),
    ]
    return stored_form(
        body,
        id_,
        version,
        at,
        status=status,
        businessStatus=step_concept(canonical, step),
        statusReason=reason_concept(*reason) if reason else None,
        lastModified=_not_before(before.get("authoredOn"), at),
        restriction=_restriction(before.get("restriction"), until, until_before),
        note=[*before.get("note", ()), *added.get("note", ())] or None,
        output=outputs or None,
    )


KEPT = (
    "basedOn",
    "intent",
    "code",
    "focus",
    "for",
    "groupIdentifier",
    "priority",
)  # of the hand-over before; its words stay with it


def new_round(
    body: bytes,
    id_: UUID,
    before: UUID | None,
    *,
    canonical: str,
    step: str,
    status: str,
    requester: str,
    owner: str,
    brought: Mapping[str, str],
    until: datetime | None,
    at: datetime,
) -> bytes:
    """A new Task for the same request: `before` is the one that it follows, `brought` what is asked in it.

    Without an `owner` it is there to be claimed.
    """
    old = json.read(body)
    inputs: list[dict[str, Any]] = [
        *({"type": output_type(name), "valueString": text} for name, text in brought.items()),
    ]
    if before is not None:
        previous = {"reference": f"Task/{before}"}
        inputs.append({"type": output_type("vorige taak"), "valueReference": previous})
    resource = {
        **ours("Task", id_, 1, at),
        "identifier": [_own_identifier(id_)],
        "status": status,
        "businessStatus": step_concept(canonical, step),
        **{name: old[name] for name in KEPT if name in old},
        "authoredOn": instant(at),
        "lastModified": instant(at),
        "requester": {"reference": requester},
        "owner": {"reference": owner} if owner else None,
        "restriction": _until(until),
        "input": inputs,
    }
    return json.write({name: value for name, value in resource.items() if value not in ([], None)})


def _restriction(there: Any, until: datetime | None, before: datetime | None) -> Any:
    """The next restriction; one that the sender put there stays."""
    return _until(until) if there is None or there == _until(before) else there


def _until(until: datetime | None) -> dict[str, Any] | None:
    """By when it must be done. https://hl7.org/fhir/R4/task-definitions.html#Task.restriction.period"""
    return {"period": {"end": instant(until)}} if until else None


def withdrawn_task(id_: UUID, version: int, at: datetime) -> bytes:
    """All that who lost sight of a Task may read: that its hand-over is over, and that consent was withdrawn."""
    top = ours("Task", id_, version, at)
    return json.write(
        {
            **top,
            "meta": top["meta"] | {"tag": [SUBSETTED]},
            "status": "cancelled",
            "statusReason": reason_concept("toestemming-ingetrokken", "Toestemming ingetrokken"),
            "intent": "order",
        },
    )


def candidate_task(handover: bytes, id_: UUID, *, owner: str, until: datetime | None, at: datetime) -> bytes:
    """The Task of one more candidate, part of that of the hand-over."""
    old = json.read(handover)
    resource = {
        **ours("Task", id_, 1, at),
        "identifier": [_own_identifier(id_)],
        "partOf": [{"reference": f"Task/{old['id']}"}],
        "status": "requested",
        "businessStatus": old["businessStatus"],
        **{name: old[name] for name in KEPT if name in old},
        "authoredOn": instant(at),
        "lastModified": instant(at),
        "requester": old["requester"],
        "owner": {"reference": owner},
        "restriction": _until(until),
    }
    return json.write({name: value for name, value in resource.items() if value not in ([], None)})


def owned_task(body: bytes, owner: str) -> bytes:
    """The Task that was open to all, claimed."""
    return json.write(json.read(body) | {"owner": {"reference": owner}})


def selected_task(body: bytes) -> bytes:
    """The Task of the candidate that was chosen, marked as NL-COW does beside the step."""
    task = json.read(body)
    status = task["businessStatus"]
    task["businessStatus"] = {**status, "coding": [*status["coding"], SELECTED]}
    return json.write(task)


def is_selected(concept: Mapping[str, Any]) -> bool:
    """Whether a businessStatus says that this candidate is chosen."""
    wanted = (SELECTED["system"], SELECTED["code"])
    return any((each.get("system"), each.get("code")) == wanted for each in concept.get("coding", ()))


def not_chosen_task(body: bytes, id_: UUID, version: int, why: tuple[str, str], at: datetime) -> bytes:
    """The Task of a candidate that is not asked any more, without the patient."""
    return stored_form(
        body,
        id_,
        version,
        at,
        status="cancelled",
        statusReason=reason_concept(*why),
        **{"for": None},
        lastModified=_not_before(json.read(body).get("authoredOn"), at),
    )


def _not_before(authored: str | None, at: datetime) -> str:
    """A sender's clock may run ahead, and a Task is not changed before it was written (inv-1)."""
    return authored if authored and period_of(authored).low > at else instant(at)


def _own_identifier(id_: UUID) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}
