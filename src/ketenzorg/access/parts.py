"""What an organisation is in a traject: the part on which the rules turn."""

from collections.abc import Collection, Mapping
from uuid import UUID

from ketenzorg.access.rules import Part
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import only_asked


def part_of(
    organisation: UUID, pathway: Pathway, step: str, roles: Mapping[str, UUID], involved: Collection[UUID]
) -> Part:
    """The part of an organisation in a traject that stands in this step; `involved`: who takes part now."""
    if organisation not in roles.values():
        return "none"
    if organisation not in involved:
        return "candidate" if only_asked(organisation, roles) else "left"
    here = pathway.steps[step]
    if roles.get(here.performer) == organisation:
        return "owner"
    return "requester" if roles.get(here.requester) == organisation else "bystander"
