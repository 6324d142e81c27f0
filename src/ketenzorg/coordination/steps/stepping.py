"""A party says what happened: the pathway decides whether it may, and everything that follows is stored together."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.parts import part_of
from ketenzorg.access.rules import Rule, rule_for
from ketenzorg.access.views import shown, sight_of
from ketenzorg.coordination.choosing.candidates import (
    answers_now,
    candidate_of,
    for_requester,
    is_asked,
    may_claim,
)
from ketenzorg.coordination.choosing.choosing import TAKEN, claimed, names, said_of_candidate
from ketenzorg.coordination.choosing.sending_on import opened, with_weighed
from ketenzorg.coordination.consent.under_consent import under_consent
from ketenzorg.coordination.person.elsewhere import is_of_person, stored_everywhere
from ketenzorg.coordination.person.practice import practice_options
from ketenzorg.coordination.scene import Scene, state_of
from ketenzorg.coordination.steps.asides import aside_of, not_asked
from ketenzorg.coordination.steps.calling_off import with_called_off
from ketenzorg.coordination.steps.changes import changes, refuse_cut
from ketenzorg.coordination.steps.handing_over import can_happen
from ketenzorg.coordination.steps.meaning import meant, role_for
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import NewProposal, Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import (
    Conflict,
    Issue,
    NotFound,
    PreconditionFailed,
    TransitionNotAllowed,
)
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.definition import Aside
from ketenzorg.pathway.engine import Option
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import Standing, asked_in, roles_of
from ketenzorg.referral.aside_task import is_open
from ketenzorg.referral.coordination_task import withdrawn_task
from ketenzorg.referral.intake import Named
from ketenzorg.store.audit import REFUSED, Access, Interaction
from ketenzorg.store.consents import Outrun
from ketenzorg.store.trajecten import NewVersion, Traject, Version

TRIES = 3  # two parties may act at one moment; the second sees the first's step and is judged again
CHANGING = Issue(
    nl="Er wordt op dit moment door anderen aan deze Task gewerkt. Lees hem opnieuw en probeer het nog eens.",
    en="Others are working on this Task at this moment. Read it again and try once more.",
)


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
    proposal: NewProposal | None = None,
    *,
    open_: bool = False,
) -> TaskNow:
    """Record a named event of the pathway. Raises TransitionNotAllowed naming what is allowed, and to whom.

    `performer`: who gets the hand-over that the event begins; by default who had that role, else the nearest.
    `open_`: nobody yet; it is for who claims it.
    `proposal`: what is proposed instead, where the event does that; by default its words alone.
    """

    def judge(traject: Traject, pathway: Pathway, roles: list[str], _: Rule) -> Said:
        by = role_for(event, traject, pathway, roles)
        return Said(
            event=event, by=by, given=given, at=at, performer=performer, open=open_, proposal=proposal
        )

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
        if may_claim(visit.caller.organisation, traject) and names(after.get("owner"), visit, world):
            del after["owner"]  # who claims a Task makes itself its owner
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
    if is_asked(look.organisation, traject):
        return traject, pathway, answers_now(traject, pathway)
    if candidate_of(task, traject) and look.organisation in traject.involved:
        return traject, pathway, for_requester(traject, pathway)
    beside = aside_of(task, traject, pathway)
    if look.organisation not in traject.involved or (beside is None and traject.open_task != task):
        return traject, pathway, []
    declines = not_asked(traject, pathway)
    options = [
        each
        for each in engine.allowed(pathway, state_of(traject))
        if each.event not in declines and can_happen(each, traject, pathway, world)
    ]
    if beside is not None:
        aside, version = beside
        expected = (aside.yes, aside.no) if is_open(version.body) else ()
        options = [each for each in options if each.event in expected]
    if beside is None:
        options += practice_options(traject, pathway, world)
    return traject, pathway, options


async def _act(
    task: UUID, does: Interaction, judge: Judge, visit: Visit, world: World, if_match: int | None
) -> TaskNow:
    for _ in range(TRIES):
        traject, pathway = await _to_change(task, does, visit, world)
        if if_match is not None and if_match != traject.task.version:
            raise stale(traject)
        organisation = visit.caller.organisation
        of_candidate = _still_asked(task, traject, organisation)
        if traject.open_task != task and not of_candidate:
            beside = aside_of(task, traject, pathway)
            if beside is None or not is_open(beside[1].body):
                raise _not_selectable() if candidate_of(task, traject) else _over(traject, visit)
            return await _act_beside(beside[0], does, judge, traject, pathway, visit, world)
        rule = await insist(does, traject, pathway, visit, world)
        said = judge(traject, pathway, _speaks_as(organisation, traject, pathway), rule)
        if said is None:
            await world.audit.note(visit.access(world, "read", "Task"), f"Task/{task}", [traject.id])
            return task_now(traject.task, traject.task_updated, traject, pathway, visit)
        at = world.now()
        by = f"{rule.id} {pathway.name}|{pathway.version} {said.by}"
        scene = Scene(organisation, visit.access(world, does, "Task", rule=by), traject, pathway, world, at)
        if may_claim(organisation, traject):
            said = claimed(said, scene)
        try:
            plan = await _plan(said, scene, of_candidate=of_candidate)
            plan = await with_called_off(plan, scene)
            step, versions = await under_consent(plan, scene)
        except Outrun:  # another claimed it since it was read
            continue
        if plan.taken is not None and is_of_person(plan.taken):
            stored = await stored_everywhere(plan.taken, step, versions, plan.finders, visit, world)
        else:
            stored = await world.trajecten.store(step, versions, plan.finders)
        if stored:
            if step.consent and organisation in step.consent.withdrawn:
                return TaskNow(withdrawn_task(task, versions[0].version, at), versions[0].version, at)
            after = Standing(step.step, step.roles, step.phases) if asked_in(traject.roles) else None
            return task_now(versions[0], at, traject, pathway, visit, after)
    raise Conflict(CHANGING)


async def _plan(said: Said, scene: Scene, *, of_candidate: bool) -> Planned:
    if of_candidate:
        return said_of_candidate(said, scene)
    if not said.open:
        return planned(said, scene)
    shared = await scene.world.consents.of(scene.traject.id, scene.organisation)
    return with_weighed(planned(opened(said, shared, scene), scene), shared)


async def _to_change(task: UUID, does: Interaction, visit: Visit, world: World) -> tuple[Traject, Pathway]:
    """The traject of a Task. Raises Conflict for who could have claimed it and was not the first."""
    try:
        return await load(task, visit.access(world, does, "Task"), world)
    except NotFound:
        if await world.trajecten.was_open(task, visit.caller.organisation):
            raise Conflict(TAKEN) from None
        raise


def _still_asked(task: UUID, traject: Traject, organisation: UUID) -> bool:
    """Whether this is the Task of a candidate about which this organisation has something to say."""
    candidate = candidate_of(task, traject)
    return (
        candidate is not None
        and candidate in asked_in(traject.roles)
        and (candidate == organisation or organisation in traject.involved)
    )


def _speaks_as(organisation: UUID, traject: Traject, pathway: Pathway) -> list[str]:
    """The roles in which an organisation acts; who is asked speaks as the one that would perform it."""
    if is_asked(organisation, traject):
        return [pathway.steps[traject.step].performer]
    return roles_of(organisation, traject.roles)


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
    version: Version | NewVersion,
    updated: datetime,
    traject: Traject,
    pathway: Pathway,
    visit: Visit,
    standing: Standing | None = None,
) -> TaskNow:
    """A version of the Task as the caller sees it."""
    sight = sight_of(pathway, visit.caller.organisation, standing or traject.standing)
    return TaskNow(shown(version.body, "Task", sight, {}), version.version, updated)


def stale(traject: Traject) -> PreconditionFailed:
    """What is said to who had an earlier version."""
    return PreconditionFailed(
        Issue(
            nl=f"Uw versie is niet meer de laatste; dat is versie {traject.task.version}. Lees de Task opnieuw.",
            en=f"Your version is no longer the latest; that is {traject.task.version}. Read the Task again.",
        ),
    )


def _not_selectable() -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl="Deze organisatie zei dat zij het niet kan doen, of wordt niet meer gevraagd. Kies een ander.",
            en="This organisation said that it cannot do it, or is asked no more. Select another, or ask one more.",
        )
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
