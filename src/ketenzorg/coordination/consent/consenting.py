"""Before anything goes to an organisation: under which consent it goes, and the Consent that says so.

A referral to a care provider rests on presumed consent, which we make explicit as a Consent (NEN 7517). Whoever is no
care provider gets nothing without a consent that was asked for and given, and nobody gets anything past an objection.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.sharing import Decision, Question, may_share
from ketenzorg.coordination.consent.refusing import objected, unasked, wrong
from ketenzorg.coordination.receiving.naming import organisation_of
from ketenzorg.coordination.receiving.notice import answer_path
from ketenzorg.coordination.world import World
from ketenzorg.errors import Issue
from ketenzorg.fhir.dates import period_of
from ketenzorg.pathway.answered import Code, Day, Value, YesNo
from ketenzorg.pathway.answers import asks_for
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.standing import has, role_in
from ketenzorg.pathway.words import EXPLICIT
from ketenzorg.referral.consent import KIND_SYSTEM, Choice, Written, consents_in, new_consent
from ketenzorg.referral.intake import Named
from ketenzorg.referral.stored import instant


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be shared, and everything that tells whether it may be."""

    holder: UUID  # whose data: who referred
    holder_kind: str
    pathway: Pathway
    traject: UUID
    patient: str  # address
    request: str
    at: datetime
    said: Sequence[Mapping[str, Any]]  # the resources of the traject, each with its id
    answers: Mapping[str, Value]
    objections: Sequence[Choice] = ()


class Recorded(NamedTuple):
    """The Consents of a hand-over: those that we made, and which one each organisation takes part under."""

    made: tuple[tuple[UUID, bytes], ...]
    of: dict[UUID, UUID]


class _Ground(NamedTuple):
    """What the patient said about one organisation, and what is the matter with it."""

    choice: Choice | None
    doubts: tuple[Issue, ...]


_NOTHING = _Ground(None, ())


def weighed(roles: Mapping[str, UUID], sharing: Sharing, world: World) -> tuple[Recorded, list[Issue]]:
    """The Consents under which the organisations in these roles take part, or why one of them may not."""
    of: dict[UUID, UUID] = {}
    made: list[tuple[UUID, bytes]] = []
    presumed: list[UUID] = []
    issues: list[Issue] = []
    for key, organisation in _recipients(roles, sharing, world.region):
        role = role_in(key)
        ground = _ground(role, organisation, sharing, world.region)
        decision = _decision(role, organisation, ground, sharing)
        if not decision.may:
            issues += _refusal(decision, role, organisation, ground, sharing)
        elif not has(key):
            continue  # who is only asked gets nothing of the patient: a Consent is made for who is chosen
        elif ground.choice is None:
            presumed.append(organisation.id)
        elif ground.choice.id is not None:
            of[organisation.id] = ground.choice.id
        else:
            made.append(_explicit(role, organisation, ground.choice, sharing, world))
            of[organisation.id] = made[-1][0]
    if presumed:
        made.append(_presumed(presumed, sharing, world))
        of |= dict.fromkeys(presumed, made[-1][0])
    return Recorded(tuple(made), of), issues


def _recipients(
    roles: Mapping[str, UUID], sharing: Sharing, region: Region
) -> Iterator[tuple[str, Organisation]]:
    """Each organisation but the holder, once, under the key of the role of hers that asks most."""
    strictest = sorted(roles, key=lambda key: sharing.pathway.file.roles[role_in(key)].consent != EXPLICIT)
    seen = {sharing.holder}
    for key in strictest:
        organisation = region.by_id(roles[key])
        if organisation is not None and organisation.id not in seen:
            seen.add(organisation.id)
            yield key, organisation


def decision_on(role: str, organisation: Organisation, sharing: Sharing, region: Region) -> Decision:
    """Whether an organisation in this role may get to see what is shared."""
    return _decision(role, organisation, _ground(role, organisation, sharing, region), sharing)


def _decision(role: str, organisation: Organisation, ground: _Ground, sharing: Sharing) -> Decision:
    question = Question(
        holder=sharing.holder,
        holder_kind=sharing.holder_kind,
        user=organisation.id,
        user_kind=organisation.kind,
        pathway=sharing.pathway.name,
        traject=sharing.traject,
        at=sharing.at,
        presumed=sharing.pathway.file.roles[role].consent != EXPLICIT,
    )
    return may_share([*sharing.objections, *([ground.choice] if ground.choice else [])], question)


def _refusal(
    decision: Decision, role: str, organisation: Organisation, ground: _Ground, sharing: Sharing
) -> list[Issue]:
    if decision.by is not None:
        return [objected(decision, organisation, sharing.pathway)]
    asked = sharing.pathway.file.consent[role].given
    return [unasked(organisation, doubt) for doubt in ground.doubts] or [
        unasked(organisation, wrong(asked, sharing.pathway.file.data[asked].ask))
    ]


def _ground(role: str, organisation: Organisation, sharing: Sharing, region: Region) -> _Ground:
    """An explicit consent to this organisation: a Consent that was sent, else the answers of the pathway."""
    sent = [each for each in consents_in(sharing.said) if each.permits and each.basis != "verondersteld"]
    about = [each for each in sent if _is_about(each, organisation, sharing, region)]
    if about:
        return _sent(about, organisation, sharing, region)
    ground = _answered(role, organisation, sharing) if role in sharing.pathway.file.consent else _NOTHING
    if sent and ground.choice is None:
        nl = "De Consent noemt een andere organisatie, een ander zorgpad, andere gegevens of iemand anders."
        en = "The Consent names another organisation, pathway, request or person."
        return _Ground(None, (Issue(nl=nl, en=en), *ground.doubts))
    return ground


def _sent(about: Sequence[Written], organisation: Organisation, sharing: Sharing, region: Region) -> _Ground:
    doubts = [_doubt(each, sharing.at) for each in about]
    good = next((each for each, doubt in zip(about, doubts, strict=True) if doubt is None), None)
    if good is None:
        return _Ground(None, tuple(doubt for doubt in doubts if doubt))
    # One that we made of answers names who got the data; what the patient was asked about is the role.
    named = not good.basis and any(_names(actor, organisation, region) for actor in good.actors)
    choice = _choice(organisation, sharing, good.given.low if good.given else sharing.at)
    return _Ground(
        msgspec.structs.replace(
            choice,
            user=organisation.id if named else None,
            until=good.holds.high,
            id=UUID(good.resource["id"]),
        ),
        (),
    )


def _is_about(consent: Written, organisation: Organisation, sharing: Sharing, region: Region) -> bool:
    to = not consent.actors or any(
        _names(actor, organisation, region) or kind_named(actor) == organisation.kind
        for actor in consent.actors
    )
    whom = consent.resource.get("patient", {}).get("reference", sharing.patient) == sharing.patient
    here = whom and (not consent.purposes or sharing.pathway.name in consent.purposes)
    return to and here and (not consent.about or sharing.request in consent.about)


def _doubt(consent: Written, at: datetime) -> Issue | None:
    """Why a Consent does not count now."""
    if not consent.active:
        return Issue(nl="De Consent is niet van kracht (status).", en="The Consent is not active (status).")
    if consent.given is None:
        return Issue(
            nl="De Consent zegt niet wanneer die gegeven is: Consent.dateTime.",
            en="The Consent does not say when it was given: Consent.dateTime.",
            code="required",
        )
    if at < max(consent.given.low, consent.holds.low):
        return Issue(nl="De Consent geldt nog niet.", en="The Consent does not hold yet.")
    if at >= consent.holds.high:
        return Issue(
            nl="De Consent is verlopen (provision.period).", en="The Consent has expired (provision.period)."
        )
    return None


def _answered(role: str, organisation: Organisation, sharing: Sharing) -> _Ground:
    file = sharing.pathway.file
    asked, answers = file.consent[role], sharing.answers
    missing = [] if answers.get(asked.given) == YesNo("ja") else [asked.given]
    day = answers.get(asked.on)
    missing += [] if isinstance(day, Day) else [asked.on]
    missing += [asked.scope] if asked.scope and not isinstance(answers.get(asked.scope), Code) else []
    if missing:
        return _Ground(None, tuple(wrong(name, file.data[name].ask) for name in missing))
    since = period_of(day.value.isoformat()).low if isinstance(day, Day) else sharing.at
    if since > sharing.at:
        nl, en = "De dag van de toestemming ligt in de toekomst.", "The day of the consent lies ahead."
        return _Ground(None, (Issue(nl=nl, en=en, expression=(answer_path(asked.on),), code="value"),))
    return _Ground(_choice(organisation, sharing, since), ())


def _choice(organisation: Organisation, sharing: Sharing, since: datetime) -> Choice:
    """A consent to whoever plays the role, for these data."""
    return Choice(
        permits=True,
        since=since,
        holder=sharing.holder,
        user_kind=organisation.kind,
        pathway=sharing.pathway.name,
        traject=sharing.traject,
    )


def _explicit(
    role: str, organisation: Organisation, choice: Choice, sharing: Sharing, world: World
) -> tuple[UUID, bytes]:
    """What was answered, as a Consent."""
    file = sharing.pathway.file
    asked = file.consent[role]
    day, scope = sharing.answers.get(asked.on), sharing.answers.get(asked.scope)
    source = next((each for each in reversed(sharing.said) if asks_for(sharing.pathway, each)), None)
    id_ = world.new_id()
    return id_, new_consent(
        id_,
        "uitdrukkelijk",
        patient=sharing.patient,
        at=sharing.at,
        since=day.value.isoformat() if isinstance(day, Day) else instant(choice.since),
        holder=sharing.holder,
        actors=[organisation.id],
        request=sharing.request,
        pathway=sharing.pathway.name,
        source=f"QuestionnaireResponse/{source['id']}" if source else "",
        scope=(scope.code, file.data[asked.scope].codes[scope.code]) if isinstance(scope, Code) else None,
    )


def _presumed(organisations: Sequence[UUID], sharing: Sharing, world: World) -> tuple[UUID, bytes]:
    id_ = world.new_id()
    return id_, new_consent(
        id_,
        "verondersteld",
        patient=sharing.patient,
        at=sharing.at,
        since=instant(sharing.at),
        holder=sharing.holder,
        actors=organisations,
        request=sharing.request,
        pathway=sharing.pathway.name,
    )


def _names(actor: Mapping[str, Any], organisation: Organisation, region: Region) -> bool:
    """Whether a reference names this very organisation."""
    known = organisation_named(actor, region)
    return known is not None and known.id == organisation.id


def organisation_named(actor: Mapping[str, Any], region: Region) -> Organisation | None:
    """The organisation of the region that a reference names."""
    number = actor.get("identifier", {})
    pairs = ((number.get("system", ""), number.get("value", "")),) if number else ()
    return organisation_of(Named(pairs, actor.get("reference", "").removeprefix("Organization/"), ""), region)


def kind_named(actor: Mapping[str, Any]) -> str:
    """The kind of organisation that a reference names, if it does."""
    number = actor.get("identifier", {})
    return str(number.get("value", "")) if number.get("system") == KIND_SYSTEM else ""
