"""A Consent by itself in a transaction: what the patient wants shared, about a referral that we know.

With the referral in `provision.data` it is about that one; without, `Consent.patient` names our Patient, and it is
about that person. Only what is understood is taken: what else it says would be lost, so that is refused.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ketenzorg.access.keys import keyed_digest
from ketenzorg.coordination.consent.consenting import kind_named, organisation_named
from ketenzorg.coordination.consent.objecting import Wish, decide
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Invalid, Issue, NotFound
from ketenzorg.referral.bundle import Entry, Posted
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.consent import Written, consents_in
from ketenzorg.referral.content import canonical

SENT = f"{BASE}/NamingSystem/vastgelegde-toestemming"  # the value is a keyed digest of the content
FILLED_IN = f"{BASE}/NamingSystem/ingevulde-wens"  # the same of a form on a page
ABOUT = ("ServiceRequest", "CarePlan", "Patient")


def is_a_decision(posted: Posted) -> bool:
    """Whether a Bundle brings a Consent by itself, rather than a referral."""
    return bool(posted.entries) and all(entry.kind == "Consent" for entry in posted.entries)


async def put_on_record(posted: Posted, visit: Visit, world: World) -> tuple[bool, str, tuple[Notice, ...]]:
    """Whether it is new, where it is, and what changed by it. Raises Invalid, NotFound, Forbidden or Conflict."""
    [entry, *more] = posted.entries
    if more:
        raise Invalid(
            _issue("Bundle.entry", "Stuur elke Consent in een eigen Bundle.", "Send each by itself.")
        )
    consent = _read(entry)
    kind, id_ = _about(consent, entry)
    wish = _wish(consent, entry, world)
    digest = keyed_digest(world.keys.digest, canonical(posted)).hex()
    earlier = await world.trajecten.sent_before(SENT, digest, visit.access(world, "decide", "Consent"))
    if earlier is not None:
        return False, earlier[0], (_had_it(),)
    known = await world.trajecten.data_of(kind, id_, visit.access(world, "decide", "Consent"))
    if known is None:
        raise _not_there()
    decided = await decide(known.traject, wish, visit, world, (SENT, digest))
    return decided.new, f"Consent/{decided.consent}", decided.notices


async def put_form_on_record(
    traject: UUID, wish: Wish, form: bytes, visit: Visit, world: World
) -> tuple[Notice, ...]:
    """What changed by what somebody filled in; the same form again changes nothing. Raises what `decide` raises."""
    digest = keyed_digest(world.keys.digest, form).hex()
    access = visit.access(world, "decide", "Consent")
    if await world.trajecten.sent_before(FILLED_IN, digest, access) is not None:
        return (_had_it(),)
    return (await decide(traject, wish, visit, world, (FILLED_IN, digest))).notices


def _read(entry: Entry) -> Written:
    found = consents_in([entry.content])
    issues = [
        _issue(
            f"{entry.path}.provision.type",
            "Deze Consent zegt niet of delen mag: scope patient-privacy, en provision.type permit of deny.",
            "This Consent does not say whether to share: scope patient-privacy, provision.type permit or deny.",
        )
    ]
    if found:
        issues = list(_not_taken(found[0], entry))
    if issues:
        raise Invalid(*issues)
    return found[0]


def _not_taken(consent: Written, entry: Entry) -> Iterator[Issue]:
    provision, path = entry.content["provision"], f"{entry.path}.provision"
    if not consent.active:
        yield _issue(f"{entry.path}.status", "De Consent is niet van kracht.", "The Consent is not active.")
    if consent.given is None:
        yield _issue(f"{entry.path}.dateTime", "Wanneer zei de patiënt dit?", "When did the patient say so?")
    for name in ("period", "provision", "class", "dataPeriod", "securityLabel"):
        if name in provision:
            yield _issue(
                f"{path}.{name}",
                "Dit kunnen wij niet vastleggen; laat het weg.",
                "Not supported; leave it out.",
            )
    for name, count in (
        ("actor", len(consent.actors)),
        ("purpose", len(provision.get("purpose", ()))),
        ("data", len(consent.about)),
    ):
        if count > 1:
            yield _issue(f"{path}.{name}", "Noem er één, of geen.", "Name one, or none.")
    if len(consent.purposes) != len(provision.get("purpose", ())):
        yield _issue(
            f"{path}.purpose",
            "Noem een zorgpad, of laat het doel weg.",
            "Name a pathway, or leave the purpose out.",
        )


def _about(consent: Written, entry: Entry) -> tuple[str, UUID]:
    patient = entry.content.get("patient", {}).get("reference", "")
    kind, _, id_ = (consent.about[0] if consent.about else patient).partition("/")
    try:
        if kind in ABOUT and (kind == "Patient") != bool(consent.about):
            return kind, UUID(id_)
    except ValueError:
        pass
    raise _not_there()


def _wish(consent: Written, entry: Entry, world: World) -> Wish:
    organisation, kind, issues = None, "", []
    for actor in consent.actors:
        organisation, kind = organisation_named(actor, world.region), kind_named(actor)
        if organisation is None and kind not in {each.kind for each in world.region.organisations}:
            nl, en = "Deze organisatie kent de regio niet.", "The region does not know this organisation."
            issues.append(_issue(f"{entry.path}.provision.actor[0].reference", nl, en))
    pathway = consent.purposes[0] if consent.purposes else ""
    if pathway and pathway not in world.catalogue.names:
        nl, en = "Dit zorgpad is er niet.", "There is no such pathway."
        issues.append(_issue(f"{entry.path}.provision.purpose[0].code", nl, en))
    if issues or consent.given is None:
        raise Invalid(*issues)
    return Wish(
        permits=consent.permits,
        since=consent.given.low,
        organisation=organisation.id if organisation else None,
        kind=kind,
        pathway=pathway,
        here=bool(consent.about),
    )


def _issue(path: str, nl: str, en: str, **more: Any) -> Issue:
    return Issue(nl=nl, en=en, expression=(path,), code="business-rule", **more)


def _had_it() -> Notice:
    return Issue(
        nl="Dit was al vastgelegd; er is niets veranderd.",
        en="This was on record already; nothing changed.",
        code="informational",
        severity="information",
    )


def _not_there() -> NotFound:
    return NotFound(
        Issue(
            nl="De verwijzing (provision.data) of patiënt waar dit over gaat, is er niet, of niet voor u.",
            en="The referral (provision.data) or patient that this is about is not there, or not for you.",
        )
    )
