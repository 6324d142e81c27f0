"""A wrong click is undone by a correcting event: everything is as it was before, and the mistake stays on record."""

from datetime import timedelta
from uuid import UUID

from ketenzorg import events
from ketenzorg.coordination.person.elsewhere import is_of_person
from ketenzorg.coordination.person.undone_elsewhere import undone_everywhere
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.correcting import corrected
from ketenzorg.coordination.steps.stepping import TRIES, TaskNow, insist, load, task_now
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Issue, PreconditionFailed, TransitionNotAllowed
from ketenzorg.pathway.words import ITSELF, WITHDRAWN
from ketenzorg.store.trajecten import Traject
from ketenzorg.store.worklist import Recorded

WITHIN = timedelta(hours=24)  # a proposal: later on it is no wrong click any more, but a change of mind


async def undo(task: UUID, seen: int, visit: Visit, world: World) -> TaskNow:
    """Undo the last step of a traject, if this version of the Task is still the last.

    Raises PreconditionFailed when it is not, TransitionNotAllowed when the step was not the caller's, or too long ago.
    """
    for _ in range(TRIES):  # the clock may write in this very moment, and changes nothing that is undone
        undone = await _undo(task, seen, visit, world)
        if undone is not None:
            return undone
    raise Conflict(
        Issue(
            nl="Iemand anders was net eerder. Lees de Task opnieuw.",
            en="Somebody else was just before you. Read the Task again.",
        ),
    )


async def _undo(task: UUID, seen: int, visit: Visit, world: World) -> TaskNow | None:
    """None when another one wrote first, and nothing was stored."""
    traject, pathway = await load(task, visit.access(world, "undo", "Task"), world)
    if traject.task.version != seen:
        raise PreconditionFailed(
            Issue(nl="Er is inmiddels iets veranderd.", en="Something changed in the meantime.")
        )
    rule = await insist("event", traject, pathway, visit, world)
    organisation = visit.caller.organisation
    # The whole log tells where the traject stood; a party may know its last part only.
    log = await world.worklist.events(traject.parties, traject.id)
    mistaken = _mistaken(log, traject, visit, world)
    at = world.now()
    access = visit.access(world, "undo", "Task", rule=f"{rule.id} {pathway.name}|{pathway.version}")
    scene = Scene(organisation, access, traject, pathway, world, at)
    correction = await corrected(mistaken, log, scene, [organisation])
    if is_of_person(mistaken.body) and not getattr(mistaken.body, "elsewhere", False):
        stored = await undone_everywhere(correction, mistaken, visit, world)
    else:
        stored = await world.trajecten.store(*correction)
    if not stored:
        return None
    return task_now(correction.versions[0], at, traject, pathway, visit)


def may_undo(log: list[Recorded], traject: Traject, visit: Visit, world: World) -> bool:
    """Whether the last step is one that this caller can undo now."""
    try:
        _mistaken(log, traject, visit, world)
    except TransitionNotAllowed:
        return False
    return True


def _mistaken(log: list[Recorded], traject: Traject, visit: Visit, world: World) -> Recorded:
    last = next(each for each in reversed(log) if not isinstance(each.body, events.OfNorm))
    if isinstance(last.body, events.StepTaken) and (last.body.chosen or last.body.not_chosen):
        raise TransitionNotAllowed(
            Issue(
                nl="Wie gevraagd was, heeft al gehoord wie het doet: dit is niet te herstellen. U kunt nog intrekken.",
                en="Who was asked has heard who does it: this cannot be undone. The referral can still be withdrawn.",
            ),
        )
    if (
        not isinstance(last.body, events.StepTaken)
        or last.body.by == ITSELF
        or not (last.body.elsewhere or last.body.organisation == visit.caller.organisation)
        or last.body.task != traject.open_task
        or traject.task.version < _FIRST_WITH_A_BEFORE
        or world.now() - last.recorded > WITHIN
        or last.body.reason == WITHDRAWN  # who lost sight does not get it back by a click
    ):
        raise TransitionNotAllowed(
            Issue(
                nl="Alleen uw eigen laatste stap is te herstellen, en binnen 24 uur.",
                en="Only your own last step can be undone, and within 24 hours.",
            ),
        )
    return last


_FIRST_WITH_A_BEFORE = 2
