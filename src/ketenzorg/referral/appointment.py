"""An Appointment as it comes in: about whom, when, and what may become of it. https://hl7.org/fhir/R4/appointment.html"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ketenzorg.errors import Issue
from ketenzorg.fhir.dates import moment_of
from ketenzorg.referral.codes import output_type, reason_concept
from ketenzorg.referral.stored import stored_form

OUTPUT = "afspraak"  # of Task.output: where the appointment is
OVER = frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"})
BEEN = frozenset({"arrived", "checked-in", "fulfilled", "noshow"})  # what nobody can say before it began
MISTAKE = "entered-in-error"
PLANNED = frozenset({"proposed", "pending", "booked", "waitlist"})  # still to come about


def starts(appointment: Mapping[str, Any]) -> datetime | None:
    """When it begins; none for one that is not planned yet."""
    start = appointment.get("start")
    return moment_of(start) if start else None


def request_of(appointment: Mapping[str, Any]) -> str:
    """The one ServiceRequest that it is for: "ServiceRequest/<id>", or empty."""
    based_on = [each.get("reference", "") for each in appointment.get("basedOn", ())]
    return based_on[0] if len(based_on) == 1 and based_on[0].startswith("ServiceRequest/") else ""


def wrong(appointment: Mapping[str, Any], patient: str, now: datetime) -> Iterator[Issue]:
    """All that keeps it from being an appointment of this patient."""
    actors = [each.get("actor", {}).get("reference", "") for each in appointment.get("participant", ())]
    if actors.count(patient) != 1 or any(each.startswith("Patient/") and each != patient for each in actors):
        yield Issue(
            nl=f"De patiënt is één keer deelnemer: participant met actor.reference {patient}.",
            en=f"The patient takes part once: a participant with actor.reference {patient}.",
            expression=("Appointment.participant",),
            code="required",
        )
    start = starts(appointment)
    if start is not None and "end" in appointment and moment_of(appointment["end"]) < start:
        yield Issue(
            nl="De afspraak eindigt vóór zij begint.",
            en="The appointment ends before it begins.",
            expression=("Appointment.end",),
            code="business-rule",
        )
    if appointment["status"] in BEEN and (start is None or start > now):
        yield Issue(
            nl="Dit is pas te zeggen als de afspraak begonnen is.",
            en=f"An appointment is {appointment['status']} only once it has begun.",
            expression=("Appointment.status", "Appointment.start"),
            code="business-rule",
        )


def may_become(before: str, after: str) -> bool:
    """What is over stays as it was, unless it was a mistake; another time is another appointment."""
    return before not in OVER or (after == MISTAKE != before)


def appointment_output(id_: Any) -> dict[str, Any]:
    """What Task.output says of it."""
    return {"type": output_type(OUTPUT), "valueReference": {"reference": f"Appointment/{id_}"}}


def is_named_in(task: Mapping[str, Any], id_: Any) -> bool:
    """Whether the Task of a hand-over says that this appointment is of it."""
    return appointment_output(id_) in task.get("output", ())


def named_in(task: Mapping[str, Any]) -> frozenset[UUID]:
    """The appointments of a hand-over, as its Task names them."""
    named = (each.get("valueReference", {}).get("reference", "") for each in task.get("output", ()))
    ids = (
        reference.removeprefix("Appointment/") for reference in named if reference.startswith("Appointment/")
    )
    return frozenset(UUID(id_) for id_ in ids if is_named_in(task, id_))


def is_to_come(appointment: Mapping[str, Any], now: datetime) -> bool:
    """Whether it is planned and has not begun."""
    start = starts(appointment)
    return appointment["status"] in PLANNED and (start is None or start > now)


def called_off(body: bytes, id_: UUID, version: int, reason: tuple[str, str] | None, at: datetime) -> bytes:
    """The version that says that it does not take place, and why: a code of ours and its text."""
    why = {"cancelationReason": reason_concept(*reason)} if reason else {}
    return stored_form(body, id_, version, at, status="cancelled", **why)


def place(name: str) -> dict[str, Any]:
    """Where it is, as one of Appointment.participant."""
    return {"actor": {"type": "Location", "display": name}, "status": "accepted"}


def is_patient(participant: Mapping[str, Any]) -> bool:
    """Whether this one of Appointment.participant is the patient."""
    return bool(participant.get("actor", {}).get("reference", "").startswith("Patient/"))
