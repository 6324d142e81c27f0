"""What a referral says about consent, and what the patient said before it came."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.coordination.consent.consenting import Sharing, decision_on, weighed
from ketenzorg.coordination.receiving.participants import Participants
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue
from ketenzorg.fhir import json
from ketenzorg.pathway.answered import Value
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import ASKED, role_in
from ketenzorg.referral.bundle import Entry
from ketenzorg.referral.consent import consents_in
from ketenzorg.referral.intake import Asked
from ketenzorg.store.audit import REFUSED
from ketenzorg.store.referrals import Package, Stored

TRIES = 3  # an objection that is recorded at the same moment is looked at too
OBJECTING = Issue(
    nl="De patiënt maakt op dit moment bezwaar. Stuur de verwijzing nog eens.",
    en="The patient is objecting at this moment. Send the referral once more.",
)


def what_is_shared(
    own: list[Entry],
    asked: Asked,
    pathway: Pathway,
    participants: Participants,
    answers: Mapping[str, Value],
    traject: UUID,
    at: datetime,
) -> Sharing:
    """What the referral shares, with what it says about consent; what a Consent says is no answer as well."""
    consents = [entry for entry in own if entry.kind == "Consent"]
    questionnaires = [entry for entry in own if entry.kind == "QuestionnaireResponse"]
    return Sharing(
        holder=participants.requester.id,
        holder_kind=participants.requester.kind,
        pathway=pathway,
        traject=traject,
        patient=asked.patient.location,
        request=asked.request.location,
        at=at,
        said=[
            *({**json.read(entry.raw), "id": str(entry.id)} for entry in consents),
            *({**entry.content, "id": str(entry.id)} for entry in questionnaires),
        ],
        answers=read_answers(pathway, [entry.content for entry in questionnaires]) if consents else answers,
    )


def objections_sent(entries: Sequence[Entry]) -> list[Issue]:
    """An objection is put on record by itself: a referral that brings one says two things at once."""
    return [
        Issue(
            nl="Deze Consent is een bezwaar (provision.type deny), en dat hoort niet in een verwijzing. Stuur hem "
            "in een eigen Bundle, bij een verwijzing die wij kennen.",
            en="This Consent is an objection (provision.type deny), which is no part of a referral. Send it in "
            "a Bundle of its own, about a referral that we know.",
            expression=(f"{entry.path}.provision.type",),
        )
        for entry in entries
        if entry.kind == "Consent" and any(not each.permits for each in consents_in([entry.content]))
    ]


async def without_objected(
    participants: Participants, sharing: Sharing, person: UUID, world: World
) -> Participants:
    """What is open to all goes past whom the patient objects to; all of them, and the referral is refused as any."""
    if not participants.open:
        return participants
    objections = await world.consents.objections(person)
    against = msgspec.structs.replace(sharing, objections=objections)
    by_key = {key: party for key, party in participants.roles.items() if ASKED in key}
    kept = {
        each.id
        for each in participants.asked
        for key, party in by_key.items()
        if party == each.id and decision_on(role_in(key), each, against, world.region).may
    }
    if not kept:
        return participants
    return participants._replace(
        roles={key: party for key, party in participants.roles.items() if key not in by_key or party in kept},
        asked=tuple(each for each in participants.asked if each.id in kept),
    )


async def unless_objected(
    package: Package, participants: Participants, sharing: Sharing, visit: Visit, world: World
) -> Stored:
    """Store it. Raises Invalid when the patient objects to it, which is then on record."""
    for _ in range(TRIES):
        stored = await world.referrals.receive(package)
        if stored.hash:
            return stored
        objections = await world.consents.objections(package.referral.person)
        against = msgspec.structs.replace(sharing, objections=objections)
        _, refusals = weighed(participants.roles, against, world)
        if refusals:
            told = visit.access(world, "create", "ServiceRequest", rule=package.referral.access.rule)
            await world.audit.note(told, "Consent", outcome=REFUSED)
            raise Invalid(*refusals)
        ids = tuple(each.id for each in objections if each.id)
        package = msgspec.structs.replace(
            package, referral=msgspec.structs.replace(package.referral, weighed=ids)
        )
    raise Conflict(OBJECTING)
