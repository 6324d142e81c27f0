"""The patient has another general practice: its roles pass on, with all that is asked of it and all that it hears.

Which practice a patient has stands in no pathway, and holds in each. The practice that has the patient says to which
one the patient went, as it hands over its file: that one sees what a referring practice sees, and answers for the rest
of the traject. The one before keeps what it saw until then, and hears no more. Who else hears of it says only that
there is another practice: then the known one stays who is asked and told, and a person sees that a letter must go.
"""

from collections.abc import Mapping
from uuid import UUID

from msgspec.structs import replace

from ketenzorg import events
from ketenzorg.access.finding import finders_of, rows_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import (
    Parties,
    found_by,
    give,
    joining,
    leaving,
    losing,
)
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.pathway.engine import Option
from ketenzorg.pathway.handover import FINAL_STATUSES
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import Standing, has, phases_after, roles_of
from ketenzorg.referral.appointment import named_in
from ketenzorg.referral.by_letter import OUTPUT
from ketenzorg.referral.codes import output_type
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.trajecten import Losing, NewVersion, Traject, Version

PASSED, UNKNOWN = "andere huisarts", "huisarts niet aangesloten"  # what may be said
KIND = "huisartspraktijk"
AGREED = "akkoord-van-patient"  # of [needs]: who chose
NAME = "praktijk"  # the parameter with the name of a practice that is not connected
WHICH = "Hoe heet de praktijk, als u dat weet?"
BY_LETTER = (
    "De patiënt heeft een andere huisarts, die niet is aangesloten of nog niet bekend is{name}. Stuur wat de "
    "huisarts moet weten ook per brief."
)


def practice_options(traject: Traject, pathway: Pathway, world: World) -> list[Option]:
    """What may be said of it now, and in which roles."""
    roles = tuple(role for role in traject.roles if has(role))
    held = tuple(role for role in roles if _is_practice(traject.roles[role], world))
    status = pathway.steps[traject.step].task
    if traject.ended is not None or not held:
        return []
    needs = (AGREED,) if AGREED in pathway.file.needs else ()
    passed = Option(PASSED, traject.step, held, status, needs, "Patiënt heeft een andere huisarts")
    title = "Patiënt heeft een andere huisarts, niet aangesloten of niet bekend"
    return [passed, Option(UNKNOWN, traject.step, roles, status, (), title)]


def practices(traject: Traject, pathway: Pathway, world: World) -> list[Organisation]:
    """The practices to which the patient can have gone, nearest first: who can take over every role of the one now."""
    held = {role: each for role, each in traject.roles.items() if has(role) and _is_practice(each, world)}
    if not held:
        return []
    near = world.region.anywhere(pathway, next(iter(held)), traject.municipality)
    return [
        each
        for each in near
        if each.kind == KIND
        and each.id not in held.values()
        and all(world.region.fits(each, pathway, role) for role in held)
    ]


def unknown(name: str, said: Said, scene: Scene) -> Planned:
    """The step in which somebody tells that there is another practice, which cannot be told by us."""
    words = BY_LETTER.format(name=f": {name}" if name else "")
    word = {"type": output_type(OUTPUT), "valueString": words}
    plan = planned(replace(said, event=None, added={"output": [word]}), scene)
    plan = plan._replace(versions=[_said_once(plan.versions[0], words), *plan.versions[1:]])
    body = events.PracticeChanged(
        organisation=scene.organisation, task=plan.step.task, at=plan.step.happened_at
    )
    return plan._replace(step=replace(plan.step, event=UNKNOWN, event_body=body))


def passed(
    new: UUID, said: Said, codes: Mapping[str, str], tasks: tuple[Version, ...], scene: Scene
) -> Planned:
    """The step by which the practice that speaks passes its roles on. `tasks`: all of the traject."""
    traject, pathway, old = scene.traject, scene.pathway, scene.organisation
    plan = planned(replace(said, event=None), scene)
    roles = dict(traject.roles)
    for role in roles_of(old, traject.roles):
        give(role, new, roles)
    phases = phases_after(pathway, traject.standing, traject.step, roles)
    involved = tuple(dict.fromkeys(new if each == old else each for each in traject.involved))
    parties = Parties(Standing(traject.step, roles, phases), involved, traject.involved)
    task = _said_once(_renamed(plan.versions[0], traject, old, new, scene), "")
    beside = [
        _renamed(_next(each, scene), traject, old, new, scene)
        for each in traject.asides.values()
        if json.read(each.body)["status"] not in FINAL_STATUSES and each.id != task.id
    ]
    versions = [task, *plan.versions[1:], *beside]
    to_come = (*(each.id for each in (task, *beside)), *named_in(json.read(traject.task.body)))
    sights = parties.sights(pathway)
    body = events.PracticeChanged(
        organisation=old, task=task.id, at=plan.step.happened_at, before=old, now=new, codes=dict(codes)
    )
    everybody = tuple(dict.fromkeys((*traject.parties, *parties.all)))
    step = replace(
        plan.step,
        event=PASSED,
        event_body=body,
        roles=roles,
        phases=phases,
        parties=everybody,
        involved=involved,
        witnesses=parties.witnesses,
        joining=tuple(
            replace(each, after=old) if each.organisation == new else each
            for each in joining(parties, traject, pathway)
        ),
        losing=(*losing(parties, traject, pathway), Losing(old, (), to_come)),
        leaving=leaving(parties),
        found_by=found_by(traject, versions, sights, tasks),
        callers=traject.parties,
    )
    return Planned(step, versions, finders_of(sights), None, parties)


def _is_practice(organisation: UUID, world: World) -> bool:
    known = world.region.by_id(organisation)
    return known is not None and known.kind == KIND


def _next(version: Version, scene: Scene) -> NewVersion:
    """The same once more."""
    number = version.version + 1
    body = stored_form(version.body, version.id, number, scene.at, lastModified=instant(scene.at))
    rows = rows_of(json.read(version.body))
    return NewVersion("Task", version.id, number, body, rows_of(json.read(body)), rows)


def _renamed(version: NewVersion, traject: Traject, old: UUID, new: UUID, scene: Scene) -> NewVersion:
    """A Task with the new practice in the place of the old one, however its sender named that."""
    body, now = json.read(version.body), {"reference": f"Organization/{new}"}
    performs = traject.roles.get(scene.step.performer) == old
    for element, own in (("requester", traject.roles.get(scene.step.requester) == old), ("owner", performs)):
        named = body.get(element, {}).get("reference")
        of_hand_over = version.id == traject.open_task or element == "requester"
        ours = named == f"Organization/{old}" or (own and of_hand_over and not _is_ours(named))
        if element in body and ours:
            body[element] = now
    written = json.write(body)
    return replace(version, body=written, rows=rows_of(json.read(written)))


def _is_ours(reference: str | None) -> bool:
    """Whether a reference names an organisation by our own id."""
    return reference is not None and reference.startswith("Organization/")


def _said_once(version: NewVersion, words: str) -> NewVersion:
    """A Task that says of a letter this only; empty: nothing."""
    body = json.read(version.body)
    for element in ("input", "output"):
        left = [
            each
            for each in body.get(element, ())
            if each.get("type") != output_type(OUTPUT) or each.get("valueString") == words
        ]
        body[element] = left
    written = json.write({name: value for name, value in body.items() if value != []})
    return replace(version, body=written, rows=rows_of(json.read(written)))
