"""Who is who on a page: the patient as the reader may see them, and organisations by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ketenzorg.access.views import shown
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.pathway.visibility import Visibility

ELSEWHERE = UUID(int=0)  # an organisation without a part here, which is not told
OUTSIDE = "buiten deze verwijzing vastgelegd"  # by who said in another referral what holds in all of them
LISTED = ("resourceType", "id", "name", "address")


def patient_of(body: bytes | None, sight: Visibility) -> dict[str, Any]:
    """The patient as this organisation sees them; empty when it does not."""
    if body is None or not sight.sees("Patient"):
        return {}
    return json.read(shown(body, "Patient", sight, {}))


def listed_patient(body: bytes | None, sight: Visibility) -> dict[str, Any]:
    """What a line of a list shows of the patient."""
    if body is None:
        return {}
    # Cut before it is judged: fifty whole patients a page cost as much as the page itself.
    listed = {name: value for name, value in json.read(body).items() if name in LISTED}
    return patient_of(json.write(listed), sight)


def who_plays(role: str, roles: Mapping[str, UUID], world: World) -> str:
    """What the organisation with this role is called; empty when nobody has it yet."""
    return name_of(roles[role], world) if role in roles else ""


def name_of(organisation: UUID, world: World) -> str:
    """What an organisation is called."""
    if organisation == ELSEWHERE:
        return "na een bezwaar van de patiënt"
    known = world.region.by_id(organisation)
    return known.name if known else "een organisatie die hier niet meer is"
