"""Everything that is stored of a referral together: what was sent, what we made for it, and who sees which of these."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from ketenzorg import events
from ketenzorg.access.audience import Audience, audience_of
from ketenzorg.access.finding import rows_of
from ketenzorg.access.keys import pseudonym_of
from ketenzorg.access.rules import rule_id
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.choosing.candidates import tasks_of_candidates
from ketenzorg.coordination.consent.consenting import Recorded
from ketenzorg.coordination.receiving.participants import Participants
from ketenzorg.coordination.steps.clock import running, soonest
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import PARAMETERS, SearchRows
from ketenzorg.pathway.criteria import Soon
from ketenzorg.pathway.engine import Due, State
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import BEFORE_THE_FIRST, Standing, phases_after
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.bundle import Entry
from ketenzorg.referral.care_plan import new_care_plan
from ketenzorg.referral.coordination_task import first_task, most_urgent
from ketenzorg.referral.intake import Asked
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.referrals import NewReferral, NewResource, Package, SealedNumber

Sights: TypeAlias = Mapping[UUID, Visibility]
NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())


class Arrival(NamedTuple):
    """A referral that may be stored: what is asked, of whom, and what the rules made of it."""

    asked: Asked
    own: list[Entry]  # what was posted, organisations apart
    pathway: Pathway
    participants: Participants
    urgency: Soon | None
    state: State
    dues: list[Due]
    traject: UUID
    person: UUID  # a token for the personal number, else the id of the Patient
    at: datetime


def package(
    arrival: Arrival,
    digest: bytes,
    numbers: list[SealedNumber],
    recorded: Recorded,
    visit: Visit,
    world: World,
) -> Package:
    """Everything that is stored together."""
    asked, own, pathway, participants, _, state, dues, traject, person, at = arrival
    plan, task = world.new_id(), asked.task.id if asked.task else world.new_id()
    owner = participants.owner.id if participants.owner else None
    requester = participants.requester.id
    candidates = tuple(each.id for each in participants.asked)
    tasks = _tasks_of_candidates(arrival, world)
    began = pathway.begins_with(state.step)
    parties = tuple(dict.fromkeys((requester, *([owner] if owner else []), *participants.roles.values())))
    phases = phases_after(pathway, BEFORE_THE_FIRST, state.step, participants.roles)
    sights = sights_of(pathway, Standing(state.step, participants.roles, phases), parties)
    audience = audience_of(sights)
    resources = [
        *_sent(own, audience, at),
        *(_resource("Consent", id_, body, audience) for id_, body in recorded.made),
        *_made(arrival, tasks, plan, task, sights),
    ]
    referral = NewReferral(
        organisation=requester,
        system=asked.identifier[0],
        value=asked.identifier[1],
        hash=digest.hex(),
        locations=(
            *(entry.location for entry in own),
            *(f"Consent/{id_}" for id_, _ in recorded.made),
            *(f"Task/{each.id}" for each in tasks if each.sent is None),
            f"CarePlan/{plan}",
            f"Task/{task}",
        ),
        at=at,
        traject=traject,
        pathway=pathway.name,
        version=pathway.version,
        step=state.step,
        counts=state.counts,
        happened=state.happened,
        person=person,
        pseudonym=pseudonym_of(person, world.keys),
        patient=asked.patient.id,
        service_request=asked.request.id,
        care_plan=plan,
        task=task,
        roles=participants.roles,
        phases=phases,
        parties=parties,
        involved=tuple(each for each in parties if each not in candidates) if candidates else None,
        asides=tasks_of_candidates({each.owner.id: each.id for each in tasks}, task),
        consents=recorded.of,
        municipality=participants.municipality,
        dues=running(dues, pathway),
        event_id=world.new_id(),
        event=began,
        event_body=events.ReferralReceived(
            pathway=pathway.name,
            version=pathway.version,
            event=began,
            step=state.step,
            at=at,
            requester=requester,
            owner=owner,
            service_request=asked.request.id,
            task=task,
            municipality=participants.municipality,
            kept=state.counts,
            asked=candidates,
        ),
        priority=how_soon(
            pathway,
            state.counts,
            asked.request.resource.priority,
            asked.task.resource.priority if asked.task else None,
        ),
        access=visit.access(
            world, "create", "ServiceRequest", rule=rule_id("create", "ServiceRequest", "none")
        ),
        knows=tuple(each for each in parties if each == requester or sights[each].bsn),
    )
    return Package(referral, resources, numbers)


def _sent(own: list[Entry], audience: Audience, at: datetime) -> list[NewResource]:
    """What the sender posted, in its own bytes; the Task follows with what we add to it."""
    return [
        _resource(entry.kind, entry.id, stored_form(entry.raw, entry.id, 1, at), audience)
        for entry in own
        if entry.kind != "Task"
    ]


class _CandidateTask(NamedTuple):
    owner: Organisation
    id: UUID
    sent: bytes | None


def _tasks_of_candidates(arrival: Arrival, world: World) -> list[_CandidateTask]:
    """One for each that is asked by name, as it was sent or one that we make."""
    if arrival.participants.open:
        return []
    return [
        _CandidateTask(owner, candidate.task.id, candidate.task.raw)
        if candidate.task
        else _CandidateTask(owner, world.new_id(), None)
        for owner, candidate in zip(arrival.participants.asked, arrival.asked.candidates, strict=True)
    ]


def _made(
    arrival: Arrival, tasks: Sequence[_CandidateTask], plan: UUID, task: UUID, sights: Sights
) -> list[NewResource]:
    """The plan, and a Task for who must act or for each who is asked."""
    asked, _, pathway, participants, urgency, state, dues, _, _, at = arrival
    step = pathway.steps[state.step]
    patient, request = asked.patient.location, asked.request.location
    requester = f"Organization/{participants.requester.id}"
    care_plan = new_care_plan(
        plan,
        canonical=pathway.canonical,
        title=pathway.title,
        step=step.name,
        patient=patient,
        requester=requester,
        request=request,
        at=at,
    )

    def a_task(sent: bytes | None, id_: UUID, owner: Organisation | None, part_of: str = "") -> bytes:
        return first_task(
            sent,
            id_,
            canonical=pathway.canonical,
            step=step.name,
            status=step.task,
            priority=most_urgent(asked.request.resource.priority, urgency.priority) if urgency else None,
            care_plan=f"CarePlan/{plan}",
            request=request,
            patient=patient,
            requester=requester,
            owner=f"Organization/{owner.id}" if owner else "",
            until=soonest(dues),
            at=at,
            part_of=part_of,
        )

    coordination_task = a_task(asked.task.raw if asked.task else None, task, participants.owner)
    # Who is asked sees its own Task; the one without an owner only when that is there to be claimed.
    others = sights if participants.open else _without(sights, participants.asked)
    return [
        *(
            _resource(
                "Task",
                each.id,
                a_task(each.sent, each.id, each.owner, f"Task/{task}"),
                audience_of({**others, each.owner.id: sights[each.owner.id]}),
            )
            for each in tasks
        ),
        _resource("CarePlan", plan, care_plan, audience_of(sights)),
        _resource("Task", task, coordination_task, audience_of(others)),
    ]


def _without(sights: Sights, asked: Sequence[Organisation]) -> dict[UUID, Visibility]:
    left_out = {each.id for each in asked}
    return {each: sight for each, sight in sights.items() if each not in left_out}


def _resource(kind: str, id_: UUID, body: bytes, audience: Audience) -> NewResource:
    rows = rows_of(json.read(body)) if kind in PARAMETERS else NO_ROWS
    parties, finders = audience[kind]
    return NewResource(kind, id_, parties, body, rows, finders)
