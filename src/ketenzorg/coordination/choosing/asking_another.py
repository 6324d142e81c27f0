"""One more organisation is asked for a hand-over for which nobody is chosen yet."""

from typing import Any

import msgspec

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.choosing.candidates import QUESTION, candidates_of, with_candidate
from ketenzorg.coordination.choosing.one_candidate import of_candidate
from ketenzorg.coordination.consent.consenting import organisation_named, weighed
from ketenzorg.coordination.consent.sharing_on import sharing_in
from ketenzorg.coordination.receiving.naming import cannot_own
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.clock import soonest
from ketenzorg.coordination.steps.planning import Planned
from ketenzorg.errors import Conflict, Invalid, Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import ASKED, NOT_CHOSEN, asked_in
from ketenzorg.referral.coordination_task import candidate_task
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import ConsentChange, Joining, NewVersion


def asked_too(owner: dict[str, Any], shared: Shared, scene: Scene) -> Planned:
    """What is stored when who asks names one more. Raises TransitionNotAllowed, Invalid or Conflict."""
    traject, here = scene.traject, scene.step
    by_name = traject.open_task == traject.task.id and candidates_of(traject) is not None
    asks = traject.roles.get(here.requester) == scene.organisation
    if not by_name or here.performer in traject.roles or not asks:
        raise TransitionNotAllowed(_NOT_TO_BE_CHOSEN)
    new = _named(owner, scene)
    key = f"{here.performer}{ASKED}{new.id}"
    change = _unless_objected(key, new, shared, scene)
    roles = {**traject.roles, key: new.id}
    roles.pop(key.replace(ASKED, NOT_CHOSEN), None)
    version = _task(new, scene)
    plan = of_candidate(new.id, "kandidaat gevraagd", version, scene, by=here.requester, roles=roles)
    step = msgspec.structs.replace(
        plan.step,
        asides=with_candidate(traject, new.id, version.id),
        seen_by={str(version.id): (*plan.step.seen_by["Task"], new.id)},
        joining=(Joining(new.id, QUESTION, bsn=False, log=False),),
        consent=change,
    )
    return plan._replace(step=step)


def _unless_objected(key: str, new: Organisation, shared: Shared, scene: Scene) -> ConsentChange:
    """What was weighed of what the patient objects to. Raises Invalid when it may not go there."""
    sharing = sharing_in(shared, scene.world, scene.at, shared.objections)
    _, issues = weighed({key: new.id}, sharing, scene.world)
    if issues:
        raise Invalid(*issues)
    return ConsentChange(weighed=tuple(each.id for each in shared.objections if each.id))


def _task(new: Organisation, scene: Scene) -> NewVersion:
    id_ = scene.world.new_id()
    until = soonest(engine.due(scene.pathway, scene.state))
    body = candidate_task(
        scene.traject.task.body, id_, owner=f"Organization/{new.id}", until=until, at=scene.at
    )
    return NewVersion("Task", id_, 1, body, rows_of(json.read(body)))


def _named(owner: dict[str, Any], scene: Scene) -> Organisation:
    region, pathway, role = scene.world.region, scene.pathway, scene.step.performer
    known = organisation_named(owner, region)
    if known is None or not region.fits(known, pathway, role):
        able = region.candidates(pathway, role, scene.traject.municipality)
        raise Invalid(cannot_own("Task.owner", able))
    if known.id in asked_in(scene.traject.roles):
        raise Conflict(_ASKED)
    return known


_ASKED = Issue(
    nl="Deze organisatie is al gevraagd.",
    en="This organisation has been asked already.",
    expression=("Task.owner",),
    code="duplicate",
)
_NOT_TO_BE_CHOSEN = Issue(
    nl="Hier is niemand te vragen: de Task in partOf is niet van een overdracht waarvoor nog iemand gekozen wordt.",
    en="Nobody can be asked here: the Task in partOf is not of a hand-over for which somebody is still to be chosen.",
    expression=("Task.partOf",),
)
