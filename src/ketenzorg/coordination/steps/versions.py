"""The versions that follow from what a party said: of the Task, the CarePlan, and the request when it ends."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.clock import soonest
from ketenzorg.coordination.steps.handing_over import Parties
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.by_letter import OUTPUT as BY_LETTER
from ketenzorg.referral.by_letter import by_letter
from ketenzorg.referral.care_plan import next_care_plan
from ketenzorg.referral.codes import output_type
from ketenzorg.referral.coordination_task import new_round, next_task
from ketenzorg.referral.intake import Named
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.trajecten import NewVersion, Version


class NewProposal(msgspec.Struct, frozen=True):
    """A ServiceRequest with intent proposal, sealed and checked, and the id under which it is stored."""

    id: UUID
    raw: bytes


class Said(msgspec.Struct, frozen=True):
    """What a party says: an event with what it brings, and what it adds to the Task. No event: it only adds."""

    event: str | None
    by: str
    given: Mapping[str, str] = {}
    added: Mapping[str, list[Any]] = {}
    at: datetime | None = None
    performer: Named | None = None  # of the hand-over that the event begins
    open: bool = False  # that hand-over is for who claims it
    pool: tuple[UUID, ...] = ()  # who may, once that is known
    chosen: UUID | None = None  # the candidate that performs this hand-over from now on
    proposal: NewProposal | None = None  # a ServiceRequest as its sender wrote it; else the words become one


def next_versions(
    said: Said, taken: StepTaken | None, parties: Parties, until: datetime | None, scene: Scene
) -> list[NewVersion]:
    """The versions to store, that of the Task first; without a step only what was added to the Task.

    When a hand-over follows on another, the Task that ends comes first and the new one last. `until` is when the
    soonest norm or control ends that runs from now on.
    """
    if taken is None:
        return [_same_task(said, None, until, scene)]
    traject, pathway, at = scene.traject, scene.pathway, scene.at
    begun = [_new_task(said, taken, parties, until, scene)] if taken.new_task else []
    if begun and not taken.closes:
        task = begun.pop()
    else:
        task = _same_task(said, taken, None if taken.new_task else until, scene)
    if taken.forward:
        task = _sent_on(task, begun[0])
    plan = _next(
        traject.plan,
        lambda id_, version: next_care_plan(
            traject.plan.body,
            id_,
            version,
            canonical=pathway.canonical,
            step=taken.to_step,
            status=taken.careplan,
            ended=taken.ends,
            at=at,
        ),
    )
    versions = [task, plan]
    if json.read(traject.request.body)["status"] != taken.request:
        body = traject.request.body
        versions.append(
            _next(
                traject.request,
                lambda id_, version: stored_form(body, id_, version, at, status=taken.request),
            ),
        )
    return versions + begun


def _new_task(
    said: Said, taken: StepTaken, parties: Parties, until: datetime | None, scene: Scene
) -> NewVersion:
    """The Task of the next hand-over or round, with the words that it begins with."""
    traject, pathway = scene.traject, scene.pathway
    id_, letter = scene.world.new_id(), by_letter(json.read(traject.task.body))
    before = parties.before
    owner = parties.roles.get(taken.performer)
    # The one before is named to who may read it.
    known = owner is not None and set(parties.involved) <= set(before)
    body = new_round(
        traject.task.body,
        id_,
        traject.task.id if known else None,
        canonical=pathway.canonical,
        step=taken.to_step,
        status=taken.task,
        requester=f"Organization/{parties.roles[taken.requester]}",
        owner=f"Organization/{owner}" if owner else "",
        brought={name: _in_words(name, said.given[name], pathway) for name in taken.output}
        | ({BY_LETTER: letter} if letter else {}),
        until=until,
        at=scene.at,
    )
    return NewVersion("Task", id_, 1, body, rows_of(json.read(body)))


def _same_task(said: Said, taken: StepTaken | None, until: datetime | None, scene: Scene) -> NewVersion:
    traject, pathway = scene.traject, scene.pathway
    before = soonest(engine.due(pathway, scene.state))
    if taken is None:
        step, status = traject.step, json.read(traject.task.body)["status"]
    else:
        step, status = taken.to_step, taken.closes or taken.task
    return _next(
        traject.task,
        lambda id_, version: next_task(
            traject.task.body,
            id_,
            version,
            canonical=pathway.canonical,
            step=step,
            status=status,
            reason=(taken.reason.code, taken.reason.text) if taken and taken.reason else None,
            output={name: _in_words(name, said.given[name], pathway) for name in taken.output}
            if taken
            else {},
            added=said.added,
            until=until,
            until_before=before,
            at=scene.at,
        ),
    )


def _sent_on(task: NewVersion, to: NewVersion) -> NewVersion:
    """The Task that was sent on names the one that took its place."""
    body = json.read(task.body)
    following = {"type": output_type("volgende taak"), "valueReference": {"reference": f"Task/{to.id}"}}
    body["output"] = [*body.get("output", ()), following]
    return msgspec.structs.replace(task, body=json.write(body))


def _in_words(name: str, answer: str, pathway: Pathway) -> str:
    """A coded answer as the pathway words it; words as they are."""
    return pathway.file.codes[answer] if pathway.file.needs[name].codes else answer


def _next(old: Version, make: Callable[[UUID, int], bytes]) -> NewVersion:
    body = make(old.id, old.version + 1)
    return NewVersion(
        old.type,
        old.id,
        old.version + 1,
        body,
        rows_of(json.read(body)),
        rows_of(json.read(old.body)),
    )
