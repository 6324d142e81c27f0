"""Data that were added by mistake are taken back by who brought them: they stand as one, and the rules look again."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from ketenzorg import events
from ketenzorg.access.views import sight_of
from ketenzorg.coordination.reading.looking import not_found
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.receiving.notices import what_changed
from ketenzorg.coordination.scene import Scene, state_of
from ketenzorg.coordination.steps.adding import NO_ROWS, changed_data, data_and_traject, ended, judge
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES, rule_of
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Issue, PreconditionFailed, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.trajecten import NewVersion, Traject

MISTAKE = "entered-in-error"
VERIFICATION = {  # these have no status: what it is worth says so
    "AllergyIntolerance": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
    "Condition": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
}


async def take_back(
    kind: str, id_: UUID, visit: Visit, world: World, if_match: int | None
) -> tuple[int, bool, tuple[Notice, ...]]:
    """The version that says it, whether that is new, and what changed by it.

    Raises NotFound, PreconditionFailed, or TransitionNotAllowed for who did not bring it.
    """
    access = partial(visit.access, world, "delete", kind)
    for _ in range(TRIES):
        found = await data_and_traject(kind, id_, access, world)
        if found is None:
            raise not_found(kind)
        known, traject, pathway = found
        rule = rule_of("delete", kind, traject, pathway, visit)
        organisation = visit.caller.organisation
        own = await _brought(f"{kind}/{id_}", organisation, traject, world)
        if not own and not sight_of(pathway, organisation, traject.standing).sees(kind):
            raise not_found(kind)
        were = {(each, other): json.read(body) for each, other, body in known.resources}
        before = were[kind, id_]
        version = int(before["meta"]["versionId"])
        if if_match is not None and if_match != version:
            raise PreconditionFailed(_changed(kind, version))
        if not own:
            raise TransitionNotAllowed(_not_yours(kind))
        if _is_mistake(before):
            return version, False, ()
        if traject.ended is not None:
            raise ended()
        at, after = world.now(), dict(_mistaken(before))
        are = were | {(kind, id_): after}
        judged = judge([*were.values()], [*are.values()], traject, pathway, at)
        by = access(rule=f"{rule.id} {pathway.name}|{pathway.version}")
        scene = Scene(organisation, by, traject, pathway, world, at)
        body = stored_form(json.write(after), id_, version + 1, at)
        data = [NewVersion(kind, id_, version + 1, body, NO_ROWS)]
        if await world.trajecten.store(*changed_data(data, judged, scene, taken_back=True)):
            dues = engine.due(pathway, state_of(traject)), engine.due(pathway, judged.state)
            return (
                version + 1,
                True,
                tuple(what_changed(judged.before, judged.after, judged.taken, *dues, ())),
            )
    raise Conflict(CHANGING)


async def _brought(location: str, organisation: UUID, traject: Traject, world: World) -> bool:
    """Whether an organisation added this: what came with the referral is the referral's."""
    log = await world.worklist.events(traject.parties, traject.id)
    added = (each.body for each in log if isinstance(each.body, events.DataAdded))
    return any(each.organisation == organisation and location in each.resources for each in added)


def _mistaken(resource: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """As R4 has it of this type: a mistake is not active, nor over (con-4, con-5, ait-2)."""
    system = VERIFICATION.get(resource["resourceType"])
    if system is None:
        yield from (resource | {"status": MISTAKE}).items()
        return
    gone = ("clinicalStatus", "abatement", "_abatement", "verificationStatus")
    yield from ((name, value) for name, value in resource.items() if not name.startswith(gone))
    yield "verificationStatus", {"coding": [{"system": system, "code": MISTAKE}]}


def _is_mistake(resource: dict[str, Any]) -> bool:
    return dict(_mistaken(resource)) == resource


def _not_yours(kind: str) -> Issue:
    return Issue(
        nl=f"Deze {kind} kwam met de verwijzing mee, of is door een ander aangevuld. Wie aanvulde, neemt dat zelf "
        "terug; was de hele verwijzing een vergissing: DELETE de ServiceRequest. Anders: stuur nieuwe gegevens.",
        en=f"This {kind} came with the referral, or was added by another. Who added it takes it back; if all of the "
        "referral was a mistake: DELETE the ServiceRequest. Otherwise send new data.",
    )


def _changed(kind: str, version: int) -> Issue:
    return Issue(
        nl=f"Uw versie is niet meer de laatste; dat is versie {version}. Lees de {kind} opnieuw.",
        en=f"Your version is no longer the latest; that is {version}. Read the {kind} again.",
    )
