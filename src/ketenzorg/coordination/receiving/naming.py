"""The organisations that a Bundle names, and what is wrong with a name."""

from uuid import UUID

from ketenzorg.errors import Issue
from ketenzorg.pathway.definition import Role
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.referral.bundle import Posted
from ketenzorg.referral.intake import Named

PRACTICE = frozenset({"huisartspraktijk"})


def must_be_named(role: Role) -> bool:
    """Whose patient it is follows from nothing that we know: a practice is named, never chosen by us."""
    return PRACTICE.issuperset(role.kinds)


def match_organisations(posted: Posted, region: Region) -> list[Issue]:
    """Give each Organization of the bundle the id under which the region knows it."""
    issues = []
    for entry in posted.of("Organization"):
        pairs = [(each.system or "", each.value or "") for each in entry.resource.identifier or ()]
        known = next((found for pair in pairs if (found := region.by_identifier(*pair))), None)
        if known is None:
            issues.append(unknown(f"{entry.path}.identifier"))
        else:
            entry.is_known_as(known.id)
    return issues


def organisation_of(named: Named, region: Region) -> Organisation | None:
    """The organisation that is meant, if the region has it."""
    for system, value in named.identifiers:
        known = region.by_identifier(system, value)
        if known is not None:
            return known
    try:
        return region.by_id(UUID(named.id))
    except ValueError:
        return None


def unknown(path: str) -> Issue:
    """An organisation that the region does not have."""
    return Issue(
        nl="Deze organisatie kennen we niet in deze regio. Noem haar met een URA "
        "(http://fhir.nl/fhir/NamingSystem/ura) of AGB (http://fhir.nl/fhir/NamingSystem/agb-z).",
        en="No such organisation in this region. Name it by URA (http://fhir.nl/fhir/NamingSystem/ura) or AGB "
        "(http://fhir.nl/fhir/NamingSystem/agb-z).",
        expression=(path,),
        code="not-found",
        kind="unknown-organisation",
    )


def cannot_own(path: str, candidates: list[Organisation]) -> Issue:
    """The organisation that was named cannot take this; who can."""
    names = "; ".join(f"{each.name} (Organization/{each.id})" for each in candidates) or "geen"
    return Issue(
        nl=f"Deze organisatie kan deze verwijzing niet uitvoeren. Hier kan wel: {names}. Laat de naam weg, dan kiezen "
        "wij op gemeente.",
        en=f"This organisation cannot take this referral. These can here: {names}. Leave it out and we choose by "
        "municipality.",
        expression=(path,),
        code="not-found",
        kind="cannot-perform",
    )
