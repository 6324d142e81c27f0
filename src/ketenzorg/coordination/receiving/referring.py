"""A referral comes in: read, checked against its pathway, given to who must act, stored whole or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import rows_of, who_finds
from ketenzorg.access.keys import keyed_digest, pseudonym_of
from ketenzorg.access.personal_numbers import seal
from ketenzorg.access.rules import rule_id
from ketenzorg.access.sealing import take_numbers_out
from ketenzorg.access.views import sights_of, who_sees
from ketenzorg.coordination.choosing.candidates import tasks_of_candidates
from ketenzorg.coordination.consent.consenting import Recorded, weighed
from ketenzorg.coordination.consent.sent_consent import (
    objections_sent,
    unless_objected,
    what_is_shared,
    without_objected,
)
from ketenzorg.coordination.receiving.notices import Notice, notices_of, warned
from ketenzorg.coordination.receiving.participants import (
    Participants,
    find_participants,
    find_referrer,
    match_organisations,
)
from ketenzorg.coordination.receiving.stopping import no_such_pathway, not_stored, other_content, stops
from ketenzorg.coordination.steps.clock import running, soonest
from ketenzorg.coordination.steps.proposals import seen_requests
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import PARAMETERS, SearchRows
from ketenzorg.pathway import engine
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.criteria import Soon, screen
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import BEFORE_THE_FIRST, Standing, phases_after
from ketenzorg.pathway.unread import unread
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.bundle import Entry, Posted, read_bundle
from ketenzorg.referral.care_plan import new_care_plan
from ketenzorg.referral.content import canonical
from ketenzorg.referral.coordination_task import first_task, most_urgent
from ketenzorg.referral.intake import Asked, what_is_asked
from ketenzorg.referral.references import resolve
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.referrals import NewReferral, NewResource, Package, SealedNumber, Stored

Sights: TypeAlias = Mapping[UUID, Visibility]
NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())


class Receipt(msgspec.Struct, frozen=True):
    """What the sender hears: where each entry is, and what we made, and what it must know."""

    new: bool
    at: datetime
    request_place: int
    locations: tuple[str, ...]  # of the posted entries, in their order; '' of what was not stored
    known: frozenset[str]  # those that were here already: organisations
    consents: tuple[str, ...]  # that we made
    care_plan: str
    task: str
    task_was_posted: bool
    notices: tuple[Notice, ...]


async def receive_referral(body: bytes, visit: Visit, world: World) -> Receipt:
    """Take in a transaction Bundle. Raises Malformed, Invalid, Forbidden or Conflict with everything that is wrong."""
    return await receive_posted(read_bundle(body, world.new_id), visit, world)


async def receive_posted(posted: Posted, visit: Visit, world: World) -> Receipt:
    """The same, of a Bundle that was read already. What is wrong or to be known has its place in that Bundle."""
    try:
        receipt = await _receive(posted, visit, world)
    except Invalid as error:
        raise Invalid(*(posted.placed(issue) for issue in error.issues)) from error
    notices = tuple(posted.placed(notice) for notice in receipt.notices)
    return msgspec.structs.replace(receipt, notices=notices)


async def _receive(posted: Posted, visit: Visit, world: World) -> Receipt:
    at = world.now()
    asked, issues = what_is_asked(posted)
    issues += match_organisations(posted, world.region)
    numbers = take_numbers_out(posted.entries, world.keys)
    digest = keyed_digest(world.keys.digest, canonical(posted))
    own = [entry for entry in posted.entries if entry.kind != "Organization"]
    seen = await seen_requests(posted.of("ServiceRequest"), visit, world)
    known = world.addresses | seen if seen else world.addresses
    issues += numbers.issues + resolve(own, posted.addresses(), known)
    if asked is None:
        raise Invalid(*issues)
    system, value = asked.identifier
    asked = asked._replace(identifier=(numbers.without(system), numbers.without(value)))
    pathway, no_pathway = _pathway(asked, world)
    if pathway is None:
        raise Invalid(*issues, *no_pathway)
    referrer = find_referrer(asked, visit.caller, world.region)
    pathway = pathway.in_municipality(referrer.municipality)
    contents = [entry.content for entry in own]
    answers = read_answers(pathway, contents)
    unreadable = unread(pathway, contents, answers)
    screening = screen(pathway, answers, at)
    participants, strangers = find_participants(asked, pathway, referrer, screening.route, world.region)
    issues += strangers + stops(screening) + objections_sent(own)
    traject, recorded = world.new_id(), Recorded((), {})
    person = next(
        (token for token in numbers.tokens.values() if str(token).encode() in asked.patient.raw), None
    )
    if participants is not None:
        sharing = what_is_shared(own, asked, pathway, participants, answers, traject, at)
        participants = await without_objected(participants, sharing, person or asked.patient.id, world)
        recorded, refusals = weighed(participants.roles, sharing, world)
        said = {place for issue in issues for place in issue.expression}
        issues += [each for each in refusals if said.isdisjoint(each.expression) or not each.expression]
    if issues or participants is None:
        raise Invalid(*issues, *warned(unreadable))
    state = engine.start(pathway, at, screening)
    dues = engine.due(pathway, state)
    package = _package(
        state,
        dues,
        screening.urgency,
        own,
        asked,
        pathway,
        participants,
        digest,
        await _sealed(numbers.tokens, world),
        traject,
        recorded,
        person or asked.patient.id,
        visit,
        world,
        at,
    )
    stored = await unless_objected(package, participants, sharing, visit, world)
    if stored.hash != digest:
        if not asked.request.if_none_exist:
            raise Conflict(other_content(asked, stored))
        return _what_there_is(posted, asked, stored, at)
    notices = notices_of(pathway, participants, screening, unreadable, dues, stored, world)
    return _receipt(posted, asked, notices, stored, at)


async def _sealed(numbers: Mapping[str, UUID], world: World) -> list[SealedNumber]:
    if not numbers:
        return []
    key = await world.keyring.newest()
    return [seal(number, token, world.keys, key) for number, token in numbers.items()]


def _pathway(asked: Asked, world: World) -> tuple[Pathway | None, list[Issue]]:
    for place, canonical_ in enumerate(asked.canonicals):
        pathway = world.catalogue.by_canonical(canonical_)
        if pathway is not None:
            return pathway, []
        return None, [no_such_pathway(f"{asked.request.path}.instantiatesCanonical[{place}]", world)]
    pathway = world.catalogue.by_code(asked.codes)
    return pathway, [] if pathway else [no_such_pathway(f"{asked.request.path}.code", world)]


def _package(
    state: engine.State,
    dues: list[engine.Due],
    urgency: Soon | None,
    own: list[Entry],
    asked: Asked,
    pathway: Pathway,
    participants: Participants,
    digest: bytes,
    numbers: list[SealedNumber],
    traject: UUID,
    recorded: Recorded,
    person: UUID,
    visit: Visit,
    world: World,
    at: datetime,
) -> Package:
    """Everything that is stored together."""
    plan, task = world.new_id(), asked.task.id if asked.task else world.new_id()
    owner = participants.owner.id if participants.owner else None
    requester = participants.requester.id
    candidates = tuple(each.id for each in participants.asked)
    began = pathway.begins_with(state.step)
    parties = tuple(dict.fromkeys((requester, *([owner] if owner else []), *participants.roles.values())))
    phases = phases_after(pathway, BEFORE_THE_FIRST, state.step, participants.roles)
    sights = sights_of(pathway, Standing(state.step, participants.roles, phases), parties)
    resources = [
        *_sent(own, sights, at),
        *(_resource("Consent", id_, body, sights) for id_, body in recorded.made),
        *_made(state.step, urgency, asked, pathway, participants, plan, task, sights, soonest(dues), at),
    ]
    named = {
        each.id: candidate.task.id
        for each, candidate in zip(participants.asked, asked.candidates, strict=False)
    }
    referral = NewReferral(
        organisation=requester,
        system=asked.identifier[0],
        value=asked.identifier[1],
        hash=digest.hex(),
        locations=(
            *(entry.location for entry in own),
            *(f"Consent/{id_}" for id_, _ in recorded.made),
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
        asides=tasks_of_candidates(named, task),
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


def _sent(own: list[Entry], sights: Sights, at: datetime) -> list[NewResource]:
    """What the sender posted, in its own bytes; the Task follows with what we add to it."""
    return [
        _resource(entry.kind, entry.id, stored_form(entry.raw, entry.id, 1, at), sights)
        for entry in own
        if entry.kind != "Task"
    ]


def _made(
    first: str,
    urgency: Soon | None,
    asked: Asked,
    pathway: Pathway,
    participants: Participants,
    plan: UUID,
    task: UUID,
    sights: Sights,
    until: datetime | None,
    at: datetime,
) -> list[NewResource]:
    step = pathway.steps[first]
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
            until=until,
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
                candidate.task.id,
                a_task(candidate.task.raw, candidate.task.id, each, f"Task/{task}"),
                {**others, each.id: sights[each.id]},
            )
            for each, candidate in zip(participants.asked, asked.candidates, strict=False)
        ),
        _resource("CarePlan", plan, care_plan, sights),
        _resource("Task", task, coordination_task, others),
    ]


def _without(sights: Sights, asked: Sequence[Organisation]) -> dict[UUID, Visibility]:
    left_out = {each.id for each in asked}
    return {each: sight for each, sight in sights.items() if each not in left_out}


def _resource(kind: str, id_: UUID, body: bytes, sights: Sights) -> NewResource:
    rows = rows_of(json.read(body)) if kind in PARAMETERS else NO_ROWS
    return NewResource(kind, id_, who_sees(kind, sights), body, rows, who_finds(kind, sights))


def _receipt(
    posted: Posted, asked: Asked, notices: tuple[Notice, ...], stored: Stored, at: datetime
) -> Receipt:
    *sent, care_plan, task = stored.locations
    places = iter(sent)  # what we made follows what was sent
    locations = tuple(
        entry.location if entry.kind == "Organization" else next(places) for entry in posted.entries
    )
    known = frozenset(entry.location for entry in posted.entries if entry.kind == "Organization")
    return Receipt(
        new=stored.new,
        at=at,
        request_place=asked.request.place,
        locations=locations,
        known=known,
        consents=tuple(places),
        care_plan=care_plan,
        task=task,
        task_was_posted=asked.task is not None,
        notices=notices,
    )


def _what_there_is(posted: Posted, asked: Asked, stored: Stored, at: datetime) -> Receipt:
    """To who sends it only if it is not there: the stored referral, and of what came with it nothing."""
    request = next(each for each in stored.locations if each.startswith("ServiceRequest/"))
    return Receipt(
        new=False,
        at=at,
        request_place=asked.request.place,
        locations=tuple(request if entry is asked.request else "" for entry in posted.entries),
        known=frozenset(),
        consents=(),
        care_plan=stored.locations[-2],
        task=stored.locations[-1],
        task_was_posted=False,
        notices=(not_stored(),),
    )
