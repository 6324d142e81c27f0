"""Who died or moved out of the region did so in every traject: those who work in the others are told at once.

A death that a care provider recorded ends them: patient contact stops, and what was planned is called off. All else is
told, and ends nothing: who moved may go on with a treatment across the border, and a team that is no care provider
speaks of its own work only. Who says it learns nothing of the other trajecten, and they nothing of who said it, unless
it takes part there too. The same person is known by the blind index of the BSN, or by the identifier of one practice.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from ketenzorg import events
from ketenzorg.coordination.consent.sharing_on import pathway_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.showing.names import ELSEWHERE
from ketenzorg.coordination.steps.calling_off import called_off_in
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.leaving import WayOut, end_of
from ketenzorg.pathway.region_file import CARE_PROVIDERS
from ketenzorg.pathway.standing import has, roles_of
from ketenzorg.pathway.words import ITSELF
from ketenzorg.referral.codes import output_type
from ketenzorg.store.audit import Access
from ketenzorg.store.consents import Outrun, Shared
from ketenzorg.store.trajecten import FindersOf, NewVersion, Step

OUTPUT = "buiten deze verwijzing"  # of Task.output: what was heard
DIED, MOVED = "deceased", "moved_out_of_region"
HEARD = {  # exit -> what those who work elsewhere are told
    DIED: "Buiten deze verwijzing is vastgelegd dat de patiënt is overleden. Neem geen contact op met de patiënt; ga "
    "na of het klopt, en sluit de verwijzing.",
    MOVED: "Buiten deze verwijzing is vastgelegd dat de patiënt is verhuisd buiten de regio. Ga na of dat hier iets "
    "verandert; zo ja, sluit de verwijzing.",
}


def is_of_person(step: object) -> bool:
    """Whether a step, taken or on record, says something that holds in all trajecten of the person."""
    return getattr(step, "exit", None) in HEARD


async def stored_everywhere(
    taken: StepTaken, step: Step, versions: list[NewVersion], finders: FindersOf, visit: Visit, world: World
) -> bool:
    """Store a step, and with it what follows in the other trajecten of the person. False: somebody was first."""
    try:
        async with world.consents.decide(step.traject, visit.caller.organisation) as (trajecten, store):
            await store(step, versions, finders)
            for shared in trajecten:
                if shared.traject.id != step.traject and shared.traject.ended is None:
                    there = _there(taken.exit, shared, taken.at, visit, world, step.at)
                    await store(there.step, there.versions, there.finders)
    except Outrun:
        return False
    world.bell.ring()
    return True


def scene_of(shared: Shared, visit: Visit, world: World, at: datetime) -> Scene:
    """Another traject, in which nobody is named who has no part there: not as the one who said it, nor in the log.

    Its own log would name the traject to who said it, and the log of the traject would name it. Who may see both
    finds it by the request.
    """
    traject, pathway = shared.traject, pathway_of(shared.traject, world)
    rule = f"takes-part-acts {pathway.name}|{pathway.version}"
    access = visit.access(world, "event", "Task", rule=rule)
    if visit.caller.organisation in traject.involved:
        return Scene(visit.caller.organisation, access, traject, pathway, world, at)
    return Scene(ELSEWHERE, unnamed(access), traject, pathway, world, at)


def unnamed(access: Access) -> Access:
    """The same line without who did it."""
    return replace(
        access, organisation=ELSEWHERE, client=ITSELF, user_id="", responsible="", address="", correlation=""
    )


def _there(
    fact: str, shared: Shared, happened: datetime, visit: Visit, world: World, at: datetime
) -> Planned:
    scene = scene_of(shared, visit, world, at)
    traject = scene.traject
    out = _way_out(fact, scene, visit)
    if out is None:
        return _heard(fact, scene)
    said = Said(event=out.event, by=out.by, at=happened if happened >= traject.started else None)
    plan = planned(said, scene)
    resources = ((each.type, each.id, each.body) for each in shared.resources)
    off = called_off_in(resources, plan.taken, scene)
    body = replace(plan.step.event_body, elsewhere=True)
    step = replace(plan.step, event_body=body, callers=traject.parties)
    return plan._replace(step=step, versions=[*plan.versions, *off])


def _way_out(fact: str, scene: Scene, visit: Visit) -> WayOut | None:
    """How the traject ends by what a care provider knows for certain; None: it is told only."""
    known = scene.world.region.by_id(visit.caller.organisation)
    if fact != DIED or known is None or known.kind not in CARE_PROVIDERS:
        return None
    roles = scene.traject.roles
    others = [role for role in roles if has(role)]
    own = roles_of(visit.caller.organisation, roles)
    return end_of(
        fact,
        scene.step,
        [*own, scene.step.performer, scene.step.requester, *others],
        scene.pathway.steps,
    )


def _heard(fact: str, scene: Scene) -> Planned:
    """Nothing ends: the Task says what was heard, and everybody there has news."""
    word: dict[str, Any] = {"type": output_type(OUTPUT), "valueString": HEARD[fact]}
    plan = planned(Said(event=None, by=ITSELF, added={"output": [word]}), scene)
    task = scene.traject.task.id
    body = events.FactHeard(fact=fact, organisation=scene.organisation, task=task, at=scene.at)
    step = replace(plan.step, event="gehoord", event_body=body, callers=scene.traject.parties)
    return plan._replace(step=step)
