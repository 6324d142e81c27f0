"""What is stored to undo a step: everything as it was before it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg import events
from ketenzorg.access.finding import finders_of, rows_of
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.answering import without_letter
from ketenzorg.coordination.steps.clock import running
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from ketenzorg.pathway.standing import phases_after
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.trajecten import FindersOf, NewVersion, Step, Traject, Version
from ketenzorg.store.worklist import Recorded

CAME_ALONG = ("Appointment", "ServiceRequest")  # with a step, and are as they were when it is undone


class Correction(NamedTuple):
    """What is stored to undo a step; the first version is that of the Task."""

    step: Step
    versions: list[NewVersion]
    finders: FindersOf


async def corrected(
    mistaken: Recorded, log: list[Recorded], scene: Scene, readers: Sequence[UUID]
) -> Correction:
    """Everything as it was before the last step of a traject, as far as these readers see it."""
    party, access, traject, pathway, world, at = scene
    state = replay(pathway, [(each.seq, each.body) for each in log if each.seq != mistaken.seq])
    versions = [
        await earlier(version, readers, world)
        for version in (traject.task, traject.plan, *_changed_request(traject, pathway, state.step))
    ]
    written = [again(body, now, at) for body, now in versions]
    before = json.read(versions[0][0])
    written += without_letter(json.read(traject.task.body), before, traject, pathway, world, at)
    beside = [
        *traject.asides.values(),
        *[
            Version(kind, id_, int(json.read(body)["meta"]["versionId"]), body)
            for kind, id_, body in await world.worklist.resources(readers, traject.id, CAME_ALONG)
            if id_ != traject.request.id
        ],
    ]
    written += await beside_it(beside, mistaken, readers, world, at)
    parties = traject.involved
    step = Step(
        traject=traject.id,
        seq=traject.seq,
        at=at,
        step=state.step,
        counts=state.counts,
        happened=state.happened,
        ended=None,
        dues=running(engine.due(pathway, state), pathway),
        was_until=None,
        task=traject.task.id,
        open_task=traject.task.id,
        event_id=world.new_id(),
        event="hersteld",
        from_step=traject.step,
        happened_at=at,
        event_body=events.StepCorrected(
            corrects=mistaken.seq,
            from_step=traject.step,
            to_step=state.step,
            at=at,
            by=getattr(mistaken.body, "by", ""),
            organisation=party,
            task=traject.task.id,
            task_status=before["status"],
        ),
        priority=how_soon(pathway, state.counts, before.get("priority")),
        access=access,
        organisation=party,
        roles=traject.roles,
        phases=phases_after(pathway, traject.standing, state.step, traject.roles),
        parties=traject.parties,
        involved=parties,
        witnesses=parties,
    )
    finders = finders_of(sights_of(pathway, traject.standing, traject.parties))
    return Correction(step, written, finders)


def _changed_request(traject: Traject, pathway: Pathway, step: str) -> list[Version]:
    """The request, when the mistaken step changed its status."""
    changed = json.read(traject.request.body)["status"] != pathway.steps[step].request
    return [traject.request] if changed else []


async def beside_it(
    beside: list[Version], mistaken: Recorded, readers: Sequence[UUID], world: World, at: datetime
) -> list[NewVersion]:
    """Questions and appointments as they were; one that came with the mistaken step was a mistake itself."""
    changed = [
        each for each in beside if json.read(each.body)["meta"]["lastUpdated"] == instant(mistaken.recorded)
    ]
    asked = [each for each in changed if each.version == 1]
    answered = [await earlier(each, readers, world) for each in changed if each.version > 1]
    return [
        *(
            again(stored_form(each.body, each.id, 1, at, status="entered-in-error"), each, at)
            for each in asked
        ),
        *(again(body, now, at) for body, now in answered),
    ]


async def earlier(version: Version, readers: Sequence[UUID], world: World) -> tuple[bytes, Version]:
    """What stood there before, and what stands there now."""
    body = await world.worklist.earlier(readers, version.type, version.id, version.version - 1)
    if body is None:
        raise LookupError(f"{version.type} has no version before {version.version}")
    return body, version


def again(body: bytes, now: Version, at: datetime) -> NewVersion:
    """The earlier content as the next version."""
    again = stored_form(body, now.id, now.version + 1, at)
    rows, rows_now = rows_of(json.read(again)), rows_of(json.read(now.body))
    return NewVersion(now.type, now.id, now.version + 1, again, rows, rows_now)
