"""Who takes part: the organisations named in a bundle, the one that refers, and the one that must act."""

from typing import Literal, NamedTuple
from uuid import UUID

from ketenzorg.access.tokens import Caller
from ketenzorg.coordination.receiving.naming import cannot_own, must_be_named, organisation_of, unknown
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Route
from ketenzorg.pathway.definition import Role
from ketenzorg.pathway.flatten import Step, handover_of
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.standing import ASKED
from ketenzorg.pathway.taking_part import bystanders
from ketenzorg.referral.intake import MOST_ASKED, Asked, Candidate, Named


class Referrer(NamedTuple):
    """Who refers, and where the patient lives as far as that is known."""

    organisation: Organisation | None
    municipality: str  # CBS code
    municipality_is_guess: bool  # not in the patient's address: that of the practice


class Participants(NamedTuple):
    """The parties of a new traject."""

    requester: Organisation
    owner: Organisation | None  # none: who performs it is still to be chosen
    roles: dict[str, UUID]
    municipality: str  # CBS code
    municipality_name: str
    municipality_is_guess: bool
    capability: str  # what the owner must be able to do
    alternatives: tuple[Organisation, ...]  # who else could take it
    owner_was_named: bool
    asked: tuple[Organisation, ...] = ()  # of whom one will be chosen
    open: bool = False  # by claiming it; else by selection
    idle: tuple[str, ...] = ()  # where organisations are named that have nothing to do here


def find_referrer(asked: Asked, caller: Caller, region: Region) -> Referrer:
    """The referring organisation is the caller's; it may speak for its own municipality."""
    requester = region.by_id(caller.organisation)
    said = region.municipality_code(asked.municipality or "")
    if said:
        return Referrer(requester, said, municipality_is_guess=False)
    return Referrer(requester, requester.municipality if requester else "", municipality_is_guess=True)


def with_candidates(asked: Asked, pathway: Pathway, route: Route | None, region: Region) -> Asked:
    """The same, in which several performers of the request that could all act first are candidates.

    FHIR has them as alternatives, in no order: https://hl7.org/fhir/R4/servicerequest-definitions.html#ServiceRequest.performer
    Who takes part otherwise is none.
    """
    first = pathway.steps[route.step if route else pathway.file.begins]
    capability = route.capability if route else ""
    beside = [pathway.file.roles[role] for role in bystanders(pathway, first.name)]
    found: dict[UUID, Named] = {}
    for named in asked.alternatives:
        organisation = organisation_of(named, region)
        if (
            organisation is not None
            and region.fits(organisation, pathway, first.performer, capability)
            and not any(_plays(organisation, role) for role in beside)
        ):
            found.setdefault(organisation.id, named)
    owner = organisation_of(asked.owner, region) if asked.owner else None
    several = [named for id_, named in found.items() if owner is None or id_ != owner.id]
    if asked.owner is None or not several or first.performer == first.requester:
        return asked
    return asked._replace(
        owner=None, candidates=tuple(Candidate(each, None) for each in (asked.owner, *several))
    )


def find_participants(
    asked: Asked, pathway: Pathway, referrer: Referrer, route: Route | None, region: Region
) -> tuple[Participants | None, list[Issue]]:
    """The owner is the one that the route allows and the referral names, else the nearest that fits."""
    first = pathway.steps[route.step if route else pathway.file.begins]
    capability = route.capability if route else pathway.file.roles[first.performer].capability
    requester, place = referrer.organisation, referrer.municipality
    if requester is None or requester.kind not in pathway.file.roles[first.requester].kinds:
        kinds = ", ".join(pathway.file.roles[first.requester].kinds)
        return None, [_may_not_refer(asked, kinds)]
    issues = _speaks_for_another(asked, requester, region)
    how = how_chosen(asked, pathway, first)
    if how or asked.candidates:
        found, wrong = _asked(asked, pathway, first, capability, referrer, region)
        return (None if wrong else found), [*issues, *wrong]
    named = organisation_of(asked.owner, region) if asked.owner else None
    if first.performer == first.requester:
        candidates, fits = [requester], named == requester
    else:
        candidates = region.candidates(pathway, first.performer, place, capability)
        fits = named is not None and region.fits(named, pathway, first.performer, capability)
    if asked.owner is not None and not fits:
        return None, [*issues, cannot_own(asked.owner.path, candidates)]
    if named is None and not candidates:
        return None, [*issues, _nobody(asked, place)]
    if named is None and must_be_named(pathway.file.roles[first.performer]):
        if requester not in candidates:
            return None, [*issues, _which_practice(asked)]
        candidates = [requester]
    chosen = named or candidates[0]
    others = _others(asked, pathway, first.name, chosen, region)
    participants = Participants(
        requester=requester,
        owner=chosen,
        roles={**others, first.requester: requester.id, first.performer: chosen.id},
        municipality=place,
        municipality_name=region.municipalities.get(place, place),
        municipality_is_guess=referrer.municipality_is_guess,
        capability=capability,
        alternatives=tuple(each for each in candidates if each.id != chosen.id),
        owner_was_named=named is not None,
    )
    return _with_idle(participants, asked, region), issues


def how_chosen(asked: Asked, pathway: Pathway, first: Step) -> Literal["kandidaten", "open", ""]:
    """How who performs it will be chosen, as the referral wants and the hand-over allows; empty: it goes to one."""
    _, handover = handover_of(first.main, pathway.file)
    allowed = handover.choice.how if handover.choice else []
    if asked.candidates:
        return "kandidaten" if "kandidaten" in allowed else ""
    return "open" if asked.open and "open" in allowed else ""


def _asked(
    asked: Asked, pathway: Pathway, first: Step, capability: str, referrer: Referrer, region: Region
) -> tuple[Participants | None, list[Issue]]:
    """The organisations that are asked: those that the Tasks name, or all that serve the municipality."""
    requester, place, role = referrer.organisation, referrer.municipality, first.performer
    assert requester is not None  # noqa: S101  (whoever may not refer is told before)
    serving = region.candidates(pathway, role, place, capability)
    if asked.candidates:
        found, issues = _named(asked, pathway, first, capability, serving, region)
    else:
        found = [each for each in serving if each.id != requester.id]
        issues = [] if found else [_nobody(asked, place)]
    others = {
        each: party
        for each, party in _others(asked, pathway, first.name, None, region).items()
        if party not in {organisation.id for organisation in found}
    }
    participants = Participants(
        requester=requester,
        owner=None,
        roles={
            **others,
            first.requester: requester.id,
            **{f"{role}{ASKED}{each.id}": each.id for each in found},
        },
        municipality=place,
        municipality_name=region.municipalities.get(place, place),
        municipality_is_guess=referrer.municipality_is_guess,
        capability=capability,
        alternatives=(),
        owner_was_named=bool(asked.candidates),
        asked=tuple(found),
        open=not asked.candidates,
    )
    return _with_idle(participants, asked, region), issues


def _with_idle(participants: Participants, asked: Asked, region: Region) -> Participants:
    """Who is named and gets nothing: not silently."""
    parties = set(participants.roles.values())
    idle = [
        named.path
        for named in asked.others
        if (organisation := organisation_of(named, region)) is None or organisation.id not in parties
    ]
    return participants._replace(idle=tuple(idle))


def _named(
    asked: Asked,
    pathway: Pathway,
    first: Step,
    capability: str,
    serving: list[Organisation],
    region: Region,
) -> tuple[list[Organisation], list[Issue]]:
    """Who is named in the Tasks, and what is wrong with it."""
    if not how_chosen(asked, pathway, first):
        return [], [_one_only(each.path) for each in asked.candidates[1:]]
    found: list[Organisation] = []
    issues = [_too_many(each.path) for each in asked.candidates[MOST_ASKED:]]
    for each in asked.candidates:
        organisation = organisation_of(each.named, region)
        if organisation is None or not region.fits(organisation, pathway, first.performer, capability):
            issues.append(cannot_own(each.named.path, serving))
        elif organisation in found:
            issues.append(_asked_twice(each.named.path))
        else:
            found.append(organisation)
    return found, issues


def _others(
    asked: Asked, pathway: Pathway, first: str, owner: Organisation | None, region: Region
) -> dict[str, UUID]:
    """Who takes part beside the two: a further ServiceRequest.performer that can play such a role."""
    found: dict[str, UUID] = {}
    for named in asked.others:
        organisation = organisation_of(named, region)
        if organisation is None or organisation == owner:
            continue
        for role in bystanders(pathway, first):
            if _plays(organisation, pathway.file.roles[role]):
                found[role] = organisation.id
    return found


def _plays(organisation: Organisation, role: Role) -> bool:
    able = not role.capability or bool(organisation.able(role.capability))
    return organisation.kind in role.kinds and able


def _speaks_for_another(asked: Asked, requester: Organisation, region: Region) -> list[Issue]:
    """A requester without an organisation (a Practitioner) speaks for the caller's."""
    if asked.requester is None:
        return []
    named = organisation_of(asked.requester, region)
    if named is None:
        return [unknown(asked.requester.path)]
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


def _may_not_refer(asked: Asked, kinds: str) -> Issue:
    return Issue(
        nl=f"Op dit zorgpad verwijst alleen: {kinds}. Uw organisatie is dat niet.",
        en=f"On this pathway only these refer: {kinds}. Your organisation is none of them.",
        expression=(f"{asked.request.path}.requester",),
        code="forbidden",
    )


def _one_only(path: str) -> Issue:
    return Issue(
        nl="Op dit zorgpad gaat een verwijzing naar één organisatie: stuur één Task, of noem één organisatie in "
        "ServiceRequest.performer. De patiënt en u kiezen.",
        en="On this pathway a referral goes to one organisation: send one Task, or name one organisation in "
        "ServiceRequest.performer. The patient and you choose.",
        expression=(path,),
        code="business-rule",
    )


def _too_many(path: str) -> Issue:
    return Issue(
        nl=f"Vraag hoogstens {MOST_ASKED} organisaties tegelijk.",
        en=f"Ask at most {MOST_ASKED} organisations at once.",
        expression=(path,),
    )


def _asked_twice(path: str) -> Issue:
    return Issue(
        nl="Deze organisatie staat al in een andere Task van deze Bundle.",
        en="Another Task of this Bundle asks this organisation already.",
        expression=(path,),
        code="duplicate",
    )


def _which_practice(asked: Asked) -> Issue:
    return Issue(
        nl="Bij welke huisartspraktijk is deze patiënt? Noem die in ServiceRequest.performer: wij kiezen er geen.",
        en="Whose patient is this? Name the practice in ServiceRequest.performer: we never choose one.",
        expression=(f"{asked.request.path}.performer",),
        code="required",
    )


def _nobody(asked: Asked, place: str) -> Issue:
    return Issue(
        nl=f"In gemeente {place} voert niemand dit zorgpad uit. Noem een organisatie in Task.owner.",
        en=f"Nobody in municipality {place} works on this pathway. Name an organisation in Task.owner.",
        expression=(f"{asked.patient.path}.address",),
        code="not-found",
        kind="cannot-perform",
    )
