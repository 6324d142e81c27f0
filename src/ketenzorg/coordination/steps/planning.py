"""What follows from what a party said: the step with everything that is stored together with it."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of
from ketenzorg.access.personal_numbers import holds_number
from ketenzorg.coordination.choosing.candidates import (
    closed,
    keep_sight,
    may_claim_from_now,
    selected,
    settled,
    without_candidates,
)
from ketenzorg.coordination.choosing.candidates import losing as not_chosen_lose
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.answering import KINDS, who_reads, with_letter
from ketenzorg.coordination.steps.asides import Asides, asides_after
from ketenzorg.coordination.steps.clock import running, soonest
from ketenzorg.coordination.steps.handing_over import (
    Parties,
    Wanted,
    capability_in,
    found_by,
    joining,
    leaving,
    losing,
    parties_after,
    seen_by,
    sees_otherwise,
)
from ketenzorg.coordination.steps.progress import names_of
from ketenzorg.coordination.steps.proposing import with_proposal
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.steps.versions import Said, next_versions
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.trajecten import FindersOf, NewVersion, Step, Traject

WRITTEN = (*KINDS, "ServiceRequest")  # for those who take part before or after the step: letters, proposals
CLOCKS_DIFFER = timedelta(minutes=5)


class Planned(NamedTuple):
    """Everything that is stored for what was said; the first version is that of the Task."""

    step: Step
    versions: list[NewVersion]
    finders: FindersOf
    taken: StepTaken | None
    parties: Parties


def planned(said: Said, scene: Scene) -> Planned:
    """What an organisation says, as a step to store. Raises TransitionNotAllowed or Invalid."""
    organisation, access, traject, pathway, world, at = scene
    happened = _happened(said, traject, at)
    refuse_numbers(said)
    if said.event is None:
        taken = None
        state, ended = scene.state, traject.ended
    else:
        taken = engine.advance(pathway, scene.state, said.event, said.by, happened, said.given)
        state, ended = taken.state, happened if taken.ends else None
    asked, (roles, lost, done) = traject, settled(traject, pathway, taken, said.chosen)
    traject = msgspec.structs.replace(traject, roles=roles)
    scene = scene._replace(traject=traject)
    wanted = Wanted(said.performer, capability_in(said.given, pathway) if taken else "", said.pool)
    parties = parties_after(taken, wanted, scene)
    dues = engine.due(pathway, state)
    versions = next_versions(said, taken, parties, soonest(dues), scene)
    if taken is not None:
        versions = with_proposal(versions, said, taken, scene)
        versions = with_letter(versions, taken, parties, scene)
    task, *begun = [each for each in versions if each.type == "Task"]
    open_now = begun[0] if begun else task
    if said.chosen:
        versions[0] = task = selected(task, asked, said.chosen)
        open_now = task
    aside = asides_after(said, taken, scene) if taken is not None else None
    versions += aside.versions if aside else []
    versions += closed(asked, lost, said.chosen, at)
    sights, by_task = parties.sights(pathway), seen_by("Task", parties, pathway)
    step = Step(
        traject=traject.id,
        seq=traject.seq,
        at=at,
        step=state.step,
        counts=state.counts,
        happened=state.happened,
        ended=ended,
        dues=running(dues, pathway),
        was_until=happened,
        task=task.id,
        open_task=open_now.id,
        event_id=world.new_id(),
        event=said.event or "aanvulling",
        from_step=traject.step,
        happened_at=happened,
        event_body=_event(said, taken, pathway, organisation, task.id, parties, open_now.id, happened, lost),
        priority=how_soon(pathway, state.counts, json.read(open_now.body).get("priority")),
        access=access,
        organisation=organisation,
        roles=dict(parties.roles),
        phases=dict(parties.standing.phases),
        parties=tuple(dict.fromkeys((*keep_sight(asked, lost), *parties.all))),
        involved=parties.involved,
        witnesses=parties.witnesses,
        asides=_asides(aside, done=done),
        seen_by={"Task": by_task, str(open_now.id): (*by_task, *said.pool)}
        | who_reads(WRITTEN, parties, pathway),
        joining=(*joining(parties, traject, pathway), *may_claim_from_now(said.pool)),
        listeners=(*lost, *said.pool),
        losing=(*losing(parties, traject, pathway), *not_chosen_lose(asked, lost)),
        leaving=leaving(parties),
        found_by=found_by(traject, versions, sights, [traject.task] if lost else ())
        if lost or sees_otherwise(parties, traject, pathway)
        else (),
    )
    return Planned(step, versions, finders_of(sights), taken, parties)


def _asides(aside: Asides | None, *, done: bool) -> dict[str, UUID] | msgspec.UnsetType:
    """Those after the step; unset: as they were."""
    if aside is None:
        return msgspec.UNSET
    return without_candidates(aside.named) if done else aside.named


def refuse_numbers(said: Said) -> None:
    """What people type goes to the other side as it is: a BSN does not belong in it. Raises Invalid."""
    words = json.write([*said.given.values(), said.added])
    if holds_number(words.decode()):
        raise Invalid(
            Issue(
                nl="In deze tekst staat een BSN. Laat het weg: de ander weet om wie het gaat.",
                en="This text holds a BSN. Leave it out: the other side knows whom it is about.",
                code="value",
                kind="personal-number",
            ),
        )


def _happened(said: Said, traject: Traject, at: datetime) -> datetime:
    if said.at is None:
        return at
    if not traject.started <= said.at <= at + CLOCKS_DIFFER:
        raise Invalid(
            Issue(
                nl="‘at’ ligt in de toekomst, of voor het begin van het traject.",
                en="'at' is in the future, or before the traject began.",
                expression=("Parameters.parameter.where(name='at')",),
                code="value",
            ),
        )
    return min(said.at, at)


def _event(
    said: Said,
    taken: StepTaken | None,
    pathway: Pathway,
    organisation: UUID,
    task: UUID,
    parties: Parties,
    open_now: UUID,
    happened: datetime,
    lost: tuple[UUID, ...],
) -> events.Event:
    if taken is None:
        return events.TaskAmended(
            by=said.by, organisation=organisation, task=task, at=happened, outputs=names_of(said.added)
        )
    coded = {name: value for name, value in said.given.items() if pathway.file.needs[name].codes}
    return events.StepTaken(
        event=taken.event,
        from_step=taken.from_step,
        to_step=taken.to_step,
        at=happened,
        by=taken.by,
        organisation=organisation,
        task=task,
        task_status=taken.task,
        reason=taken.reason.code if taken.reason else None,
        exit=taken.exit or None,
        codes=coded,
        outputs=(*names_of(said.added), *taken.output),
        new_task=open_now if taken.new_task else None,
        handed_to=parties.roles.get(taken.performer) if taken.new_task else None,
        asked=said.pool,
        chosen=said.chosen,
        not_chosen=lost,
    )
