"""What an organisation is in a traject: the part on which the rules turn."""

from collections.abc import Collection, Mapping
from uuid import UUID

from ketenzorg.access.rules import Part
from ketenzorg.pathway.loaded import Pathway

EARLIER = "#"  # "nefroloog#<id>": who had this role before another took it over


def roles_of(organisation: UUID, roles: Mapping[str, UUID]) -> list[str]:
    """The roles that an organisation has in a traject: in these it acts."""
    return [role for role, party in roles.items() if party == organisation and EARLIER not in role]


def part_of(
    organisation: UUID, pathway: Pathway, step: str, roles: Mapping[str, UUID], involved: Collection[UUID]
) -> Part:
    """The part of an organisation in a traject that stands in this step; `involved`: who takes part now."""
    if organisation not in roles.values():
        return "none"
    if organisation not in involved:
        return "left"
    here = pathway.steps[step]
    if roles.get(here.performer) == organisation:
        return "owner"
    return "requester" if roles.get(here.requester) == organisation else "bystander"
