"""Sharing in a traject that runs: with whom joins it, and with whom no more."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.consent.consenting import Sharing, decision_on, weighed
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import Parties
from ketenzorg.coordination.world import World
from ketenzorg.errors import Invalid
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import SearchRows
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.engine import StepTaken
from ketenzorg.pathway.latest import latest
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import has, role_in
from ketenzorg.pathway.words import EXPLICIT
from ketenzorg.referral.consent import Choice
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import ConsentChange, NewVersion, Traject

NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())
TELLING = ("Consent", "QuestionnaireResponse")


class Handed(NamedTuple):
    """The Consents of a hand-over in a traject, and what they change."""

    made: tuple[NewVersion, ...] = ()
    change: ConsentChange | None = None


async def shared_on(parties: Parties, taken: StepTaken | None, scene: Scene) -> Handed:
    """The Consents under which a step shares with who joins by it. Raises Invalid when one may not."""
    joining = _joining(parties, taken, scene.pathway)
    if not joining:
        return Handed()
    world = scene.world
    shared = await world.consents.of(scene.traject.id, scene.organisation)
    recorded, issues = weighed(joining, sharing_in(shared, world, scene.at, shared.objections), world)
    if issues:
        raise Invalid(*issues)
    return Handed(
        tuple(NewVersion("Consent", id_, 1, body, NO_ROWS) for id_, body in recorded.made),
        ConsentChange(granted=recorded.of, weighed=tuple(each.id for each in shared.objections if each.id)),
    )


def sharing_in(shared: Shared, world: World, at: datetime, objections: tuple[Choice, ...]) -> Sharing:
    """What is shared in a traject, with all that the patient said about it."""
    traject = shared.traject
    pathway = pathway_of(traject, world)
    holder = world.region.by_id(shared.holder)
    said = [json.read(each.body) for each in shared.resources if each.type in TELLING]
    questionnaires = [each for each in said if each["resourceType"] == "QuestionnaireResponse"]
    return Sharing(
        holder=shared.holder,
        holder_kind=holder.kind if holder else "",
        pathway=pathway,
        traject=traject.id,
        patient=f"Patient/{shared.patient}",
        request=f"ServiceRequest/{traject.request.id}",
        at=at,
        said=said,
        answers=read_answers(pathway, latest(questionnaires, pathway)),
        objections=objections,
    )


def objected_to(shared: Shared, objection: Choice, world: World, at: datetime) -> tuple[UUID, ...]:
    """The organisations that have a part in a traject and may have none because of one more objection."""
    sharing = sharing_in(shared, world, at, (*shared.objections, objection))
    lost = []
    for role, organisation in _parts(shared.traject.roles):
        known = world.region.by_id(organisation)
        if known is None or organisation == shared.holder or organisation not in shared.traject.parties:
            continue
        decision = decision_on(role, known, sharing, world.region)
        if not decision.may and decision.by is not None and decision.by.id == objection.id:
            lost.append(organisation)
    return tuple(dict.fromkeys(lost))


def pathway_of(traject: Traject, world: World) -> Pathway:
    """The pathway version that a traject runs on."""
    return world.catalogue.version(traject.pathway, traject.version).in_municipality(traject.municipality)


def _joining(parties: Parties, taken: StepTaken | None, pathway: Pathway) -> dict[str, UUID]:
    """Who gets to see the traject now, and who gets work that takes an explicit consent: that must still hold."""
    here = {role: party for role, party in parties.roles.items() if has(role) and party in parties.involved}
    begins = taken.performer if taken and taken.new_task else ""
    return {
        role: party
        for role, party in here.items()
        if party not in parties.before or (role == begins and pathway.file.roles[role].consent == EXPLICIT)
    }


def _parts(roles: Mapping[str, UUID]) -> list[tuple[str, UUID]]:
    """Each organisation in each role that it has or had."""
    return [(role_in(key), party) for key, party in roles.items()]
