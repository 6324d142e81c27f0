"""Who refuses proposes other care: a ServiceRequest with intent proposal, which who asked may take over or leave."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.fhir import json
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.referral.proposal import proposal, proposal_output
from ketenzorg.store.trajecten import NewVersion

KIND = "ServiceRequest"


def with_proposal(versions: list[NewVersion], said: Said, taken: StepTaken, scene: Scene) -> list[NewVersion]:
    """The versions of a step, with the proposal that it makes, named in the Task."""
    if not taken.proposes:
        return versions
    sent = said.proposal
    id_ = sent.id if sent else scene.world.new_id()
    task, *others = versions
    body: dict[str, Any] = json.read(task.body)
    made = proposal(
        sent.raw if sent else None,
        id_,
        words=said.given[taken.proposes],
        request=_reference(body, "focus"),
        patient=_reference(body, "for"),
        requester=f"Organization/{scene.organisation}",
        at=scene.at,
    )
    body["output"] = [*body.get("output", ()), proposal_output(id_)]
    new = NewVersion(KIND, id_, 1, made, rows_of(json.read(made)))
    return [replace(task, body=json.write(body)), *others, new]


def _reference(task: Mapping[str, Any], element: str) -> str:
    reference: str = task[element]["reference"]
    return reference
