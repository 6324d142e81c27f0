"""The versions that follow from what a party said: of the Task, the CarePlan, and the request when it ends."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import search_rows
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.care_plan import next_care_plan
from ketenzorg.referral.coordination_task import new_round, next_task
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.trajecten import NewVersion, Traject, Version


class Said(msgspec.Struct, frozen=True):
    """What a party says: an event with what it brings, and what it adds to the Task. No event: it only adds."""

    event: str | None
    by: str
    given: Mapping[str, str] = {}
    added: Mapping[str, list[Any]] = {}
    at: datetime | None = None


def next_versions(
    said: Said, taken: StepTaken | None, traject: Traject, pathway: Pathway, world: World, at: datetime
) -> list[NewVersion]:
    """The versions to store, that of the Task first; without a step only what was added to the Task."""
    task = _task(said, taken, traject, pathway, world, at)
    if taken is None:
        return [task]
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
    return versions


def _task(
    said: Said, taken: StepTaken | None, traject: Traject, pathway: Pathway, world: World, at: datetime
) -> NewVersion:
    before = json.read(traject.task.body)
    step, status = (taken.to_step, taken.task) if taken else (traject.step, before["status"])
    if taken is not None and taken.new_task:
        id_ = world.new_id()
        body = new_round(
            traject.task.body,
            id_,
            traject.task.id,
            canonical=pathway.canonical,
            step=step,
            status=status,
            at=at,
        )
        return NewVersion("Task", id_, 1, body, search_rows(json.read(body)))
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
            at=at,
        ),
    )


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
        search_rows(json.read(body)),
        search_rows(json.read(old.body)),
    )
