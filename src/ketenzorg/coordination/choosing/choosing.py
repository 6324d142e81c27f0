"""What is said while nobody performs a hand-over yet: by who is asked, and by who asks of one of them."""

from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.choosing.candidates import (
    NO_MORE_ASKED,
    QUESTION,
    SELECT,
    answers,
    answers_now,
    candidate_of,
    for_requester,
    not_chosen,
    passed_over,
)
from ketenzorg.coordination.choosing.one_candidate import of_candidate
from ketenzorg.coordination.consent.consenting import organisation_named
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.clock import soonest
from ketenzorg.coordination.steps.planning import Planned, planned, refuse_numbers
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import ASKED
from ketenzorg.referral.coordination_task import next_task
from ketenzorg.store.trajecten import Losing, NewVersion

ANSWERED = "kandidaat antwoordt"
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


def claimed(said: Said, scene: Scene) -> Said:
    """The same by who makes the open Task its own by it. Raises TransitionNotAllowed for what claims nothing."""
    possible = [each.event for each in answers(scene.pathway, scene.state) if each.task != "rejected"]
    if said.event not in possible:
        raise _only(possible, said.by)
    return msgspec.structs.replace(said, chosen=scene.organisation)


def said_of_candidate(said: Said, scene: Scene) -> Planned:
    """What follows from what is said on the Task of one candidate. Raises TransitionNotAllowed or Invalid."""
    traject = scene.traject
    candidate = candidate_of(traject.task.id, traject)
    assert candidate is not None  # noqa: S101  (the caller looked)
    refuse_numbers(said)
    if scene.organisation == candidate:
        return _answered(said, candidate, scene)
    requester = scene.step.requester
    options = [each.event for each in for_requester(traject, scene.pathway)]
    if traject.roles.get(requester) != scene.organisation or said.event not in options:
        raise _only(options, requester)
    if said.event == SELECT:
        return _selected(said, candidate, scene)
    return _out(candidate, NO_MORE_ASKED[0], not_chosen(traject.task, NO_MORE_ASKED, scene.at), scene)


def _selected(said: Said, candidate: UUID, scene: Scene) -> Planned:
    """The hand-over goes on with the Task of this one, as if it had been the only one that was asked."""
    performer = scene.step.performer
    accepted = engine.for_status(scene.pathway, scene.state, performer, "accepted")
    said = msgspec.structs.replace(said, event=accepted.event, by=performer, chosen=candidate)
    return planned(said, scene)


def _answered(said: Said, candidate: UUID, scene: Scene) -> Planned:
    """The candidate says that it has it, can do it, or cannot; the step judges what that takes."""
    possible = answers_now(scene.traject, scene.pathway)
    option = next((each for each in possible if each.event == said.event), None)
    if option is None:
        raise _only([each.event for each in possible], said.by)
    taken = engine.advance(scene.pathway, scene.state, option.event, said.by, scene.at, said.given)
    version = _answer(said, taken, option.task, scene)
    code = taken.reason.code if taken.reason else None
    if option.task == "rejected":
        return _out(candidate, code, version, scene)
    roles = scene.traject.roles
    return of_candidate(
        candidate, ANSWERED, version, scene, by=scene.step.performer, roles=roles, reason=code
    )


def _answer(said: Said, taken: StepTaken, status: str, scene: Scene) -> NewVersion:
    task, pathway = scene.traject.task, scene.pathway
    until = soonest(engine.due(pathway, scene.state))
    body = next_task(
        task.body,
        task.id,
        task.version + 1,
        canonical=pathway.canonical,
        step=scene.traject.step,
        status=status,
        reason=(taken.reason.code, taken.reason.text) if taken.reason else None,
        output={name: _in_words(name, said.given[name], pathway) for name in taken.output},
        added={},
        until=until,
        until_before=until,
        at=scene.at,
    )
    rows, before = rows_of(json.read(body)), rows_of(json.read(task.body))
    return NewVersion("Task", task.id, task.version + 1, body, rows, before)


def _out(candidate: UUID, reason: str | None, version: NewVersion, scene: Scene) -> Planned:
    """Who is no candidate any more loses sight of the question."""
    roles = {
        key: party for key, party in scene.traject.roles.items() if not (ASKED in key and party == candidate)
    } | passed_over(scene.traject, (candidate,))
    event = ANSWERED if scene.organisation == candidate else "kandidaat niet meer gevraagd"
    plan = of_candidate(candidate, event, version, scene, by=scene.step.performer, roles=roles, reason=reason)
    return plan._replace(step=msgspec.structs.replace(plan.step, losing=(Losing(candidate, QUESTION),)))


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
