"""What becomes of one candidate while nobody is chosen: its own Task changes, and the hand-over goes on as it was."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of
from ketenzorg.access.views import sights_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import found_by
from ketenzorg.coordination.steps.planning import Planned, planned
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.fhir import json
from ketenzorg.store.trajecten import NewVersion


def of_candidate(
    candidate: UUID,
    event: str,
    version: NewVersion,
    scene: Scene,
    *,
    by: str,
    roles: Mapping[str, UUID],
    reason: str | None = None,
) -> Planned:
    """What is stored when this version of its Task is all that changes; `roles`: who is asked from now on."""
    traject, pathway = scene.traject, scene.pathway
    plan = planned(Said(event=None, by=by), scene)
    parties = tuple(dict.fromkeys((*plan.step.parties, candidate)))
    sights = sights_of(pathway, traject.standing._replace(roles=roles), parties)
    step = msgspec.structs.replace(
        plan.step,
        event=event,
        event_body=events.CandidateAnswered(
            by=by,
            organisation=scene.organisation,
            candidate=candidate,
            task=version.id,
            task_status=json.read(version.body)["status"],
            at=scene.at,
            reason=reason,
        ),
        task=version.id,
        open_task=traject.open_task,
        roles=dict(roles),
        parties=parties,
        listeners=(candidate,),
        found_by=found_by(traject, [version], sights) if roles != traject.roles else (),
    )
    return Planned(step, [version], finders_of(sights), None, plan.parties)
