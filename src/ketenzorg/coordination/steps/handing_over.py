"""A hand-over: which organisation gets the work, who follows it from now on, and what they get to see.

The ServiceRequest stays the one of the referral: it is the question of the whole traject, with one requester and
one identifier, and it runs until the traject ends. Who asks whom in this hand-over stands in Task.requester and
Task.owner, what is asked in Task.input: a second active order for the same care could be booked twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.access.finding import Finders, rows_of, who_finds
from ketenzorg.access.rules import types_for
from ketenzorg.access.views import exists_for, sights_of, who_sees
from ketenzorg.coordination.receiving.naming import cannot_own, must_be_named, organisation_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.world import World
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json
from ketenzorg.pathway.engine import Option, StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.pathway.standing import ASKED, EARLIER, Standing, phases_after
from ketenzorg.pathway.taking_part import taking_part
from ketenzorg.pathway.visibility import NOTHING, Visibility
from ketenzorg.referral.intake import Named
from ketenzorg.store.trajecten import FoundBy, Joining, Losing, NewVersion, Traject, Version

ORGANISATION = "organisatie"  # the parameter of $event that names who performs the next hand-over


class Wanted(NamedTuple):
    """Whom a party wants for the hand-over that it begins: by name, and by what its answers ask for."""

    named: Named | None
    able: str  # a capability; empty: what the role says
    pool: tuple[UUID, ...] = ()  # who may claim it


class Parties(NamedTuple):
    """How a traject stands after a step, and who takes part in the hand-over that runs then."""

    standing: Standing  # who plays which role, and what that role knows
    involved: tuple[UUID, ...]
    before: tuple[UUID, ...]  # who took part until now

    @property
    def roles(self) -> Mapping[str, UUID]:
        """Who has which role."""
        return self.standing.roles

    @property
    def all(self) -> tuple[UUID, ...]:
        """Everybody who ever took part."""
        return tuple(dict.fromkeys((*self.before, *self.involved, *self.roles.values())))

    @property
    def witnesses(self) -> tuple[UUID, ...]:
        """Who may know of the step itself: those before it and those after it."""
        return tuple(dict.fromkeys((*self.before, *self.involved)))

    def sights(self, pathway: Pathway) -> dict[UUID, Visibility]:
        """What each of everybody sees after the step."""
        return sights_of(pathway, self.standing, self.all)


def parties_after(taken: StepTaken | None, wanted: Wanted, scene: Scene) -> Parties:
    """The parties after a step. Raises Invalid when a hand-over needs one that nobody can tell."""
    by, _, traject, pathway, world, _ = scene
    before = traject.involved
    if taken is None or not taken.new_task:
        if wanted.named is not None:
            raise Invalid(_no_hand_over(wanted.named))
        step = taken.to_step if taken else traject.step
        chosen = traject.roles.get(taken.performer) if taken else None
        now = (
            tuple(dict.fromkeys((*before, chosen))) if chosen else before
        )  # where somebody had to be chosen first
        return Parties(_standing(step, traject.roles, traject, pathway), now, before)
    roles = dict(traject.roles)
    if taken.requester not in roles and _may_ask(by, taken.requester, pathway, world):
        give(taken.requester, by, roles)  # nobody asked in this role until now: who hands over does
    for role in dict.fromkeys((taken.requester, taken.performer)):
        for_it = wanted if role == taken.performer else Wanted(None, "")
        if for_it.pool:
            _open_up(role, for_it.pool, roles)
            continue
        if taken.forward and role == taken.performer:
            give(role, _another(role, traject, pathway, for_it, world).id, roles)
            continue
        if for_it.named is not None or not _keeps(role, for_it.able, roles, pathway, world):
            give(role, _performer(role, traject, pathway, for_it, world).id, roles)
    standing = _standing(taken.to_step, roles, traject, pathway)
    return Parties(standing, involved(pathway, taken.to_step, roles), before)


def _standing(step: str, roles: Mapping[str, UUID], traject: Traject, pathway: Pathway) -> Standing:
    return Standing(step, roles, phases_after(pathway, traject.standing, step, roles))


def capability_in(given: Mapping[str, str], pathway: Pathway) -> str:
    """What the answers say that who performs the next hand-over must be able to do; empty: nothing."""
    asked = (pathway.file.needs[name].capability.get(code) for name, code in given.items())
    return next((capability for capability in asked if capability), "")


def involved(pathway: Pathway, step: str, roles: Mapping[str, UUID]) -> tuple[UUID, ...]:
    """The organisations in the hand-over that this step belongs to."""
    return tuple(dict.fromkeys(roles[role] for role in taking_part(pathway, step) if role in roles))


def who_could(
    option: Option, traject: Traject, pathway: Pathway, world: World
) -> list[tuple[Organisation, str]]:
    """Who could perform the hand-over that this option begins, each with what it is chosen for.

    The likeliest first; none where nothing is handed to another.
    """
    role = pathway.steps[option.to_step].performer
    own_house = role == pathway.steps[option.to_step].requester and role in traject.roles
    if not option.new_task or own_house:
        return []
    asked = [able for name in option.needs for able in pathway.file.needs[name].capability.values()]
    choose = _others if option.forward else _likeliest
    return [
        (organisation, able)
        for able in asked or [pathway.file.roles[role].capability]
        for organisation in choose(role, able, traject, pathway, world)
    ]


def can_happen(option: Option, traject: Traject, pathway: Pathway, world: World) -> bool:
    """Whether there is anybody to send on to, where that is what the option does."""
    return not option.forward or bool(who_could(option, traject, pathway, world))


def _likeliest(role: str, able: str, traject: Traject, pathway: Pathway, world: World) -> list[Organisation]:
    """Who has the role already and can do this, then the nearest."""
    keeps = _keeps(role, able, traject.roles, pathway, world)
    known = world.region.by_id(traject.roles[role]) if keeps else None
    nearest = world.region.candidates(pathway, role, traject.municipality, able)
    return [*([known] if known else []), *(each for each in nearest if each != known)]


def _others(role: str, able: str, traject: Traject, pathway: Pathway, world: World) -> list[Organisation]:
    """To whom may be sent on: who serves the patient's municipality, then who can do it elsewhere."""
    asked = (pathway, role, traject.municipality, able)
    found = [*world.region.candidates(*asked), *world.region.anywhere(*asked)]
    return [each for each in {each.id: each for each in found}.values() if each.id != traject.roles.get(role)]


def joining(parties: Parties, traject: Traject, pathway: Pathway) -> tuple[Joining, ...]:
    """What each new party gets to see of the traject so far, and who knows the patient from this step on.

    What happened before it came tells a party what was found: that is for who sees everything.
    """
    return tuple(
        Joining(party, _more(now, was), bsn=now.bsn and not was.bsn, log=now.everything)
        for party, was, now in _changed_sights(parties, traject, pathway)
        if party not in parties.before or _more(now, was) or (now.bsn and not was.bsn)
    )


def losing(parties: Parties, traject: Traject, pathway: Pathway) -> tuple[Losing, ...]:
    """Who sees less of the traject from this step on, while taking part in it."""
    changed = _changed_sights(parties, traject, pathway)
    return tuple(Losing(party, _more(was, now)) for party, was, now in changed if _more(was, now))


def sees_otherwise(parties: Parties, traject: Traject, pathway: Pathway) -> bool:
    """Whether anybody sees more or less from this step on."""
    return bool(_changed_sights(parties, traject, pathway) or leaving(parties))


def _changed_sights(
    parties: Parties, traject: Traject, pathway: Pathway
) -> list[tuple[UUID, Visibility, Visibility]]:
    was = sights_of(pathway, traject.standing, parties.before)
    now = sights_of(pathway, parties.standing, parties.involved)
    return [
        (party, was.get(party, NOTHING), now[party])
        for party in parties.involved
        if was.get(party) is not now[party]
    ]


def _more(one: Visibility, other: Visibility) -> tuple[str, ...]:
    """The types that exist for the one and not for the other."""
    return tuple(
        sorted(kind for kind in types_for("read") if exists_for(one, kind) > exists_for(other, kind))
    )


def leaving(parties: Parties) -> tuple[UUID, ...]:
    """Whose part ends with this step."""
    return tuple(party for party in parties.before if party not in parties.involved)


def found_by(
    traject: Traject,
    versions: Sequence[NewVersion],
    sights: Mapping[UUID, Visibility],
    tasks: Sequence[Version] = (),
) -> tuple[FoundBy, ...]:
    """The search rows of what the parties of a traject share, as they are after this step; also of these Tasks."""
    found: list[FoundBy] = []
    for version in (traject.request, traject.plan, *tasks):
        new = next((each.rows for each in versions if each.id == version.id), None)
        rows = new or rows_of(json.read(version.body))
        finders = who_finds(version.type, sights)

        def row(
            kind: str, param: str, version: Version = version, finders: Finders = finders, **by: Any
        ) -> FoundBy:
            return FoundBy(
                type=version.type, id=version.id, kind=kind, param=param, finders=finders[param], **by
            )

        found += [row("token", each.param, code=each.code, system=each.system) for each in rows.tokens]
        found += [
            row("reference", each.param, target=each.target, system=each.type) for each in rows.references
        ]
        found += [row("date", each.param, low=each.period.low, high=each.period.high) for each in rows.dates]
    patient = who_finds("Patient", sights).items()
    found += [
        FoundBy(type="Patient", id=None, kind="token", param=param, finders=who) for param, who in patient
    ]
    return tuple(found)


def seen_by(kind: str, parties: Parties, pathway: Pathway) -> tuple[UUID, ...]:
    """Of those who take part now the ones for whom a resource of this type exists."""
    return who_sees(kind, sights_of(pathway, parties.standing, parties.involved))


def give(role: str, organisation: UUID, roles: dict[str, UUID]) -> None:
    """Who had the role before keeps the sight of what it saw then."""
    earlier = roles.get(role)
    if earlier is not None and earlier != organisation:
        roles[f"{role}{EARLIER}{earlier}"] = earlier
    roles.pop(f"{role}{EARLIER}{organisation}", None)
    roles[role] = organisation


def _open_up(role: str, pool: tuple[UUID, ...], roles: dict[str, UUID]) -> None:
    """Nobody has the role until one of these claims it."""
    earlier = roles.pop(role)
    roles[f"{role}{EARLIER}{earlier}"] = earlier
    roles.update((f"{role}{ASKED}{each}", each) for each in pool)


def _may_ask(organisation: UUID, role: str, pathway: Pathway, world: World) -> bool:
    known = world.region.by_id(organisation)
    return known is not None and known.kind in pathway.file.roles[role].kinds


def _keeps(role: str, able: str, roles: Mapping[str, UUID], pathway: Pathway, world: World) -> bool:
    """Whether somebody has the role who can do what is asked beyond it."""
    if role not in roles or not able:
        return role in roles
    known = world.region.by_id(roles[role])
    return known is not None and world.region.fits(known, pathway, role, able)


def _performer(role: str, traject: Traject, pathway: Pathway, wanted: Wanted, world: World) -> Organisation:
    candidates = world.region.candidates(pathway, role, traject.municipality, wanted.able)
    if wanted.named is not None:
        organisation = organisation_of(wanted.named, world.region)
        if organisation is None or not world.region.fits(organisation, pathway, role, wanted.able):
            raise Invalid(cannot_own(wanted.named.path, candidates))
        return organisation
    if not candidates or role == pathway.role_of("requester") or must_be_named(pathway.file.roles[role]):
        raise Invalid(_name_one(pathway.file.roles[role].title))
    return candidates[0]


def _another(role: str, traject: Traject, pathway: Pathway, wanted: Wanted, world: World) -> Organisation:
    """Who gets what is sent on: never the one that sends it."""
    now = traject.roles.get(role)
    if wanted.named is not None:
        named = _performer(role, traject, pathway, wanted, world)
        if named.id == now:
            raise Invalid(_itself(wanted.named))
        return named
    able = wanted.able or pathway.file.roles[role].capability
    others = [
        each for each in world.region.candidates(pathway, role, traject.municipality, able) if each.id != now
    ]
    if not others or must_be_named(pathway.file.roles[role]):
        raise Invalid(_name_one(pathway.file.roles[role].title))
    return others[0]


def _itself(named: Named) -> Issue:
    return Issue(
        nl="Dit is uw eigen organisatie: noem een andere.",
        en="This is your own organisation: name another.",
        expression=(named.path,),
        code="value",
    )


def _name_one(title: str) -> Issue:
    return Issue(
        nl=f"Wie wordt de {title.lower()}? Noem een organisatie in de parameter ‘{ORGANISATION}’.",
        en=f"Who performs this ({title})? Name an organisation in parameter '{ORGANISATION}'.",
        expression=(f"Parameters.parameter.where(name='{ORGANISATION}')",),
        code="required",
    )


def _no_hand_over(named: Named) -> Issue:
    return Issue(
        nl="Hier wordt niets overgedragen: laat de organisatie weg.",
        en="Nothing is handed over here: leave the organisation out.",
        expression=(named.path,),
        code="value",
    )
