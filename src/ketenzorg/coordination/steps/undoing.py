"""A wrong click is undone by a correcting event: everything is as it was before, and the mistake stays on record."""

from datetime import datetime, timedelta
from uuid import UUID

from ketenzorg import events
from ketenzorg.access.finding import finders_of, rows_of
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.steps.answering import without_letter
from ketenzorg.coordination.steps.clock import running
from ketenzorg.coordination.steps.stepping import TRIES, TaskNow, insist, load, task_now
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Issue, PreconditionFailed, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from ketenzorg.pathway.standing import phases_after
from ketenzorg.pathway.words import ITSELF, WITHDRAWN
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.trajecten import NewVersion, Step, Traject, Version
from ketenzorg.store.worklist import Recorded

CAME_ALONG = ("Appointment", "ServiceRequest")  # with a step, and are as they were when it is undone
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
    state = replay(pathway, [(each.seq, each.body) for each in log if each.seq != mistaken.seq])
    versions = [
        await _before(version, organisation, world)
        for version in (traject.task, traject.plan, *_changed_request(traject, pathway, state.step))
    ]
    written = [_again(body, now, at) for body, now in versions]
    before = json.read(versions[0][0])
    written += without_letter(json.read(traject.task.body), before, traject, pathway, world, at)
    beside = [
        *traject.asides.values(),
        *[
            Version(kind, id_, int(json.read(body)["meta"]["versionId"]), body)
            for kind, id_, body in await world.worklist.resources(organisation, traject.id, CAME_ALONG)
            if id_ != traject.request.id
        ],
    ]
    written += await _beside(beside, mistaken, organisation, world, at)
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
        task=task,
        open_task=task,
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
            organisation=organisation,
            task=task,
            task_status=before["status"],
        ),
        priority=how_soon(pathway, state.counts, before.get("priority")),
        access=visit.access(world, "undo", "Task", rule=f"{rule.id} {pathway.name}|{pathway.version}"),
        organisation=organisation,
        roles=traject.roles,
        phases=phases_after(pathway, traject.standing, state.step, traject.roles),
        parties=traject.parties,
        involved=parties,
        witnesses=parties,
    )
    finders = finders_of(sights_of(pathway, traject.standing, traject.parties))
    if not await world.trajecten.store(step, written, finders):
        return None
    return task_now(written[0], at, traject, pathway, visit)


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
        or last.body.organisation != visit.caller.organisation
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


def _changed_request(traject: Traject, pathway: Pathway, step: str) -> list[Version]:
    """The request, when the mistaken step changed its status."""
    changed = json.read(traject.request.body)["status"] != pathway.steps[step].request
    return [traject.request] if changed else []


async def _beside(
    beside: list[Version], mistaken: Recorded, organisation: UUID, world: World, at: datetime
) -> list[NewVersion]:
    """Questions and appointments as they were; one that came with the mistaken step was a mistake itself."""
    changed = [
        each for each in beside if json.read(each.body)["meta"]["lastUpdated"] == instant(mistaken.recorded)
    ]
    asked = [each for each in changed if each.version == 1]
    answered = [await _before(each, organisation, world) for each in changed if each.version > 1]
    return [
        *(
            _again(stored_form(each.body, each.id, 1, at, status="entered-in-error"), each, at)
            for each in asked
        ),
        *(_again(body, now, at) for body, now in answered),
    ]


async def _before(version: Version, organisation: UUID, world: World) -> tuple[bytes, Version]:
    body = await world.worklist.earlier(organisation, version.type, version.id, version.version - 1)
    if body is None:
        raise LookupError(f"{version.type} has no version before {version.version}")
    return body, version


def _again(body: bytes, now: Version, at: datetime) -> NewVersion:
    """The earlier content as the next version."""
    again = stored_form(body, now.id, now.version + 1, at)
    rows, rows_now = rows_of(json.read(again)), rows_of(json.read(now.body))
    return NewVersion(now.type, now.id, now.version + 1, again, rows, rows_now)
