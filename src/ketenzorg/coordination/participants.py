"""Who takes part: the organisations named in a bundle, the one that refers, and the one that must act."""

from typing import NamedTuple
from uuid import UUID

from ketenzorg.access.tokens import Caller
from ketenzorg.errors import Issue
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.referral.bundle import Posted
from ketenzorg.referral.intake import Asked, Named


class Participants(NamedTuple):
    """The parties of a new traject."""

    requester: Organisation
    owner: Organisation
    roles: dict[str, UUID]
    municipality: str  # CBS code
    municipality_name: str
    municipality_is_guess: bool  # not in the patient's address: that of the practice
    alternatives: tuple[Organisation, ...]  # who else could take it
    owner_was_named: bool


def match_organisations(posted: Posted, region: Region) -> list[Issue]:
    """Give each Organization of the bundle the id under which the region knows it."""
    issues = []
    for entry in posted.of("Organization"):
        pairs = [(each.system or "", each.value or "") for each in entry.resource.identifier or ()]
        known = next((found for pair in pairs if (found := region.by_identifier(*pair))), None)
        if known is None:
            issues.append(_unknown(f"{entry.path}.identifier"))
        else:
            entry.is_known_as(known.id)
    return issues


def find_participants(
    asked: Asked, pathway: Pathway, caller: Caller, region: Region
) -> tuple[Participants | None, list[Issue]]:
    """The referring organisation is the caller's; the owner is the one named, else the region's for the place."""
    requester = region.by_id(caller.organisation)
    requester_role, owner_role = pathway.role_of("requester"), pathway.role_of("owner")
    if requester is None or requester.kind not in pathway.file.roles[requester_role].kinds:
        kinds = ", ".join(pathway.file.roles[requester_role].kinds)
        return None, [_may_not_refer(asked, kinds)]
    issues = _speaks_for_another(asked, requester, region)
    place, guessed = _municipality(asked, requester, region)
    candidates = region.candidates(pathway, owner_role, place)
    owner = _named_owner(asked, region)
    if asked.owner is not None and (
        owner is None
        or pathway.name not in owner.pathways
        or owner.kind not in pathway.file.roles[owner_role].kinds
    ):
        return None, [*issues, _cannot_own(asked.owner, candidates)]
    if owner is None and not candidates:
        return None, [*issues, _nobody(asked, place)]
    chosen = owner or candidates[0]
    participants = Participants(
        requester=requester,
        owner=chosen,
        roles={requester_role: requester.id, owner_role: chosen.id},
        municipality=place,
        municipality_name=region.municipalities.get(place, place),
        municipality_is_guess=guessed,
        alternatives=tuple(each for each in candidates if each.id != chosen.id),
        owner_was_named=owner is not None,
    )
    return participants, issues


def _named_owner(asked: Asked, region: Region) -> Organisation | None:
    return _organisation(asked.owner, region) if asked.owner else None


def _organisation(named: Named, region: Region) -> Organisation | None:
    for system, value in named.identifiers:
        known = region.by_identifier(system, value)
        if known is not None:
            return known
    try:
        return region.by_id(UUID(named.id))
    except ValueError:
        return None


def _municipality(asked: Asked, requester: Organisation, region: Region) -> tuple[str, bool]:
    said = (asked.municipality or "").casefold()
    for code, name in region.municipalities.items():
        if said in (code.casefold(), name.casefold()):
            return code, False
    return requester.municipality, True


def _speaks_for_another(asked: Asked, requester: Organisation, region: Region) -> list[Issue]:
    """A requester without an organisation (a Practitioner) speaks for the caller's."""
    if asked.requester is None:
        return []
    named = _organisation(asked.requester, region)
    if named is None:
        return [_unknown(asked.requester.path)]
    if named.id != requester.id:
        return [
            Issue(
                nl="De verwijzer in deze Bundle is een andere organisatie dan die van uw token.",
                en="The requester of this Bundle is another organisation than that of your token.",
                expression=(asked.requester.path,),
                code="forbidden",
            ),
        ]
    return []


def _unknown(path: str) -> Issue:
    return Issue(
        nl="Deze organisatie kennen we niet in deze regio. Noem haar met een URA "
        "(http://fhir.nl/fhir/NamingSystem/ura) of AGB (http://fhir.nl/fhir/NamingSystem/agb-z).",
        en="No such organisation in this region. Name it by URA (http://fhir.nl/fhir/NamingSystem/ura) or AGB "
        "(http://fhir.nl/fhir/NamingSystem/agb-z).",
        expression=(path,),
        code="not-found",
    )


def _may_not_refer(asked: Asked, kinds: str) -> Issue:
    return Issue(
        nl=f"Op dit zorgpad verwijst alleen: {kinds}. Uw organisatie is dat niet.",
        en=f"On this pathway only these refer: {kinds}. Your organisation is none of them.",
        expression=(f"{asked.request.path}.requester",),
        code="forbidden",
    )


def _cannot_own(named: Named, candidates: list[Organisation]) -> Issue:
    names = "; ".join(f"{each.name} (Organization/{each.id})" for each in candidates) or "geen"
    return Issue(
        nl=f"Deze organisatie kan deze verwijzing niet uitvoeren. Hier kan wel: {names}. Laat de naam weg, dan kiezen "
        "wij op gemeente.",
        en=f"This organisation cannot take this referral. These can here: {names}. Leave it out and we choose by "
        "municipality.",
        expression=(named.path,),
        code="not-found",
    )


def _nobody(asked: Asked, place: str) -> Issue:
    return Issue(
        nl=f"In gemeente {place} voert niemand dit zorgpad uit. Noem een organisatie in Task.owner.",
        en=f"Nobody in municipality {place} works on this pathway. Name an organisation in Task.owner.",
        expression=(f"{asked.patient.path}.address",),
        code="not-found",
    )
