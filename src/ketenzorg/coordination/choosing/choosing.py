"""What is said while nobody performs a hand-over yet: by who is asked, and by who asks of one of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of, rows_of
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.choosing.candidates import (
    QUESTION,
    SELECT,
    answers,
    candidate_of,
    for_requester,
    not_chosen,
    passed_over,
)
from ketenzorg.coordination.consent.consenting import organisation_named
from ketenzorg.coordination.steps.clock import soonest
from ketenzorg.coordination.steps.handing_over import found_by
from ketenzorg.coordination.steps.meaning import state_of
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.handover import may
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import ASKED
from ketenzorg.referral.coordination_task import next_task
from ketenzorg.store.audit import Access
from ketenzorg.store.trajecten import Losing, NewVersion, Traject

TAKEN = Issue(
    nl="Een ander was u voor: deze Task is al opgepakt. U hoeft niets te doen.",
    en="Another was first: this Task has been claimed. There is nothing for you to do.",
    code="conflict",
)


def names(owner: Any, visit: Visit, world: World) -> bool:
    """Whether a Task.owner is the caller's own organisation."""
    if not isinstance(owner, dict):
        return False
    known = organisation_named(owner, world.region)
    return known is not None and known.id == visit.caller.organisation


def claimed(said: Said, organisation: UUID, traject: Traject, pathway: Pathway) -> Said:
    """The same by who makes the open Task its own by it. Raises TransitionNotAllowed for what claims nothing."""
    possible = [each for each in answers(pathway, state_of(traject)) if each.task != "rejected"]
    if said.event not in {each.event for each in possible}:
        raise _only([each.event for each in possible], said.by)
    return msgspec.structs.replace(said, chosen=organisation)


def said_of_candidate(
    said: Said, access: Access, by: UUID, traject: Traject, pathway: Pathway, world: World, at: datetime
) -> Planned:
    """What follows from what is said on the Task of one candidate. Raises TransitionNotAllowed or Invalid."""
    candidate = candidate_of(traject.task.id, traject)
    assert candidate is not None  # noqa: S101  (the caller looked)
    if by == candidate:
        return _answered(said, candidate, access, traject, pathway, world, at)
    requester = pathway.steps[traject.step].requester
    options = [each.event for each in for_requester(traject, pathway)]
    if traject.roles.get(requester) != by or said.event not in options:
        raise _only(options, requester)
    if said.event == SELECT:
        return _selected(said, candidate, access, by, traject, pathway, world, at)
    version = not_chosen(traject.task, at)
    return _outcome(version, "niet-gekozen", False, candidate, access, by, traject, pathway, world, at)


def _selected(
    said: Said,
    candidate: UUID,
    access: Access,
    by: UUID,
    traject: Traject,
    pathway: Pathway,
    world: World,
    at: datetime,
) -> Planned:
    """The hand-over goes on with the Task of this one, as if it had been the only one that was asked."""
    performer = pathway.steps[traject.step].performer
    accepted = engine.for_status(pathway, state_of(traject), performer, "accepted")
    said = msgspec.structs.replace(said, event=accepted.event, by=performer, chosen=candidate)
    return planned(said, access, by, traject, pathway, world, at)


def _answered(
    said: Said,
    candidate: UUID,
    access: Access,
    traject: Traject,
    pathway: Pathway,
    world: World,
    at: datetime,
) -> Planned:
    """The candidate says that it has it, can do it, or cannot; the step judges what that takes."""
    state, now = state_of(traject), json.read(traject.task.body)["status"]
    possible = [each for each in answers(pathway, state) if may(now, each.task, "owner")]
    option = next((each for each in possible if each.event == said.event), None)
    if option is None or option.task == now:
        raise _only([each.event for each in possible if each.task != now], said.by)
    taken = engine.advance(pathway, state, option.event, said.by, at, said.given)
    until = soonest(engine.due(pathway, state))
    number = traject.task.version + 1
    body = next_task(
        traject.task.body,
        traject.task.id,
        number,
        canonical=pathway.canonical,
        step=traject.step,
        status=option.task,
        reason=(taken.reason.code, taken.reason.text) if taken.reason else None,
        output={name: _in_words(name, said.given[name], pathway) for name in taken.output},
        added={},
        until=until,
        until_before=until,
        at=at,
    )
    rows, before = rows_of(json.read(body)), rows_of(json.read(traject.task.body))
    version = NewVersion("Task", traject.task.id, number, body, rows, before)
    code = taken.reason.code if taken.reason else None
    stays = option.task != "rejected"
    return _outcome(version, code, stays, candidate, access, candidate, traject, pathway, world, at)


def _outcome(
    version: NewVersion,
    reason: str | None,
    stays: bool,
    candidate: UUID,
    access: Access,
    by: UUID,
    traject: Traject,
    pathway: Pathway,
    world: World,
    at: datetime,
) -> Planned:
    """Only this Task changes; who is no candidate any more loses sight of the question."""
    performer = pathway.steps[traject.step].performer
    plan = planned(Said(event=None, by=performer), access, by, traject, pathway, world, at)
    roles = dict(traject.roles)
    if not stays:
        roles = {key: party for key, party in roles.items() if not (ASKED in key and party == candidate)}
        roles |= passed_over(traject, (candidate,))
    standing = traject.standing._replace(roles=roles)
    sights = sights_of(pathway, standing, traject.parties)
    body: Any = events.CandidateAnswered(
        by=performer,
        organisation=by,
        candidate=candidate,
        task=traject.task.id,
        task_status=json.read(version.body)["status"],
        at=at,
        reason=reason,
    )
    step = msgspec.structs.replace(
        plan.step,
        event="kandidaat antwoordt" if by == candidate else "kandidaat niet meer gevraagd",
        event_body=body,
        open_task=traject.open_task,
        roles=roles,
        listeners=(candidate,),
        losing=() if stays else (Losing(candidate, QUESTION),),
        found_by=() if stays else found_by(traject, [version], sights),
    )
    return Planned(step, [version], finders_of(sights), None, plan.parties)


def _in_words(name: str, answer: str, pathway: Pathway) -> str:
    return pathway.file.codes[answer] if pathway.file.needs[name].codes else answer


def _only(events_: list[str], role: str) -> TransitionNotAllowed:
    named = ", ".join(f"‘{each}’" for each in dict.fromkeys(events_)) or "niets"
    named_en = ", ".join(f"'{each}'" for each in dict.fromkeys(events_)) or "nothing"
    return TransitionNotAllowed(
        Issue(
            nl=f"Zolang nog niemand gekozen is, kan op deze Task alleen ({role}): {named}.",
            en=f"As long as nobody is chosen, this is all that can happen to this Task ({role}): {named_en}.",
        )
    )
