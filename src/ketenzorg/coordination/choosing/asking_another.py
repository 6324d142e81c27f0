"""One more organisation is asked for a hand-over for which nobody is chosen yet."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of, rows_of
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.choosing.candidates import QUESTION, candidates_of, with_candidate
from ketenzorg.coordination.consent.consenting import organisation_named, weighed
from ketenzorg.coordination.consent.sharing_on import sharing_in
from ketenzorg.coordination.receiving.participants import cannot_own
from ketenzorg.coordination.steps.clock import soonest
from ketenzorg.coordination.steps.handing_over import found_by
from ketenzorg.coordination.steps.meaning import state_of
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import World
from ketenzorg.errors import Conflict, Invalid, Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import ASKED, NOT_CHOSEN, asked_in
from ketenzorg.referral.coordination_task import candidate_task
from ketenzorg.store.audit import Access
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import ConsentChange, Joining, NewVersion, Traject


def asked_too(
    owner: dict[str, Any],
    access: Access,
    by: UUID,
    traject: Traject,
    pathway: Pathway,
    world: World,
    at: datetime,
) -> Planned:
    """What is stored when who asks names one more. Raises TransitionNotAllowed, Invalid or Conflict."""
    here = pathway.steps[traject.step]
    by_name = traject.open_task == traject.task.id and candidates_of(traject) is not None
    if not by_name or here.performer in traject.roles or traject.roles.get(here.requester) != by:
        raise TransitionNotAllowed(_NOT_TO_BE_CHOSEN)
    new = _named(owner, traject, pathway, world)
    id_ = world.new_id()
    body = candidate_task(
        traject.task.body,
        id_,
        owner=f"Organization/{new.id}",
        until=soonest(engine.due(pathway, state_of(traject))),
        at=at,
    )
    version = NewVersion("Task", id_, 1, body, rows_of(json.read(body)))
    key = f"{here.performer}{ASKED}{new.id}"
    roles = {**traject.roles, key: new.id}
    roles.pop(key.replace(ASKED, NOT_CHOSEN), None)
    parties = tuple(dict.fromkeys((*traject.parties, new.id)))
    sights = sights_of(pathway, traject.standing._replace(roles=roles), parties)
    plan = planned(Said(event=None, by=here.requester), access, by, traject, pathway, world, at)
    step = msgspec.structs.replace(
        plan.step,
        event="kandidaat gevraagd",
        event_body=events.CandidateAnswered(
            by=here.requester, organisation=by, candidate=new.id, task=id_, task_status="requested", at=at
        ),
        task=id_,
        open_task=traject.open_task,
        roles=roles,
        parties=parties,
        asides=with_candidate(traject, new.id, id_),
        seen_by={str(id_): (*plan.step.seen_by["Task"], new.id)},
        listeners=(new.id,),
        joining=(Joining(new.id, QUESTION, bsn=False, log=False),),
        found_by=found_by(traject, [], sights),
    )
    return Planned(step, [version], finders_of(sights), None, plan.parties)


def may_be_asked(plan: Planned, shared: Shared, world: World, at: datetime) -> Planned:
    """The same, with what the patient objects to weighed. Raises Invalid when it may not go there."""
    new = {
        key: party for key, party in plan.step.roles.items() if party in plan.step.listeners and ASKED in key
    }
    _, issues = weighed(new, sharing_in(shared, world, at, shared.objections), world)
    if issues:
        raise Invalid(*issues)
    change = ConsentChange(weighed=tuple(each.id for each in shared.objections if each.id))
    return plan._replace(step=msgspec.structs.replace(plan.step, consent=change))


def _named(owner: dict[str, Any], traject: Traject, pathway: Pathway, world: World) -> Organisation:
    role = pathway.steps[traject.step].performer
    known = organisation_named(owner, world.region)
    if known is None or not world.region.fits(known, pathway, role):
        raise Invalid(cannot_own("Task.owner", world.region.candidates(pathway, role, traject.municipality)))
    if known.id in asked_in(traject.roles):
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
