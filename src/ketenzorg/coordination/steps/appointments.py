"""An appointment for a hand-over: who does the work keeps it, and what it means for the pathway happens with it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ketenzorg import events
from ketenzorg.access.keys import keyed_digest
from ketenzorg.access.personal_numbers import tokens_in
from ketenzorg.access.sealing import take_numbers_out
from ketenzorg.access.views import sight_of
from ketenzorg.coordination.consent.under_consent import under_consent
from ketenzorg.coordination.reading.looking import Seen, read
from ketenzorg.coordination.scene import Scene, state_of
from ketenzorg.coordination.steps.adding import NO_ROWS, SENT, data_and_traject, somebody_else
from ketenzorg.coordination.steps.belonging import not_there
from ketenzorg.coordination.steps.handing_over import seen_by
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES, rule_of
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue, PreconditionFailed, TransitionNotAllowed
from ketenzorg.fhir import json, r4
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.appointment import (
    MISTAKE,
    appointment_output,
    is_named_in,
    may_become,
    request_of,
    starts,
    wrong,
)
from ketenzorg.referral.bundle import Entry, Posted, read_alone
from ketenzorg.referral.content import canonical
from ketenzorg.referral.references import resolve
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.audit import Interaction
from ketenzorg.store.trajecten import Identity, Known, NewVersion, Traject

KIND = "Appointment"


async def book(entry: Entry, visit: Visit, world: World) -> tuple[Seen, bool]:
    """A new appointment, and whether it is new: the same content again is the same appointment.

    Raises Invalid, NotFound, or TransitionNotAllowed for who does not do the work.
    """
    access = partial(visit.access, world, "book", KIND)
    digest = keyed_digest(world.keys.digest, canonical(Posted([entry]))).hex()
    earlier = await world.trajecten.sent_before(SENT, digest, access())
    if earlier is not None:
        return await read(KIND, earlier[0].partition("/")[2], visit, world), False
    request = _request(entry)
    for _ in range(TRIES):
        known, traject, pathway = await _found("ServiceRequest", request, "book", visit, world)
        if traject.request.id != request:
            raise not_there()
        identity = Identity(SENT, digest, (entry.location,))
        if await _store(entry, "book", None, identity, known, traject, pathway, visit, world):
            return await read(KIND, str(entry.id), visit, world), True
    raise Conflict(CHANGING)


async def rebook(id_: UUID, entry: Entry, visit: Visit, world: World, if_match: int | None) -> Seen:
    """What became of an appointment: another time, cancelled, fulfilled, nobody came. Raises as `book` does."""
    entry.is_known_as(id_)
    await _changed(id_, "rebook", lambda _: entry, visit, world, if_match)
    return await read(KIND, str(id_), visit, world)


async def never_was(id_: UUID, visit: Visit, world: World, if_match: int | None) -> tuple[Seen, bool]:
    """An appointment that was a mistake, and whether that is new. Raises as `book` does."""

    def mistaken(stored: dict[str, Any]) -> Entry | None:
        # R4 has no mistake without start and end (app-3), and a reason of a cancelled one only (app-4).
        status = MISTAKE if stored.keys() >= {"start", "end"} else "cancelled"
        if stored["status"] == status:
            return None
        kept = {
            name: value for name, value in stored.items() if name != "cancelationReason" or status != MISTAKE
        }
        return read_alone(json.write(kept | {"status": status}), r4.Appointment, id_)

    new = await _changed(id_, "delete", mistaken, visit, world, if_match)
    return await read(KIND, str(id_), visit, world), new


async def _changed(
    id_: UUID,
    does: Interaction,
    becomes: Callable[[dict[str, Any]], Entry | None],
    visit: Visit,
    world: World,
    if_match: int | None,
) -> bool:
    """Store what becomes of an appointment; False when it is that already."""
    for _ in range(TRIES):
        known, traject, pathway = await _found(KIND, id_, does, visit, world)
        before = next(json.read(body) for kind, each, body in known.resources if (kind, each) == (KIND, id_))
        version = int(before["meta"]["versionId"])
        if if_match is not None and if_match != version:
            raise _stale(version)
        if not is_named_in(json.read(traject.task.body), id_):
            raise _of_another()
        entry = becomes(before)
        if entry is None:
            return False
        if await _store(entry, does, before, None, known, traject, pathway, visit, world):
            return True
    raise Conflict(CHANGING)


async def _found(
    kind: str, id_: UUID, does: Interaction, visit: Visit, world: World
) -> tuple[Known, Traject, Pathway]:
    """The traject of a resource, for who does the work in it. Raises NotFound or TransitionNotAllowed."""
    access = partial(visit.access, world, does, KIND)
    found = await data_and_traject(kind, id_, access, world)
    if found is None:
        raise not_there()
    known, traject, pathway = found
    rule_of(does, KIND, traject, pathway, visit)
    organisation = visit.caller.organisation
    if traject.ended is not None or traject.roles.get(pathway.steps[traject.step].performer) != organisation:
        raise _not_yours()
    if not sight_of(pathway, organisation, traject.standing).sees(KIND):
        raise _not_in_this_step()
    return known, traject, pathway


async def _store(
    entry: Entry,
    does: Interaction,
    before: Mapping[str, Any] | None,
    identity: Identity | None,
    known: Known,
    traject: Traject,
    pathway: Pathway,
    visit: Visit,
    world: World,
) -> bool:
    """The appointment with the step that it means, together. False when somebody else was first."""
    at = world.now()
    if does != "delete":  # by which only the status changes
        _check(entry, before, known, traject, world, at)
    said = _said(entry, before, traject, pathway, at)
    rule = rule_of(does, KIND, traject, pathway, visit)
    access = visit.access(world, does, KIND, rule=f"{rule.id} {pathway.name}|{pathway.version} {said.by}")
    scene = Scene(visit.caller.organisation, access, traject, pathway, world, at)
    plan = _with(entry, before, identity, planned(said, scene), pathway, at)
    step, versions = await under_consent(plan, scene)
    return await world.trajecten.store(step, versions, plan.finders)


def _check(
    entry: Entry,
    before: Mapping[str, Any] | None,
    known: Known,
    traject: Traject,
    world: World,
    at: datetime,
) -> None:
    """Numbers sealed and references resolved. Raises Invalid with all that is wrong, TransitionNotAllowed."""
    issues = take_numbers_out([entry], world.keys).issues
    ours = {f"{kind}/{id_}".encode() for kind, id_, _ in known.resources}
    ours |= {f"Task/{traject.task.id}".encode(), f"CarePlan/{traject.plan.id}".encode()}
    issues += resolve([entry], {}, world.addresses | ours)
    persons = {token for kind, _, body in known.resources if kind == "Patient" for token in tokens_in(body)}
    if not tokens_in(entry.raw) <= persons:
        issues.append(somebody_else(entry))
    issues += wrong(entry.content, f"Patient/{known.patient}", at)
    if before is not None and request_of(entry.content) != request_of(before):
        issues.append(_another_request())
    if issues:
        raise Invalid(*issues)
    if before is not None and not may_become(before["status"], entry.content["status"]):
        raise _over(before["status"])


def _said(
    entry: Entry, before: Mapping[str, Any] | None, traject: Traject, pathway: Pathway, at: datetime
) -> Said:
    """What who does the work says by it: an event of the pathway where its file names one that can happen now."""
    content, by = entry.content, pathway.steps[traject.step].performer
    added = {"output": [appointment_output(entry.id)]} if before is None else {}
    meant = pathway.file.appointment.get(content["status"], [])
    if before is not None and before["status"] == content["status"]:
        meant = []
    able = {option.event for option in engine.allowed(pathway, state_of(traject), by)}
    event = next((each for each in meant if each in able), None)
    start = starts(content)
    been = event is not None and content["status"] != "booked" and start is not None
    then = start if been and start and traject.started <= start <= at else None
    return Said(event=event, by=by, added=added, at=then)


def _with(
    entry: Entry,
    before: Mapping[str, Any] | None,
    identity: Identity | None,
    plan: Planned,
    pathway: Pathway,
    at: datetime,
) -> Planned:
    """The same step with the appointment in it."""
    version = int(before["meta"]["versionId"]) + 1 if before else 1
    body = stored_form(entry.raw, entry.id, version, at)
    step, status = plan.step, entry.content["status"]
    said = step.event_body
    if isinstance(said, events.StepTaken):
        step = replace(step, event_body=replace(said, appointment=entry.id, appointment_status=status))
    else:
        kept = events.AppointmentKept(
            by=said.by,
            organisation=said.organisation,
            task=said.task,
            at=said.at,
            appointment=entry.id,
            status=status,
        )
        step = replace(step, event="afspraak vastgelegd", event_body=kept)
    readers = seen_by(KIND, plan.parties, pathway)
    step = replace(step, identity=identity, seen_by={**step.seen_by, KIND: readers})
    return plan._replace(
        step=step, versions=[*plan.versions, NewVersion(KIND, entry.id, version, body, NO_ROWS)]
    )


def _request(entry: Entry) -> UUID:
    try:
        return UUID(request_of(entry.content).partition("/")[2])
    except ValueError:
        raise Invalid(_one_request()) from None


def _one_request() -> Issue:
    return Issue(
        nl="Voor welke verwijzing? Noem haar in basedOn: ServiceRequest/<id>.",
        en="For which referral? Name it in basedOn: ServiceRequest/<id>.",
        expression=("Appointment.basedOn",),
        code="required",
    )


def _another_request() -> Issue:
    return Issue(
        nl="Een afspraak blijft bij dezelfde verwijzing.",
        en="An appointment stays with the same referral.",
        expression=("Appointment.basedOn",),
        code="business-rule",
    )


def _not_yours() -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl="Een afspraak legt vast wie het werk nu doet (Task.owner), zolang het traject loopt.",
            en="An appointment is kept by who does the work now (Task.owner), while the traject runs.",
        )
    )


def _not_in_this_step() -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl="In deze stap kent u de patiënt nog niet: neem de verwijzing eerst aan.",
            en="You do not know the patient in this step: accept the referral first.",
        )
    )


def _of_another() -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl="Deze afspraak was van een eerdere overdracht.",
            en="This appointment was of an earlier hand-over.",
        )
    )


def _over(status: str) -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl=f"Deze afspraak is voorbij ({status}). Was dat een vergissing: entered-in-error. Een andere tijd is een "
            "nieuwe afspraak.",
            en=f"This appointment is over ({status}). If that was a mistake: entered-in-error. Another time is a new "
            "appointment.",
            expression=("Appointment.status",),
        )
    )


def _stale(version: int) -> PreconditionFailed:
    return PreconditionFailed(
        Issue(
            nl=f"Uw versie is niet meer de laatste; dat is versie {version}. Lees de afspraak opnieuw.",
            en=f"Your version is no longer the latest; that is {version}. Read the appointment again.",
        )
    )
