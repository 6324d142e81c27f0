"""A party posts a Task that asks the other side something: which event of the pathway that is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ketenzorg.coordination.choosing.asking_another import asked_too
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES, TaskNow, insist, load, take_event, task_now
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Issue, TransitionNotAllowed
from ketenzorg.pathway.definition import Aside
from ketenzorg.pathway.loaded import Pathway


async def ask_beside(task: UUID, code: str, posted: Mapping[str, Any], visit: Visit, world: World) -> TaskNow:
    """The Task of the question as it was stored. Raises TransitionNotAllowed where the pathway has no such question."""
    traject, pathway = await load(task, visit.access(world, "ask", "Task"), world)
    named = next((each for each in pathway.file.asides.items() if each[1].code == code), None)
    if named is None:
        raise _not_here(pathway)
    name, aside = named
    await take_event(traject.open_task, aside.asks, _given(posted, aside, pathway), None, visit, world, None)
    now, _ = await load(traject.open_task, visit.access(world, "read", "Task"), world)
    opened, _ = await load(now.asides[name].id, visit.access(world, "read", "Task"), world, shown=True)
    return task_now(opened.task, opened.task_updated, opened, pathway, visit)


async def ask_another(task: UUID, _: str, posted: Mapping[str, Any], visit: Visit, world: World) -> TaskNow:
    """One more candidate is asked: its Task. Raises Invalid, Conflict or TransitionNotAllowed."""
    for _try in range(TRIES):
        traject, pathway = await load(task, visit.access(world, "ask", "Task"), world)
        rule = await insist("ask", traject, pathway, visit, world)
        access = visit.access(world, "ask", "Task", rule=f"{rule.id} {pathway.name}|{pathway.version}")
        scene = Scene(visit.caller.organisation, access, traject, pathway, world, world.now())
        shared = await world.consents.of(traject.id, visit.caller.organisation)
        plan = asked_too(posted["owner"], shared, scene)
        if await world.trajecten.store(plan.step, plan.versions, plan.finders):
            return task_now(plan.versions[0], scene.at, traject, pathway, visit)
    raise Conflict(CHANGING)


def _given(posted: Mapping[str, Any], aside: Aside, pathway: Pathway) -> dict[str, str]:
    """What the event needs, from the reason and the inputs of the Task."""
    said = {
        coding["code"]
        for element in ("reasonCode", "statusReason")
        for coding in posted.get(element, {}).get("coding", ())
        if "code" in coding
    }
    words = {
        coding.get("code", ""): each["valueString"]
        for each in posted.get("input", ())
        if "valueString" in each
        for coding in each["type"].get("coding", ())
    }
    needed = {
        name
        for step in pathway.steps.values()
        for move in step.moves
        if move.event == aside.asks
        for name in move.needs
    }
    given = {name: words[name] for name in needed if name in words}
    for name in needed - given.keys():
        given.update((name, code) for code in pathway.file.needs[name].codes if code in said)
    return given


def _not_here(pathway: Pathway) -> TransitionNotAllowed:
    kinds = ", ".join(aside.code for aside in pathway.file.asides.values()) or "niets"
    return TransitionNotAllowed(
        Issue(
            nl=f"Dit zorgpad kent zo’n vraag niet; wel: {kinds}.",
            en=f"This pathway has no such question; it has: {kinds}.",
            expression=("Task.code",),
        )
    )
