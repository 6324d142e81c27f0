"""What happened to a referral, in the order of the log, each with the words that it brought."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.coordination.person.elsewhere import OUTPUT, is_of_person
from ketenzorg.coordination.showing.names import ELSEWHERE, OUTSIDE, name_of
from ketenzorg.coordination.steps.progress import PROGRESS, in_words, is_progress
from ketenzorg.coordination.world import World
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.telling import NAMES
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.pathway.words import ITSELF
from ketenzorg.referral.by_letter import OUTPUT as BY_LETTER
from ketenzorg.store.worklist import Recorded

NAMED: dict[type, str] = {events.TaskAmended: "aanvulling", events.DataAdded: "gegevens aangevuld"}
ASKED = {
    "requested": "gevraagd",
    "received": "vraag ontvangen",
    "accepted": "kan het doen",
    "rejected": "kan het niet doen",
    "cancelled": "niet meer gevraagd",
}
APPOINTMENT = {
    "booked": "afspraak vastgelegd",
    "cancelled": "afspraak gaat niet door",
    "noshow": "patiënt kwam niet op de afspraak",
    "entered-in-error": "afspraak was een vergissing",
}
HEARD = {"deceased": "gehoord: patiënt is overleden", "moved_out_of_region": "gehoord: patiënt is verhuisd"}
CONSENT = {
    "gegeven": "toestemming gegeven",
    "ingetrokken": "toestemming ingetrokken",
    "bezwaar": "bezwaar vastgelegd",
    "opgeheven": "bezwaar opgeheven",
}


class Moment(msgspec.Struct, frozen=True):
    """Something that happened, as the log has it."""

    seq: int
    task: UUID | None  # none: it changed no Task
    event: str
    at: datetime
    heard: datetime
    organisation: str
    own: bool
    wrote: tuple[tuple[str, str], ...]  # (what it is, the words)
    reasons: tuple[str, ...]
    undone: bool
    told: tuple[str, ...] = ()  # of a norm that ran out: who was told; nobody did something then


def moments_of(
    log: Sequence[Recorded],
    tasks: Mapping[UUID, dict[str, Any]],
    pathway: Pathway,
    sight: Visibility,
    reader: UUID,
    world: World,
) -> tuple[Moment, ...]:
    """The events in their order, each with the words that it brought: outputs stand in the order of the log."""
    undone = {each.body.corrects for each in log if isinstance(each.body, events.StepCorrected)}
    words: dict[UUID, deque[tuple[str, str]]] = defaultdict(deque)
    for id_, task in tasks.items():
        words[id_].extend(_outputs(task))
    told = [_moment(each, each.seq in undone, words, pathway, reader, world) for each in log]
    if not sight.shows_element("Task", "statusReason"):
        told = [msgspec.structs.replace(each, reasons=()) for each in told]
    return tuple(told)


def _outputs(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for output in (*task.get("input", ()), *task.get("output", ())):
        if "valueString" in output:
            yield output.get("type", {}).get("text", ""), output["valueString"]
        elif is_progress(output):
            yield PROGRESS, in_words(output) or ""


def _moment(
    each: Recorded,
    undone: bool,
    words: Mapping[UUID, deque[tuple[str, str]]],
    pathway: Pathway,
    reader: UUID,
    world: World,
) -> Moment:
    body = each.body
    if isinstance(body, events.OfNorm):
        return _of_norm(each, body, world)
    if isinstance(body, events.ReferralReceived):
        organisation, event = body.requester, body.event
    else:
        organisation = body.organisation
        event = _named(body, world)
    wrote: list[tuple[str, str]] = []
    reasons: list[str] = []
    if isinstance(body, events.PracticeChanged):
        event = (
            f"andere huisarts: {name_of(body.now, world)}"
            if body.now
            else "andere huisarts, niet aangesloten"
        )
        reasons = [pathway.file.codes[code] for code in sorted(body.codes.values())]
        wrote = [] if body.now else _written(words[body.task], (BY_LETTER,))
    if isinstance(body, events.FactHeard):
        event = f"{HEARD[body.fact]}{', een vergissing' if body.mistaken else ''}"
        wrote = [] if body.mistaken else _written(words[body.task], (OUTPUT,))
    if isinstance(body, events.TaskAmended):
        wrote = _written(words[body.task], body.outputs)
    if isinstance(body, events.StepTaken):
        event = f"{body.event}: {name_of(body.chosen, world)}" if body.chosen else body.event
        # What was undone is no longer in the Task: the version before it was put back.
        wrote = [] if undone else _written(words[body.task], body.outputs)
        if body.new_task and body.new_task != body.task:  # the next Task begins with the same words
            wrote = _written(words[body.new_task], body.outputs) or wrote
        coded = {body.reason} | {code for name, code in body.codes.items() if name not in body.outputs}
        reasons = [pathway.file.codes[code] for code in sorted(filter(None, coded))]
    if isinstance(body, events.CandidateAnswered) and body.reason in pathway.file.codes:
        reasons = [pathway.file.codes[body.reason]]
    return Moment(
        seq=each.seq,
        task=None if isinstance(body, events.ConsentChanged) else body.task,
        event=event,
        at=each.happened,
        heard=each.recorded,
        organisation=_who(body, organisation, world),
        own=organisation == reader,
        wrote=tuple(wrote),
        reasons=tuple(reasons),
        undone=undone,
    )


def _named(body: events.Event, world: World) -> str:
    """What an event is called that the pathway does not name."""
    match body:
        case events.DataAdded(taken_back=True):
            return "gegevens teruggenomen"
        case events.CandidateAnswered():
            return f"{ASKED[body.task_status]}: {name_of(body.candidate, world)}"
        case events.ConsentChanged():
            return CONSENT[body.change]
        case events.AppointmentKept():
            return APPOINTMENT.get(body.status, "afspraak bijgewerkt")
        case _:
            return NAMED.get(type(body), "hersteld")


def _who(body: events.Event, organisation: UUID, world: World) -> str:
    """By name; who said in another referral what holds in all of them is not told here."""
    if organisation == ELSEWHERE and (isinstance(body, events.FactHeard) or is_of_person(body)):
        return OUTSIDE
    return name_of(organisation, world)


def _of_norm(each: Recorded, body: events.OfNorm, world: World) -> Moment:
    return Moment(
        seq=each.seq,
        task=body.task,
        event=f"{NAMES[type(body)]}: {body.norm}",
        at=each.happened,
        heard=each.recorded,
        organisation=ITSELF,
        own=False,
        wrote=(),
        reasons=(),
        undone=False,
        told=tuple(name_of(party, world) for party in body.told),
    )


def _written(words: deque[tuple[str, str]], names: Sequence[str]) -> list[tuple[str, str]]:
    """The next output of each of these names."""
    found = []
    for name in names:
        output = next((each for each in words if each[0] == name), None)
        if output is not None:
            words.remove(output)
            found.append(output)
    return found
