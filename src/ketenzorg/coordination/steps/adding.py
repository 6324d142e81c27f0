"""New data for a traject that runs: stored, judged by the rules together with all that was there, and signalled.

They come one by one, as creates, or together in a transaction Bundle; `belonging` says how they name their traject.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.finding import finders_of
from ketenzorg.access.keys import keyed_digest
from ketenzorg.access.personal_numbers import tokens_in
from ketenzorg.access.sealing import take_numbers_out
from ketenzorg.access.views import sight_of
from ketenzorg.coordination.receiving.lenience import claims_of, judged
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.receiving.notices import what_changed
from ketenzorg.coordination.scene import Scene, state_of
from ketenzorg.coordination.steps.belonging import belongs_to, not_there
from ketenzorg.coordination.steps.clock import running, soonest
from ketenzorg.coordination.steps.handing_over import Parties, seen_by
from ketenzorg.coordination.steps.known_already import known_already
from ketenzorg.coordination.steps.stepping import CHANGING, TRIES, load, rule_of
from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.steps.versions import Said, next_versions
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue, TransitionNotAllowed
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import SearchRows
from ketenzorg.pathway import engine
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.criteria import Screening, screen
from ketenzorg.pathway.engine import State, StepTaken
from ketenzorg.pathway.latest import latest
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.unread import unread
from ketenzorg.pathway.words import ITSELF
from ketenzorg.referral.bundle import Entry, Posted
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.content import canonical
from ketenzorg.referral.references import resolve
from ketenzorg.referral.stored import stored_form
from ketenzorg.store.audit import Access
from ketenzorg.store.trajecten import FindersOf, Further, Identity, Known, NewVersion, Step, Traject

SENT = f"{BASE}/NamingSystem/aangevulde-gegevens"  # the value is a keyed digest of the content
ABOUT = frozenset(
    {"Observation", "QuestionnaireResponse", "DiagnosticReport"}
)  # get our Patient when they name none
NO_ROWS = SearchRows(frozenset(), frozenset(), frozenset())


class Addition(msgspec.Struct, frozen=True):
    """What the sender hears: where each entry is, which of them were here already, and what changed."""

    new: bool
    at: datetime
    locations: tuple[str, ...]
    notices: tuple[Notice, ...]
    known: frozenset[str] = frozenset()
    raised: bool = False  # a signal or an alarm that was not there before
    seen: bool = False  # whether the sender sees what it added (the first of it)


class Judged(msgspec.Struct, frozen=True):
    """The rules before and after, and what they raised."""

    before: Screening
    after: Screening
    state: State
    taken: tuple[StepTaken, ...]


async def add_data(sent: Posted, visit: Visit, world: World) -> Addition:
    """Take new data in. Raises Invalid, NotFound (also for who takes no part now) or TransitionNotAllowed.

    What says with If-None-Exist that it may be here already, and is, is left as it stands.
    """
    belonging, claims = belongs_to(sent), await claims_of(sent, world)
    adding = partial(visit.access, world, "add", sent.entries[0].kind)
    digest = keyed_digest(world.keys.digest, canonical(sent)).hex()
    for _ in range(TRIES):
        earlier = await world.trajecten.sent_before(SENT, digest, adding())
        if earlier is not None:
            return Addition(False, world.now(), earlier, (_had_it(),), frozenset(earlier), seen=True)
        found = await data_and_traject(*belonging, adding, world)
        if found is None:
            raise not_there()
        known, traject, pathway = found
        if traject.ended is not None:
            raise ended()
        sight = sight_of(pathway, visit.caller.organisation, traject.standing)
        posted = Posted([replace(each) for each in sent.entries])  # each try makes its own of them
        here = known_already(posted, known, sight)
        kept = _make_ready(posted, known, traject, claims, visit, world)
        locations, seen = tuple(entry.location for entry in posted.entries), sight.sees(sent.entries[0].kind)
        if len(here) == len(locations):
            return Addition(False, world.now(), locations, (_had_it(),), here, seen=seen)
        at = world.now()
        new = Posted([entry for entry in posted.entries if entry.location not in here])
        stored = [json.read(body) for _, _, body in known.resources]
        judged = judge(stored, [*stored, *(entry.content for entry in new.entries)], traject, pathway, at)
        rule = rule_of("add", sent.entries[0].kind, traject, pathway, visit)
        access = adding(rule=f"{rule.id} {pathway.name}|{pathway.version}")
        scene = Scene(visit.caller.organisation, access, traject, pathway, world, at)
        identity = Identity(SENT, digest, locations)
        came = [_stored(entry, known, at) for entry in new.entries]
        step, versions, finders = changed_data(came, judged, scene, identity)
        if await world.trajecten.store(step, versions, finders):
            dues = engine.due(pathway, scene.state), engine.due(pathway, judged.state)
            said = [entry.content for entry in new.entries]
            unreadable = unread(pathway, said, read_answers(pathway, said))
            notices = what_changed(judged.before, judged.after, judged.taken, *dues, unreadable)
            return Addition(True, at, locations, (*kept, *notices), here, _raises(judged), seen)
    raise Conflict(CHANGING)


async def data_and_traject(
    kind: str, id_: UUID, access: Callable[[], Access], world: World
) -> tuple[Known, Traject, Pathway] | None:
    """All data of a traject, no older than the traject itself: what comes after, storing a step refuses.

    None for who takes no part in it now.
    """
    known = await world.trajecten.data_of(kind, id_, access())
    if known is None:
        return None
    traject, pathway = await load(known.task, access(), world)
    known = await world.trajecten.data_of(kind, id_, access())
    return None if known is None else (known, traject, pathway)


def judge(
    were: list[dict[str, Any]], are: list[dict[str, Any]], traject: Traject, pathway: Pathway, at: datetime
) -> Judged:
    """What the rules make of the data as they were and as they are."""
    before = screen(pathway, read_answers(pathway, latest(were, pathway)), at)
    after = screen(pathway, read_answers(pathway, latest(are, pathway)), at)
    state = engine.rearmed(state_of(traject), after)
    known_already = {raised.event for raised in before.events}
    taken: list[StepTaken] = []
    for raised in after.events:
        able = {option.event for option in engine.allowed(pathway, state, ITSELF) if not option.new_task}
        if raised.event in able - known_already:
            known_already.add(raised.event)
            taken.append(engine.advance(pathway, state, raised.event, ITSELF, at, {}))
            state = taken[-1].state
    return Judged(before, after, state, tuple(taken))


def _raises(judged: Judged) -> bool:
    before, after = (
        {stop.rule for stop in each.blocked if stop.alarm} for each in (judged.before, judged.after)
    )
    return bool(judged.taken) or not after <= before


def changed_data(
    data: list[NewVersion],
    judged: Judged,
    scene: Scene,
    identity: Identity | None = None,
    *,
    taken_back: bool = False,
) -> tuple[Step, list[NewVersion], FindersOf]:
    """Everything that is stored together: the data, what they change, and the signals."""
    organisation, access, traject, pathway, world, at = scene
    now = traject.involved
    parties = Parties(traject.standing, now, now)
    dues = engine.due(pathway, judged.state)
    [task] = next_versions(Said(event=None, by=ITSELF), None, parties, soonest(dues), scene)
    came = tuple(f"{each.type}/{each.id}" for each in data)
    step = Step(
        traject=traject.id,
        seq=traject.seq,
        at=at,
        step=judged.state.step,
        counts=judged.state.counts,
        happened=judged.state.happened,
        ended=None,
        dues=running(dues, pathway),
        was_until=at,
        task=task.id,
        open_task=task.id,
        event_id=world.new_id(),
        event="gegevens teruggenomen" if taken_back else "gegevens aangevuld",
        from_step=traject.step,
        happened_at=at,
        event_body=events.DataAdded(
            organisation=organisation,
            task=task.id,
            at=at,
            resources=came,
            kept=judged.after.kept,
            taken_back=taken_back,
        ),
        priority=how_soon(pathway, judged.state.counts, json.read(task.body).get("priority")),
        access=access,
        organisation=organisation,
        roles=traject.roles,
        phases=traject.phases,
        parties=traject.parties,
        involved=now,
        witnesses=now,
        seen_by={each.type: seen_by(each.type, parties, pathway) for each in data},
        identity=identity,
        further=tuple(_signal(taken, task.id, organisation, world) for taken in judged.taken),
    )
    return step, [task, *data], finders_of(parties.sights(pathway))


def _signal(taken: StepTaken, task: UUID, organisation: UUID, world: World) -> Further:
    body = events.StepTaken(
        event=taken.event,
        from_step=taken.from_step,
        to_step=taken.to_step,
        at=taken.at,
        by=taken.by,
        organisation=organisation,
        task=task,
        task_status=taken.task,
    )
    return Further(world.new_id(), taken.event, taken.from_step, taken.to_step, body)


def _stored(entry: Entry, known: Known, at: datetime) -> NewVersion:
    about = {"subject": {"reference": f"Patient/{known.patient}"}}
    named = "subject" in entry.content or entry.kind not in ABOUT
    body = stored_form(entry.raw, entry.id, 1, at, **({} if named else about))
    return NewVersion(entry.kind, entry.id, 1, body, NO_ROWS)


def _make_ready(
    posted: Posted, known: Known, traject: Traject, claims: list[Issue], visit: Visit, world: World
) -> list[Issue]:
    """Numbers sealed and references resolved, once: what is to be told. Raises Invalid, also for who it is about."""
    issues = take_numbers_out(posted.entries, world.keys).issues
    ours = {f"{kind}/{id_}".encode() for kind, id_, _ in known.resources} | {
        f"CarePlan/{traject.plan.id}".encode()
    }
    refused, kept = judged(
        [*claims, *resolve(posted.entries, posted.addresses(), world.addresses | ours)], visit
    )
    issues += refused
    persons = {token for kind, _, body in known.resources if kind == "Patient" for token in tokens_in(body)}
    issues += [somebody_else(entry) for entry in posted.entries if not tokens_in(entry.raw) <= persons]
    if issues:
        raise Invalid(*issues)
    return kept


def somebody_else(entry: Entry) -> Issue:
    """A personal number that is not of the patient of the traject."""
    return Issue(
        nl="In deze resource staat het BSN van iemand anders dan de patiënt van dit traject.",
        en="This resource holds the BSN of somebody else than the patient of this traject.",
        expression=(entry.path,),
        code="business-rule",
    )


def _had_it() -> Notice:
    return Issue(
        nl="Deze gegevens hadden we al; er is niets veranderd.",
        en="We had these data already; nothing changed.",
        code="informational",
        severity="information",
    )


def ended() -> TransitionNotAllowed:
    """Of a traject that is over nothing changes any more."""
    return TransitionNotAllowed(
        Issue(
            nl="Dit traject is beëindigd; nieuwe gegevens horen bij een nieuwe verwijzing.",
            en="This traject has ended; new data belong to a new referral.",
        )
    )
