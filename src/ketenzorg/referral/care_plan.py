"""The CarePlan of a traject: which pathway, in which version, in which step. https://hl7.org/fhir/R4/careplan.html"""

from datetime import datetime
from typing import Any
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.referral.codes import step_concept, step_extension
from ketenzorg.referral.stored import instant, ours, stored_form


def new_care_plan(
    id_: UUID,
    *,
    canonical: str,
    title: str,
    step: str,
    patient: str,
    requester: str,
    request: str,
    at: datetime,
) -> bytes:
    """The first version. `patient`, `requester` and `request` are addresses like "Patient/<id>"."""
    resource = {
        **ours("CarePlan", id_, 1, at),
        "extension": [step_extension(step_concept(canonical, step))],
        "instantiatesCanonical": [canonical],
        "status": "active",
        "intent": "plan",
        "title": title,
        "subject": {"reference": patient},
        "period": {"start": instant(at)},
        "created": instant(at),
        "author": {"reference": requester},
        "activity": [{"reference": {"reference": request}}],
    }
    return json.write(resource)


def next_care_plan(
    body: bytes, id_: UUID, version: int, *, canonical: str, step: str, status: str, ended: bool, at: datetime
) -> bytes:
    """The version after a step; a traject that has ended has the end of its period."""
    period: dict[str, Any] = {"start": json.read(body)["period"]["start"]}
    if ended:
        period["end"] = instant(at)
    return stored_form(
        body,
        id_,
        version,
        at,
        extension=[step_extension(step_concept(canonical, step))],
        status=status,
        period=period,
    )
