"""A death or a move that was a wrong click is undone in the other trajecten of the person too."""

from datetime import datetime

from msgspec.structs import replace

from ketenzorg import events
from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.person.elsewhere import OUTPUT, scene_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.correcting import Correction, corrected
from ketenzorg.coordination.steps.planning import planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json
from ketenzorg.pathway.words import ITSELF
from ketenzorg.referral.codes import output_type
from ketenzorg.store.consents import Outrun, Shared
from ketenzorg.store.trajecten import NewVersion
from ketenzorg.store.worklist import Recorded


async def undone_everywhere(own: Correction, mistaken: Recorded, visit: Visit, world: World) -> bool:
    """Store a correction, and those of what followed from the same click. False: somebody was first."""
    traject, organisation = own.step.traject, visit.caller.organisation
    try:
        known = await world.consents.of_person(traject, organisation)
        others = [each for each in known if each.traject.id != traject]
        corrections = [
            each
            for shared in others
            if (each := await _undone(shared, mistaken, visit, world, own.step.at)) is not None
        ]
        async with world.consents.decide(traject, organisation) as (_, store):
            for each in (own, *corrections):
                await store(*each)
    except Outrun:
        return False
    world.bell.ring()
    return True


async def _undone(
    shared: Shared, mistaken: Recorded, visit: Visit, world: World, at: datetime
) -> Correction | None:
    """What followed from the click in another traject, undone; None where nothing did, or it was put right there."""
    scene = scene_of(shared, visit, world, at)
    traject = scene.traject
    log = await world.worklist.events(traject.parties, traject.id)
    # What is stored together has one moment, and no other step of the same person has it.
    followed = next((each for each in log if each.recorded == mistaken.recorded), None)
    if followed is None:
        return None
    if isinstance(followed.body, events.FactHeard):
        return _not_so(followed.body, scene)
    last = next(each for each in reversed(log) if not isinstance(each.body, events.OfNorm))
    if last.seq != followed.seq:
        return None
    correction = await corrected(followed, log, scene, traject.parties)
    return correction._replace(step=replace(correction.step, callers=traject.parties))


def _not_so(heard: events.FactHeard, scene: Scene) -> Correction:
    """The Task says it no more, and everybody there has news."""
    plan = planned(Said(event=None, by=ITSELF), scene)
    task_id, at = scene.traject.task.id, scene.at
    body = replace(heard, organisation=scene.organisation, task=task_id, at=at, mistaken=True)
    step = replace(plan.step, event="niet zo", event_body=body, callers=scene.traject.parties)
    task, *others = plan.versions
    return Correction(step, [_without_output(task), *others], plan.finders)


def _without_output(task: NewVersion) -> NewVersion:
    body = json.read(task.body)
    left = [each for each in body.get("output", ()) if each.get("type") != output_type(OUTPUT)]
    body["output"] = left
    written = json.write({name: value for name, value in body.items() if value != []})
    return replace(task, body=written, rows=rows_of(json.read(written)))
