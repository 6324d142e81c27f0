"""A party says what happened: the pathway decides whether it may, and everything that follows is stored together."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of
from ketenzorg.access.parts import part_of
from ketenzorg.access.personal_numbers import holds_number
from ketenzorg.access.rules import Rule, rule_for
from ketenzorg.access.views import shown, sight_of
from ketenzorg.coordination.answering import who_reads_letters, with_letter
from ketenzorg.coordination.asides import aside_of, asides_after
from ketenzorg.coordination.changes import changes, refuse_cut
from ketenzorg.coordination.clock import running, soonest
from ketenzorg.coordination.handing_over import (
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
from ketenzorg.coordination.meaning import meant, role_for, state_of
from ketenzorg.coordination.urgency import how_soon
from ketenzorg.coordination.versions import Said, next_versions
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import (
    Conflict,
    Invalid,
    Issue,
    NotFound,
    PreconditionFailed,
    TransitionNotAllowed,
)
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.definition import Aside
from ketenzorg.pathway.engine import Option, StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import roles_of
from ketenzorg.referral.aside_task import is_open
from ketenzorg.referral.intake import Named
from ketenzorg.store.audit import REFUSED, Access, Interaction
from ketenzorg.store.trajecten import FindersOf, NewVersion, Step, Traject, Version

TRIES = 3  # two parties may act at one moment; the second sees the first's step and is judged again
CHANGING = Issue(
    nl="Er wordt op dit moment door anderen aan deze Task gewerkt. Lees hem opnieuw en probeer het nog eens.",
    en="Others are working on this Task at this moment. Read it again and try once more.",
)
CLOCKS_DIFFER = timedelta(minutes=5)


class TaskNow(msgspec.Struct, frozen=True):
    """A Task as its reader sees it."""

    body: bytes
    version: int
    updated: datetime


Judge = Callable[[Traject, Pathway, list[str], Rule], Said | None]


async def take_event(
    task: UUID,
    event: str,
    given: Mapping[str, str],
    at: datetime | None,
    visit: Visit,
    world: World,
    if_match: int | None,
    performer: Named | None = None,
) -> TaskNow:
    """Record a named event of the pathway. Raises TransitionNotAllowed naming what is allowed, and to whom.

    `performer`: who gets the hand-over that the event begins; by default who had that role, else the nearest.
    """

    def judge(traject: Traject, pathway: Pathway, roles: list[str], _: Rule) -> Said:
        by = role_for(event, traject, pathway, roles)
        return Said(event=event, by=by, given=given, at=at, performer=performer)

    return await _act(task, "event", judge, visit, world, if_match)


async def write_task(
    task: UUID,
    does: Interaction,
    edit: Callable[[dict[str, Any]], dict[str, Any]],
    visit: Visit,
    world: World,
    if_match: int | None,
) -> TaskNow:
    """Take a changed Task: what changed in it says which event is meant. `edit` makes the new from the shown one."""

    def judge(traject: Traject, pathway: Pathway, roles: list[str], rule: Rule) -> Said | None:
        sight = sight_of(pathway, visit.caller.organisation, traject.standing)
        seen = shown(traject.task.body, "Task", sight, {})
        before, after = json.read(seen), edit(json.read(seen))
        if rule.shows == "whole":
            refuse_cut(before, after, sight)
        change = changes(before, after, sight)
        return meant(change, traject, pathway, roles) if change else None

    return await _act(task, does, judge, visit, world, if_match)


async def what_may_happen(task: UUID, look: Access, world: World) -> tuple[Traject, Pathway, list[Option]]:
    """The allowed next events of a Task, for every role; none when its hand-over is over, or the caller's part.

    The look is on record.
    """
    traject, pathway = await load(task, look, world, shown=True)
    beside = aside_of(task, traject, pathway)
    if look.organisation not in traject.involved or (beside is None and traject.open_task != task):
        return traject, pathway, []
    options = engine.allowed(pathway, state_of(traject))
    if beside is not None:
        aside, version = beside
        answers = (aside.yes, aside.no) if is_open(version.body) else ()
        options = [each for each in options if each.event in answers]
    return traject, pathway, options


async def _act(
    task: UUID, does: Interaction, judge: Judge, visit: Visit, world: World, if_match: int | None
) -> TaskNow:
    for _ in range(TRIES):
        traject, pathway = await load(task, visit.access(world, does, "Task"), world)
        if if_match is not None and if_match != traject.task.version:
            raise _stale(traject)
        if traject.open_task != task:
            beside = aside_of(task, traject, pathway)
            if beside is None or not is_open(beside[1].body):
                raise _over(traject, visit)
            return await _act_beside(beside[0], does, judge, traject, pathway, visit, world)
        rule = await insist(does, traject, pathway, visit, world)
        roles = roles_of(visit.caller.organisation, traject.roles)
        said = judge(traject, pathway, roles, rule)
        if said is None:
            await world.audit.note(visit.access(world, "read", "Task"), f"Task/{task}", [traject.id])
            return task_now(traject.task, traject.task_updated, traject, pathway, visit)
        at = world.now()
        step, versions, finders = _step(said, does, rule, traject, pathway, visit, world, at)
        if await world.trajecten.store(step, versions, finders):
            return task_now(versions[0], at, traject, pathway, visit)
    raise Conflict(CHANGING)


async def _act_beside(
    aside: Aside,
    does: Interaction,
    judge: Judge,
    traject: Traject,
    pathway: Pathway,
    visit: Visit,
    world: World,
) -> TaskNow:
    """What is said on the Task of a question is an event of the hand-over beside which it was asked."""
    rule = await insist(does, traject, pathway, visit, world)
    said = judge(traject, pathway, roles_of(visit.caller.organisation, traject.roles), rule)
    if said is not None:
        await _act(traject.open_task, does, lambda *_: said, visit, world, None)
    now, pathway = await load(traject.task.id, visit.access(world, "read", "Task"), world, shown=True)
    return task_now(now.task, now.task_updated, now, pathway, visit)


async def load(task: UUID, access: Access, world: World, *, shown: bool = False) -> tuple[Traject, Pathway]:
    """The traject of a Task and the pathway version that it runs on. Raises NotFound, also for who has no part."""
    traject = await world.trajecten.of_task(task, access, shown=shown)
    if traject is None:
        raise _not_there()
    pathway = world.catalogue.version(traject.pathway, traject.version)
    return traject, pathway.in_municipality(traject.municipality)


async def insist(does: Interaction, traject: Traject, pathway: Pathway, visit: Visit, world: World) -> Rule:
    """The rule that lets the caller do this with the Task. Raises NotFound where none does, and that is on record."""
    try:
        return rule_of(does, "Task", traject, pathway, visit)
    except NotFound:
        refused = visit.access(world, does, "Task")
        await world.audit.note(refused, f"Task/{traject.task.id}", [traject.id], REFUSED)
        raise


def takes_part(traject: Traject, visit: Visit) -> bool:
    """Whether the caller is in the hand-over that runs now, and so knows where the traject stands."""
    return visit.caller.organisation in traject.involved


def rule_of(does: str, kind: str, traject: Traject, pathway: Pathway, visit: Visit) -> Rule:
    """The rule that lets the caller do this in a traject. Raises NotFound where none does."""
    part = part_of(visit.caller.organisation, pathway, traject.step, traject.roles, traject.involved)
    rule = rule_for(does, kind, part, phase="ended" if traject.ended else "running")
    if rule is None:
        raise _not_there()
    return rule


def _not_there() -> NotFound:
    return NotFound(Issue(nl="Deze Task is er niet, of niet voor u.", en="No such Task, or not for you."))


def task_now(
    version: Version | NewVersion, updated: datetime, traject: Traject, pathway: Pathway, visit: Visit
) -> TaskNow:
    """A version of the Task as the caller sees it."""
    sight = sight_of(pathway, visit.caller.organisation, traject.standing)
    return TaskNow(shown(version.body, "Task", sight, {}), version.version, updated)


def _step(
    said: Said,
    does: Interaction,
    rule: Rule,
    traject: Traject,
    pathway: Pathway,
    visit: Visit,
    world: World,
    at: datetime,
) -> tuple[Step, list[NewVersion], FindersOf]:
    """Everything that is stored for what was said; the first version is that of the Task."""
    happened = _happened(said, traject, at)
    _refuse_numbers(said)
    if said.event is None:
        taken = None
        state, ended = state_of(traject), traject.ended
    else:
        taken = engine.advance(pathway, state_of(traject), said.event, said.by, happened, said.given)
        state, ended = taken.state, happened if taken.ends else None
    wanted = Wanted(said.performer, capability_in(said.given, pathway) if taken else "")
    parties = parties_after(taken, traject, pathway, wanted, visit.caller.organisation, world)
    dues = engine.due(pathway, state)
    versions = next_versions(said, taken, traject, parties, pathway, world, soonest(dues), at)
    if taken is not None:
        versions = with_letter(
            versions, taken, traject, parties, pathway, visit.caller.organisation, world, at
        )
    task, *begun = [each for each in versions if each.type == "Task"]
    open_now = begun[0] if begun else task
    aside = asides_after(said, taken, traject, pathway, world, at) if taken is not None else None
    versions += aside.versions if aside else []
    sights = parties.sights(pathway)
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
        event_body=_event(said, taken, pathway, visit, task.id, parties, open_now.id, happened),
        priority=how_soon(pathway, state.counts, json.read(open_now.body).get("priority")),
        access=visit.access(
            world, does, "Task", rule=f"{rule.id} {pathway.name}|{pathway.version} {said.by}"
        ),
        organisation=visit.caller.organisation,
        roles=dict(parties.roles),
        phases=dict(parties.standing.phases),
        parties=tuple(dict.fromkeys((*traject.parties, *parties.all))),
        involved=parties.involved,
        witnesses=parties.witnesses,
        asides=aside.named if aside else msgspec.UNSET,
        seen_by={"Task": seen_by("Task", parties, pathway)} | who_reads_letters(parties, pathway),
        joining=joining(parties, traject, pathway),
        losing=losing(parties, traject, pathway),
        leaving=leaving(parties),
        found_by=found_by(traject, versions, sights) if sees_otherwise(parties, traject, pathway) else (),
    )
    return step, versions, finders_of(sights)


def _refuse_numbers(said: Said) -> None:
    """What people type goes to the other side as it is: a BSN does not belong in it."""
    words = json.write([*said.given.values(), said.added])
    if holds_number(words.decode()):
        raise Invalid(
            Issue(
                nl="In deze tekst staat een BSN. Laat het weg: de ander weet om wie het gaat.",
                en="This text holds a BSN. Leave it out: the other side knows whom it is about.",
                code="value",
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
    visit: Visit,
    task: UUID,
    parties: Parties,
    open_now: UUID,
    happened: datetime,
) -> events.Event:
    organisation = visit.caller.organisation
    if taken is None:
        return events.TaskAmended(by=said.by, organisation=organisation, task=task, at=happened)
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
        outputs=taken.output,
        new_task=open_now if taken.new_task else None,
        handed_to=parties.roles[taken.performer] if taken.new_task else None,
    )


def _stale(traject: Traject) -> PreconditionFailed:
    return PreconditionFailed(
        Issue(
            nl=f"Uw versie is niet meer de laatste; dat is versie {traject.task.version}. Lees de Task opnieuw.",
            en=f"Your version is no longer the latest; that is {traject.task.version}. Read the Task again.",
        ),
    )


def _over(traject: Traject, visit: Visit) -> TransitionNotAllowed:
    """Who took part earlier does not hear where it goes on."""
    follows = takes_part(traject, visit)
    return TransitionNotAllowed(
        Issue(
            nl="Deze overdracht is voorbij"
            + (f"; het traject gaat verder met Task/{traject.open_task}." if follows else "."),
            en="This hand-over is over"
            + (f"; the traject goes on with Task/{traject.open_task}." if follows else "."),
        ),
    )
