"""Questions beside the hand-over: each opens a Task of its own, which the answer, a refusal or the end closes."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.coordination.scene import Scene, state_of
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.errors import TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import search_rows
from ketenzorg.pathway import engine
from ketenzorg.pathway.definition import Aside
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.aside_task import is_open, new_aside, next_aside
from ketenzorg.store.trajecten import NewVersion, Traject, Version

YES, NO, FELL_AWAY = "completed", "rejected", "cancelled"  # Task.status of what is over


class Asides(msgspec.Struct, frozen=True):
    """The asides after a step, and the versions to store for them."""

    named: dict[str, UUID]
    versions: list[NewVersion]


def asides_after(said: Said, taken: StepTaken, scene: Scene) -> Asides:
    """What a step does to them. Raises TransitionNotAllowed for answering what nobody asked."""
    traject, pathway, at = scene.traject, scene.pathway, scene.at
    named = {name: version.id for name, version in traject.asides.items()}
    versions: list[NewVersion] = []
    for name, aside in pathway.file.asides.items():
        now = traject.asides.get(name)
        still = now is not None and is_open(now.body)
        if taken.event in (aside.yes, aside.no) and not still:
            raise _nobody_asked(aside, traject, pathway)
        if taken.event == aside.asks:
            if now is not None and still:  # asked again: the earlier question is in the new one's place
                versions.append(_closed(now, FELL_AWAY, {}, at))
            opened = _opened(said, aside, taken, scene)
            named[name] = opened.id
            versions.append(opened)
        elif now is not None and still and (status := _answer(taken, aside, pathway)):
            answered = said.given if status in (YES, NO) else {}
            versions.append(_closed(now, status, _in_words(answered, pathway), at))
    return Asides(named, versions)


def aside_of(task: UUID, traject: Traject, pathway: Pathway) -> tuple[Aside, Version] | None:
    """The question that a Task is of; None for the Task of a hand-over."""
    for name, version in traject.asides.items():
        if version.id == task and name in pathway.file.asides:
            return pathway.file.asides[name], version
    return None


def not_asked(traject: Traject, pathway: Pathway) -> frozenset[str]:
    """The events that answer or decline a question which nobody has open: they cannot happen now."""
    opened = {name for name, version in traject.asides.items() if is_open(version.body)}
    return frozenset(
        event
        for name, aside in pathway.file.asides.items()
        if name not in opened
        for event in (aside.yes, aside.no)
        if event
    )


def event_for(status: str, aside: Aside) -> str:
    """What it means when who was asked writes this Task.status; empty: nothing that can be meant."""
    if status in ("accepted", "completed"):
        return aside.yes
    return aside.no if status in ("rejected", "failed") else ""


def _answer(taken: StepTaken, aside: Aside, pathway: Pathway) -> str:
    """How the step closes a question; one that cannot be answered any more, because the work began, falls away."""
    if taken.event == aside.yes:
        return YES
    if taken.event == aside.no:
        return NO
    still = any(move.event == aside.yes for move in pathway.steps[taken.to_step].moves)
    return FELL_AWAY if taken.ends or taken.closes or not still else ""


def _opened(said: Said, aside: Aside, taken: StepTaken, scene: Scene) -> NewVersion:
    traject, pathway, step = scene.traject, scene.pathway, scene.step
    asks, asked = (
        (step.requester, step.performer) if said.by == step.requester else (step.performer, step.requester)
    )
    id_ = scene.world.new_id()
    body = new_aside(
        json.read(traject.task.body),
        id_,
        code=aside.code,
        title=aside.title,
        requester=f"Organization/{traject.roles[asks]}",
        owner=f"Organization/{traject.roles[asked]}",
        asked=_in_words(said.given, pathway),
        questionnaire=pathway.questionnaire,
        until=_until(aside, taken, pathway),
        at=scene.at,
    )
    return NewVersion("Task", id_, 1, body, search_rows(json.read(body)))


def _until(aside: Aside, taken: StepTaken, pathway: Pathway) -> datetime | None:
    """Until when it may be answered, where a norm says so."""
    dues = engine.due(pathway, taken.state)
    return next((due.at for due in dues if aside.yes in pathway.clock(due.norm).to), None)


def _closed(now: Version, status: str, answered: Mapping[str, str], at: datetime) -> NewVersion:
    body = next_aside(now.body, now.id, now.version + 1, status=status, answered=answered, at=at)
    rows, before = search_rows(json.read(body)), search_rows(json.read(now.body))
    return NewVersion("Task", now.id, now.version + 1, body, rows, before)


def _in_words(given: Mapping[str, str], pathway: Pathway) -> dict[str, str]:
    needs, codes = pathway.file.needs, pathway.file.codes
    return {name: codes[text] if needs[name].codes else text for name, text in given.items()}


def _nobody_asked(aside: Aside, traject: Traject, pathway: Pathway) -> TransitionNotAllowed:
    return TransitionNotAllowed(
        engine.with_options(
            pathway,
            state_of(traject),
            f"Er ligt geen ‘{aside.title.lower()}’: er is niets om op te antwoorden.",
            f"There is no open '{aside.asks}': nothing to answer to.",
            but=not_asked(traject, pathway),
        )
    )
