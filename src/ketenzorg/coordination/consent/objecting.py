"""What a patient wants shared is put on record: an objection, the end of one, or an explicit consent.

An objection that is not about one referral holds for the person, in all trajecten of the region at once: whoever may
not see them any more sees nothing from this moment, and hand-overs to them end. That it was lifted brings nothing
back: a new referral does.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.coordination.choosing.objected import asked_by_name, asked_no_more
from ketenzorg.coordination.consent.objection_notices import again, ahead, given, nothing_ended, told
from ketenzorg.coordination.consent.sharing_on import NO_ROWS, objected_to, pathway_of
from ketenzorg.coordination.consent.withdrawing import Changed, on_record, taken_back
from ketenzorg.coordination.person.elsewhere import unnamed
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.showing.names import ELSEWHERE
from ketenzorg.coordination.steps.calling_off import called_off_in
from ketenzorg.coordination.steps.handing_over import Parties
from ketenzorg.coordination.steps.planning import CLOCKS_DIFFER, planned
from ketenzorg.coordination.steps.stepping import rule_of
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Forbidden, Invalid, Issue, NotFound
from ketenzorg.pathway.leaving import WayOut, withdrawal
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region_file import CARE_PROVIDERS
from ketenzorg.pathway.standing import has, roles_of
from ketenzorg.pathway.words import ITSELF
from ketenzorg.referral.consent import Choice, new_consent
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.audit import Access
from ketenzorg.store.consents import Outrun, Shared
from ketenzorg.store.trajecten import (
    ConsentChange,
    FindersOf,
    Identity,
    NewObjection,
    NewVersion,
    Step,
)

TRIES = 3
CHANGING = Issue(
    nl="Er wordt op dit moment door anderen aan een traject van deze patiënt gewerkt. Probeer het nog eens.",
    en="Others are working on a traject of this patient at this moment. Try once more.",
)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the patient said; what is not named, it is about all of."""

    permits: bool
    since: datetime
    organisation: UUID | None = None
    kind: str = ""
    pathway: str = ""
    here: bool = False  # about this referral only


class Decided(NamedTuple):
    """Where it is on record, and what changed by it."""

    consent: UUID
    notices: tuple[Notice, ...]
    new: bool = True


class _Planned(NamedTuple):
    change: Changed
    finders: FindersOf
    ended: bool  # the hand-over that ran


async def decide(
    traject: UUID, wish: Wish, visit: Visit, world: World, identity: tuple[str, str] | None = None
) -> Decided:
    """Put it on record, with everything that follows, at once. Raises NotFound, Forbidden, Invalid or Conflict."""
    organisation = visit.caller.organisation
    for _ in range(TRIES):
        at = world.now()
        if wish.since > at + CLOCKS_DIFFER:
            raise Invalid(ahead())
        try:
            async with world.consents.decide(traject, organisation) as (trajecten, store):
                decided, steps = _decide(traject, wish, trajecten, visit, world, at)
                for (step, versions), finders, _ in steps:
                    known = identity if step.traject == traject else None
                    await store(_known_as(known, decided, step), versions, finders)
        except Outrun:
            continue
        return decided
    raise Conflict(CHANGING)


def _known_as(identity: tuple[str, str] | None, decided: Decided, step: Step) -> Step:
    if identity is None:
        return step
    return msgspec.structs.replace(step, identity=Identity(*identity, (f"Consent/{decided.consent}",)))


def _decide(
    traject: UUID, wish: Wish, trajecten: tuple[Shared, ...], visit: Visit, world: World, at: datetime
) -> tuple[Decided, list[_Planned]]:
    own = next((each for each in trajecten if each.traject.id == traject), None)
    if own is None:
        raise NotFound(
            Issue(nl="Deze verwijzing is er niet, of niet voor u.", en="No such referral, or not for you.")
        )
    rule_of("decide", "Consent", own.traject, pathway_of(own.traject, world), visit)
    _may_say(wish, own, visit, world)
    since = min(wish.since, at)
    wish = msgspec.structs.replace(wish, since=since)
    if not wish.permits:
        return _objection(own, wish, trajecten, visit, world, at)
    if wish.here:
        return _consent(own, wish, visit, world, at)
    return _lifted(own, wish, trajecten, visit, world, at)


def _may_say(wish: Wish, own: Shared, visit: Visit, world: World) -> None:
    """Whoever is no care provider speaks of itself only: more would reach into everybody's care."""
    organisation = visit.caller.organisation
    known = world.region.by_id(organisation)
    provider = known is not None and known.kind in CARE_PROVIDERS
    if not provider and organisation not in {own.holder, wish.organisation}:
        raise Forbidden(
            Issue(
                nl="U legt vast wat de patiënt over uw eigen organisatie zei; de rest legt een zorgaanbieder vast.",
                en="You put on record what the patient said of your own organisation; a care provider does all else.",
            )
        )


def _objection(
    own: Shared, wish: Wish, trajecten: tuple[Shared, ...], visit: Visit, world: World, at: datetime
) -> tuple[Decided, list[_Planned]]:
    id_ = world.new_id()
    data = own.traject.id if wish.here else None
    choice = Choice(
        permits=False,
        since=wish.since,
        user=wish.organisation,
        user_kind="" if wish.organisation else wish.kind,
        pathway=wish.pathway,
        traject=data,
        id=id_,
    )
    objection = NewObjection(id_, wish.since, wish.organisation, choice.user_kind, wish.pathway, data)
    steps: list[_Planned] = []
    notices: list[Notice] = []
    for shared in trajecten:
        here = shared is own
        lost = objected_to(shared, choice, world, at)
        if not here and not lost:
            continue
        plan = _step(shared, lost, id_, "bezwaar", visit, world, at)
        change = plan.change
        if lost:
            notice = shared.traject.task.version + int(plan.ended)
            asked = asked_by_name(shared.traject, lost)
            if asked:
                change = asked_no_more(change, asked, shared, world, at)
            gone = tuple(each for each in lost if each not in asked)
            if gone:
                change = taken_back(*change, gone, shared, world, at, notice=notice)
            if here or visit.caller.organisation in shared.traject.parties:
                notices += told(lost, shared, plan.ended, world)
        if here:
            readers = {own.holder, visit.caller.organisation} - set(lost)
            change = on_record(*change, objection, _bytes(id_, "bezwaar", own, wish, visit, at), readers)
        steps.append(plan._replace(change=change))
    return Decided(id_, tuple(notices) or (nothing_ended(),)), steps


def _consent(
    own: Shared, wish: Wish, visit: Visit, world: World, at: datetime
) -> tuple[Decided, list[_Planned]]:
    """An explicit consent for what is still to be shared of this referral."""
    id_ = world.new_id()
    plan = _step(own, (), id_, "gegeven", visit, world, at)
    step, versions = plan.change
    readers = tuple({own.holder, visit.caller.organisation})
    step = msgspec.structs.replace(step, seen_by=step.seen_by | {"Consent": readers})
    new = NewVersion("Consent", id_, 1, _bytes(id_, "uitdrukkelijk", own, wish, visit, at), NO_ROWS)
    return Decided(id_, (given(),)), [plan._replace(change=(step, [*versions, new]))]


def _lifted(
    own: Shared, wish: Wish, trajecten: tuple[Shared, ...], visit: Visit, world: World, at: datetime
) -> tuple[Decided, list[_Planned]]:
    """The end of the objections of the same scope, wherever they were recorded."""
    scope = wish.organisation, "" if wish.organisation else wish.kind, wish.pathway
    lifted = {
        each.id
        for each in own.objections
        if each.id and each.traject is None and (each.user, each.user_kind, each.pathway) == scope
    }
    if not lifted:
        raise Invalid(
            Issue(
                nl="Er is geen bezwaar dat hier precies over gaat, dus ook niets om op te heffen. Toestemming voor één "
                "verwijzing noemt die verwijzing.",
                en="There is no objection of exactly this scope to lift. A consent for one referral names it in "
                "provision.data.",
                expression=("Consent.provision",),
                code="business-rule",
            )
        )
    steps = []
    for shared in trajecten:
        ended = [each for each in shared.resources if each.type == "Consent" and each.id in lifted]
        if not ended and shared is not own:
            continue
        plan = _step(shared, (), next(iter(lifted)), "opgeheven", visit, world, at)
        step, versions = plan.change
        over = [
            NewVersion(
                "Consent",
                each.id,
                each.version + 1,
                stored_form(each.body, each.id, each.version + 1, at, status="inactive"),
                NO_ROWS,
            )
            for each in ended
        ]
        if shared is own:
            step = msgspec.structs.replace(step, consent=ConsentChange(lifted=tuple(sorted(lifted))))
        step = msgspec.structs.replace(step, callers=shared.traject.parties)
        steps.append(plan._replace(change=(step, [*versions, *over])))
    return Decided(min(lifted), (again(),), new=False), steps


def _step(
    shared: Shared,
    lost: tuple[UUID, ...],
    consent: UUID,
    change: str,
    visit: Visit,
    world: World,
    at: datetime,
) -> _Planned:
    """What is stored in one traject: the end of the hand-over to one of these, else only that it was put on record."""
    traject, pathway = shared.traject, pathway_of(shared.traject, world)
    # Who is no party here is not told: where else a patient is treated is nobody's business.
    party = visit.caller.organisation if visit.caller.organisation in traject.parties else ELSEWHERE
    scene = Scene(party, _access(shared, pathway, visit, world), traject, pathway, world, at)
    out = _way_out(shared, lost, party, pathway)
    if out is not None:
        said = Said(event=out.event, by=out.by, given=out.given)
        plan = planned(said, scene)
        resources = ((each.type, each.id, each.body) for each in shared.resources)
        off = called_off_in(resources, plan.taken, scene)
        return _Planned((plan.step, [*plan.versions, *off]), plan.finders, True)
    plan = planned(Said(event=None, by=ITSELF), scene)
    body = events.ConsentChanged(change=change, organisation=party, consent=consent, at=at)
    now = Parties(traject.standing, traject.involved, traject.involved)
    step = msgspec.structs.replace(
        plan.step,
        event="toestemming",
        event_body=body,
        ended=traject.ended,
        parties=traject.parties,
        involved=now.involved,
        witnesses=now.witnesses,
        joining=(),
        losing=(),
        leaving=(),
        found_by=(),
    )
    return _Planned((step, []), plan.finders, False)


def _way_out(shared: Shared, lost: tuple[UUID, ...], party: UUID, pathway: Pathway) -> WayOut | None:
    """How the hand-over that runs ends, when who performs it may not see it any more."""
    traject = shared.traject
    step = pathway.steps[traject.step]
    if traject.ended is not None or traject.roles.get(step.performer) not in lost:
        return None
    others = [role for role in traject.roles if has(role)]
    roles = [*roles_of(party, traject.roles), step.requester, *others]
    return withdrawal(step, roles, pathway.steps, pathway.file.needs)


def _access(shared: Shared, pathway: Pathway, visit: Visit, world: World) -> Access:
    """On record everywhere that something changes; where the caller has no part, without its name."""
    rule = f"records-consent {pathway.name}|{pathway.version}"
    access = visit.access(world, "decide", "Consent", rule=rule)
    return access if visit.caller.organisation in shared.traject.parties else unnamed(access)


def _bytes(id_: UUID, basis: str, own: Shared, wish: Wish, visit: Visit, at: datetime) -> bytes:
    return new_consent(
        id_,
        "bezwaar" if basis == "bezwaar" else "uitdrukkelijk",
        patient=f"Patient/{own.patient}",
        at=at,
        since=instant(wish.since),
        holder=visit.caller.organisation,
        actors=[wish.organisation] if wish.organisation else [],
        kind="" if wish.organisation else wish.kind,
        request=f"ServiceRequest/{own.traject.request.id}" if wish.here else "",
        pathway=wish.pathway,
    )
