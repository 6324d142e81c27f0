"""Who dies, moves or is sent elsewhere is expected nowhere any more: what was planned for that work is called off."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import Parties, seen_by
from ketenzorg.coordination.steps.planning import Planned
from ketenzorg.fhir import json
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.referral.appointment import called_off, is_to_come, named_in
from ketenzorg.store.trajecten import NO_ROWS, NewVersion

KIND = "Appointment"
UNDONE = ("revoked", "entered-in-error")  # CarePlan.status after an end without the work done


async def with_called_off(plan: Planned, scene: Scene) -> Planned:
    """The same step, with the appointments of this hand-over that it calls off."""
    traject = scene.traject
    if plan.taken is None or not named_in(json.read(traject.task.body)) or not _stops(plan.taken):
        return plan
    known = await scene.world.trajecten.data_of("ServiceRequest", traject.request.id, scene.access)
    off = called_off_in(known.resources if known else (), plan.taken, scene)
    if not off:
        return plan
    now = Parties(traject.standing, traject.involved, traject.involved)
    step = replace(plan.step, seen_by={**plan.step.seen_by, KIND: seen_by(KIND, now, scene.pathway)})
    return plan._replace(step=step, versions=[*plan.versions, *off])


def called_off_in(
    resources: Iterable[tuple[str, UUID, bytes]], taken: StepTaken | None, scene: Scene
) -> list[NewVersion]:
    """Of these (type, id, body) of a traject the appointments that a step calls off."""
    at, named = scene.at, named_in(json.read(scene.traject.task.body))
    if taken is None or not _stops(taken):
        return []
    return [
        _called_off(id_, body, taken, at)
        for kind, id_, body in resources
        if kind == KIND and id_ in named and is_to_come(json.read(body), at)
    ]


def _stops(taken: StepTaken) -> bool:
    return taken.forward or (taken.ends and taken.careplan in UNDONE)


def _called_off(id_: UUID, body: bytes, taken: StepTaken, at: datetime) -> NewVersion:
    version = int(json.read(body)["meta"]["versionId"]) + 1
    reason = (taken.reason.code, taken.reason.text) if taken.reason else None
    return NewVersion(KIND, id_, version, called_off(body, id_, version, reason, at), NO_ROWS)
