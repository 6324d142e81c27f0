"""A wrong practice was named: the one that named it has its part again, and the other sees nothing of it any more."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from ketenzorg import events
from ketenzorg.access.finding import finders_of
from ketenzorg.coordination.consent.sharing_on import pathway_of
from ketenzorg.coordination.consent.withdrawing import taken_back
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.correcting import Correction, again, beside_it, earlier
from ketenzorg.coordination.steps.handing_over import Parties, give, joining
from ketenzorg.coordination.steps.planning import planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway.standing import EARLIER, Standing, phases_after, roles_of
from ketenzorg.pathway.words import ITSELF
from ketenzorg.store.consents import Outrun, Shared
from ketenzorg.store.worklist import Recorded

ONLY_THE_LAST = Issue(
    nl="Dit is niet meer te herstellen: er is al iets mee gedaan, of het is langer dan 24 uur geleden. Bel de praktijk "
    "die u noemde; zij kan zeggen waar de patiënt wel is.",
    en="This cannot be undone any more: something was done with it, or it is over 24 hours ago. Phone the practice "
    "that you named; it can say where the patient is.",
)


def passed_on(log: list[Recorded], organisation: UUID) -> Recorded | None:
    """The event by which an organisation passed its part on, if it is the last that it knows of."""
    acted = [each for each in log if not isinstance(each.body, events.OfNorm)]
    last = acted[-1] if acted else None
    if last and isinstance(last.body, events.PracticeChanged) and last.body.before == organisation:
        return last
    return None


async def undo_practice(traject: UUID, since: datetime, visit: Visit, world: World) -> bool:
    """Undo it in all trajecten that passed on with it, if nothing happened in this one. False: somebody was first.

    `since`: what is older is no wrong click any more. Raises TransitionNotAllowed.
    """
    organisation, at = visit.caller.organisation, world.now()
    try:
        known = await world.consents.of_person(traject, organisation)
        logs = {each.traject.id: await _log(each, world) for each in known}
        mistaken = passed_on(logs[traject], organisation)
        if mistaken is None or mistaken.recorded < since:
            raise TransitionNotAllowed(ONLY_THE_LAST)
        corrections = [
            await _back(shared, last, visit, world, at)
            for shared in known
            if (last := passed_on(logs[shared.traject.id], organisation)) is not None
            and last.recorded == mistaken.recorded
        ]
        async with world.consents.decide(traject, organisation) as (_, store):
            for each in corrections:
                await store(*each)
    except Outrun:
        return False
    world.bell.ring()
    return True


async def _log(shared: Shared, world: World) -> list[Recorded]:
    return await world.worklist.events(shared.traject.parties, shared.traject.id)


async def _back(shared: Shared, mistaken: Recorded, visit: Visit, world: World, at: datetime) -> Correction:
    body = mistaken.body
    assert isinstance(body, events.PracticeChanged)  # noqa: S101  (passed_on)
    assert body.before is not None  # noqa: S101  (passed_on)
    assert body.now is not None  # noqa: S101  (it has one where it has the one before)
    old, new, traject = body.before, body.now, shared.traject
    pathway = pathway_of(traject, world)
    roles = dict(traject.roles)
    for role in roles_of(new, traject.roles):
        if f"{role}{EARLIER}{old}" in roles:
            give(role, old, roles)
            del roles[f"{role}{EARLIER}{new}"]
    if new in roles.values():  # it had a part of its own
        raise TransitionNotAllowed(ONLY_THE_LAST)
    rule = f"takes-part-acts {pathway.name}|{pathway.version}"
    access = visit.access(world, "undo", "Task", rule=rule)
    scene = Scene(old, access, traject, pathway, world, at)
    phases = phases_after(pathway, traject.standing, traject.step, roles)
    involved = tuple(dict.fromkeys(old if each == new else each for each in traject.involved))
    parties = Parties(Standing(traject.step, roles, phases), involved, traject.involved)
    plan = planned(Said(event=None, by=ITSELF), scene)
    versions = [
        again(*await earlier(traject.task, traject.parties, world), at),
        *await beside_it(list(traject.asides.values()), mistaken, traject.parties, world, at),
    ]
    step = replace(
        plan.step,
        event="hersteld",
        event_body=events.StepCorrected(
            corrects=mistaken.seq,
            from_step=traject.step,
            to_step=traject.step,
            at=at,
            by="",
            organisation=old,
            task=traject.task.id,
            task_status=json.read(traject.task.body)["status"],
        ),
        roles=roles,
        phases=phases,
        parties=tuple(dict.fromkeys((*traject.parties, *parties.all))),
        involved=involved,
        witnesses=parties.witnesses,
        joining=tuple(replace(each, after=new) for each in joining(parties, traject, pathway)),
        losing=(),
        leaving=(),
    )
    notice = traject.task.version + 1
    step, versions = taken_back(step, versions, [new], shared, world, at, notice=notice)
    return Correction(step, versions, finders_of(parties.sights(pathway)))
