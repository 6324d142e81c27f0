"""Somebody says that the patient has another practice; the one that has the patient says which, for all trajecten."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from ketenzorg.coordination.consent.consenting import weighed
from ketenzorg.coordination.consent.sharing_on import NO_ROWS, pathway_of, sharing_in
from ketenzorg.coordination.person.practice import (
    AGREED,
    NAME,
    PASSED,
    UNKNOWN,
    passed,
    practice_options,
    practices,
    unknown,
)
from ketenzorg.coordination.receiving.naming import organisation_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import ORGANISATION, seen_by
from ketenzorg.coordination.steps.planning import Planned
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES, TaskNow, insist, load, stale, task_now
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue, TransitionNotAllowed
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import roles_of
from ketenzorg.referral.intake import Named
from ketenzorg.store.consents import Outrun, Shared
from ketenzorg.store.trajecten import ConsentChange, NewVersion

LONGEST_NAME = 200  # characters of the name of a practice


async def change_practice(
    task: UUID,
    event: str,
    given: Mapping[str, str],
    at: datetime | None,
    visit: Visit,
    world: World,
    if_match: int | None,
    named: Named | None,
) -> TaskNow:
    """Record it. Raises TransitionNotAllowed for who may not say this, Invalid for what is missing or not known."""
    for _ in range(TRIES):
        traject, pathway = await load(task, visit.access(world, "event", "Task"), world)
        if if_match is not None and if_match != traject.task.version:
            raise stale(traject)
        rule = await insist("event", traject, pathway, visit, world)
        organisation, now = visit.caller.organisation, world.now()
        roles = roles_of(organisation, traject.roles)
        option = next(
            (each for each in practice_options(traject, pathway, world) if each.event == event), None
        )
        by = next((role for role in roles if option and role in option.by), None)
        if by is None or traject.open_task != task:
            raise _not_yours()
        access = visit.access(world, "event", "Task", rule=f"{rule.id} {pathway.name}|{pathway.version} {by}")
        scene = Scene(organisation, access, traject, pathway, world, now)
        said = Said(event=None, by=by, at=at)
        if event == UNKNOWN:
            plan = unknown(_name(given, named), said, scene)
            stored = await world.trajecten.store(plan.step, plan.versions, plan.finders)
        else:
            practice = _wanted(given, named, option.needs if option else (), scene)
            plan, stored = await _everywhere(practice, said, given, scene, visit)
        if stored:
            return task_now(plan.versions[0], now, traject, pathway, visit)
    raise Conflict(CHANGING)


async def _everywhere(
    practice: Organisation, said: Said, given: Mapping[str, str], scene: Scene, visit: Visit
) -> tuple[Planned, bool]:
    """In all running trajecten of the person in which the practice that speaks has a part."""
    world, organisation = scene.world, scene.organisation
    own = passed(
        practice.id, said, given, (), scene
    )  # what is wrong with it is told before anything is locked
    try:
        async with world.consents.decide(scene.traject.id, organisation) as (trajecten, store):
            for shared in trajecten:
                here = shared.traject.id == scene.traject.id
                if shared.traject.ended is not None or not roles_of(organisation, shared.traject.roles):
                    continue
                if here and shared.traject.seq != scene.traject.seq:
                    return own, False
                plan = _in_one(practice, said, given, shared, scene, visit)
                await store(plan.step, plan.versions, plan.finders)
                own = plan if here else own
    except Outrun:
        return own, False
    world.bell.ring()
    return own, True


def _in_one(
    practice: Organisation, said: Said, given: Mapping[str, str], shared: Shared, scene: Scene, visit: Visit
) -> Planned:
    """With the Consent under which the new practice takes part. Raises Invalid where the patient objects to that."""
    traject, world = shared.traject, scene.world
    pathway = pathway_of(traject, world)
    roles = roles_of(scene.organisation, traject.roles)
    access = scene.access
    if traject.id != scene.traject.id:
        rule = f"takes-part-acts {pathway.name}|{pathway.version} {roles[0]}"
        access = visit.access(world, "event", "Task", rule=rule)
        at = said.at if said.at is None or said.at >= traject.started else None
        said = replace(said, by=roles[0], at=at)
    sharing = sharing_in(shared, world, scene.at, shared.objections)
    recorded, issues = weighed(dict.fromkeys(roles, practice.id), sharing, world)
    if issues:
        raise Invalid(*issues)
    tasks = tuple(each for each in shared.resources if each.type == "Task")
    there = Scene(scene.organisation, access, traject, pathway, world, scene.at)
    plan = passed(practice.id, said, given, tasks, there)
    consents = [NewVersion("Consent", id_, 1, body, NO_ROWS) for id_, body in recorded.made]
    change = ConsentChange(
        granted=recorded.of, weighed=tuple(each.id for each in shared.objections if each.id)
    )
    readers = seen_by("Consent", plan.parties, pathway)
    step = replace(plan.step, consent=change, seen_by=plan.step.seen_by | {"Consent": readers})
    return plan._replace(step=step, versions=[*plan.versions, *consents])


def _wanted(
    given: Mapping[str, str], named: Named | None, needs: tuple[str, ...], scene: Scene
) -> Organisation:
    """The practice that is named, with who chose. Raises Invalid with all that is missing or wrong."""
    issues = [
        Issue(
            nl=f"‘{name}’ is nodig: {scene.pathway.file.needs[name].ask} Een van: {codes}.",
            en=f"'{name}' is needed, one of: {codes}.",
            expression=(name,),
            code="required",
        )
        for name in needs
        for codes in [", ".join(scene.pathway.file.needs[name].codes)]
        if given.get(name) not in scene.pathway.file.needs[name].codes
    ]
    issues += [_takes_only(name, needs) for name in given if name not in needs]
    practice = organisation_of(named, scene.world.region) if named else None
    known = practices(scene.traject, scene.pathway, scene.world)
    if practice is None or practice.id not in {each.id for each in known}:
        issues.append(_which(known))
    if issues or practice is None:
        raise Invalid(*issues)
    return practice


def _name(given: Mapping[str, str], named: Named | None) -> str:
    """What the practice is called, where that was told. Raises Invalid."""
    name = " ".join(given.get(NAME, "").split())
    issues = [_takes_only(each, (NAME,)) for each in given if each != NAME]
    if len(name) > LONGEST_NAME or not name.isprintable():
        issues.append(
            Issue(
                nl=f"De naam van een praktijk heeft hoogstens {LONGEST_NAME} gewone tekens.",
                en=f"The name of a practice has at most {LONGEST_NAME} plain characters.",
                expression=(NAME,),
                code="value",
            )
        )
    if named is not None:
        issues.append(
            Issue(
                nl=f"Een praktijk die is aangesloten, noemt de huidige praktijk met ‘{PASSED}’.",
                en=f"A practice that is connected is named by the practice of now, with '{PASSED}'.",
                expression=(named.path,),
                code="value",
            )
        )
    if issues:
        raise Invalid(*issues)
    return name


def _takes_only(name: str, names: tuple[str, ...]) -> Issue:
    only = ", ".join(names) or AGREED
    return Issue(
        nl=f"‘{name}’ hoort hier niet bij; wel: {only}.",
        en=f"'{name}' does not belong here; what does: {only}.",
        expression=(name,),
        code="value",
    )


def _which(known: list[Organisation]) -> Issue:
    names = "; ".join(each.name for each in known[:5])
    return Issue(
        nl=f"Welke praktijk heeft de patiënt nu? Noem haar in ‘{ORGANISATION}’: {names}. Niet aangesloten of niet "
        f"bekend? Meld ‘{UNKNOWN}’.",
        en=f"Which practice has the patient now? Name it in '{ORGANISATION}': {names}. Not connected, or not known? "
        f"Say '{UNKNOWN}'.",
        expression=(ORGANISATION,),
        code="required",
    )


def _not_yours() -> TransitionNotAllowed:
    return TransitionNotAllowed(
        Issue(
            nl=f"Naar welke praktijk de patiënt ging, zegt de praktijk die de patiënt nu heeft. Hoort u het van de "
            f"patiënt? Meld ‘{UNKNOWN}’, zolang de verwijzing loopt.",
            en=f"The practice that has the patient now says to which one the patient went. Did you hear it of the "
            f"patient? Say '{UNKNOWN}', as long as the referral runs.",
        )
    )
