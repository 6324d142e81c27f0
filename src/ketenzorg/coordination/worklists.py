"""What people see of their work: the inbox of a team, and one referral as a story in time."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.access.views import roles_of, shown, sight_of
from ketenzorg.coordination.stepping import take_event, what_may_happen
from ketenzorg.coordination.undoing import may_undo, undo
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue, NotFound, PreconditionFailed
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.engine import Due, Option, State
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.store.trajecten import Traject
from ketenzorg.store.worklist import PAGE, Line, Recorded, Which

NOT_YET_TAKEN = ("requested", "received")  # Task.status before somebody says yes or no
LONGEST_FILE_NUMBER = 40  # characters
KINDS = ("QuestionnaireResponse", "Task")


class Row(msgspec.Struct, frozen=True):
    """One line of an inbox."""

    task: UUID
    patient: dict[str, Any]  # as this organisation sees it
    pathway: str
    step: str
    due: datetime | None
    norm: str | None
    late: bool
    colleague: str | None
    file_number: str | None
    started: datetime
    ended: datetime | None


class Inbox(msgspec.Struct, frozen=True):
    """One page of one list, how long the lists are, and where the next page begins."""

    rows: list[Row]
    counts: dict[Which, int]
    next_offset: int | None


class Question(msgspec.Struct, frozen=True):
    """What an event wants to know."""

    name: str
    ask: str
    codes: tuple[tuple[str, str], ...]  # (code, text); empty: words of one's own
    required: bool


class Choice(msgspec.Struct, frozen=True):
    """One thing that the reader may say has happened."""

    event: str
    title: str
    questions: tuple[Question, ...]
    ends: bool
    completes: bool  # the end that everybody hopes for
    refuses: bool  # back to the referrer, before anybody began
    emergency: bool
    attempt: int  # the how manieth attempt this would be; 0 when it is no attempt
    attempts: int


class Moment(msgspec.Struct, frozen=True):
    """Something that happened, as the log has it."""

    seq: int
    task: UUID
    event: str
    at: datetime
    heard: datetime
    organisation: str
    own: bool
    wrote: tuple[tuple[str, str], ...]  # (what it is, the words)
    reasons: tuple[str, ...]
    undone: bool


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One referral: about whom, where it stands, what may happen now, and what happened."""

    task: UUID
    version: int
    traject: UUID
    pathway: Pathway
    step: str
    role: str
    waits_for: str  # title of the role whose turn it is; empty when it is the reader's
    patient: dict[str, Any]
    answers: dict[str, str]  # linkId -> answer
    referrer: str
    dues: tuple[Due, ...]
    late: bool
    choices: tuple[Choice, ...]
    first: Choice | None
    moments: tuple[Moment, ...]
    may_undo: bool
    colleague: str | None
    file_number: str | None
    started: datetime
    ended: datetime | None

    def choice(self, event: str) -> Choice | None:
        """The thing that may happen by this name."""
        return next((choice for choice in self.choices if choice.event == event), None)

    def since(self, version: int) -> tuple[Moment, ...]:
        """What happened to this Task after somebody saw this version: each event is one version."""
        here = [moment for moment in self.moments if moment.task == self.task]
        return tuple(here[len(here) - max(0, self.version - version) :])


async def inbox(which: Which, offset: int, person: str, visit: Visit, world: World) -> Inbox:
    """A page of a team's list. Names are read here, so that goes on record."""
    organisation, now = visit.caller.organisation, world.now()
    steps = _steps(world.catalogue, visit.caller.role)
    await world.reading.note_search("Task", visit.access(world))
    counts = await world.worklist.counts(organisation, dict(steps), now=now, colleague=person)
    lines = await world.worklist.lines(
        organisation, which, now=now, steps=steps.get(which, ()), colleague=person, offset=offset
    )
    rows = [_row(line, organisation, now, world) for line in lines[:PAGE]]
    return Inbox(rows, counts, offset + PAGE if len(lines) > PAGE else None)


async def story(task: UUID, visit: Visit, world: World) -> Story:
    """One referral. Raises NotFound, also for who has no part in it."""
    organisation = visit.caller.organisation
    line = await _line(task, visit, world)
    traject, pathway, options = await what_may_happen(line.task, visit, world)
    person = await world.reading.one("Patient", line.patient, None, visit.access(world))
    log = await world.worklist.events(organisation, traject.id)
    sight = sight_of(pathway, organisation, traject.roles)
    bodies = await world.worklist.resources(organisation, traject.id, KINDS)
    seen = [(kind, id_, json.read(shown(body, kind, sight, {}))) for kind, id_, body in bodies]
    step = pathway.steps[traject.step]
    roles = roles_of(organisation, traject.roles)
    choices = tuple(_choice(option, pathway, traject) for option in options if set(roles) & set(option.by))
    dues = tuple(engine.due(pathway, State(traject.step, traject.counts, traject.happened)))
    return Story(
        task=line.task,
        version=traject.task.version,
        traject=traject.id,
        pathway=pathway,
        step=step.title,
        role=roles[0],
        waits_for="" if step.owner in roles or step.ends else pathway.file.roles[step.owner].title,
        patient=_patient(person.body if person else None, sight),
        answers=_answers((body for kind, _, body in seen if kind == "QuestionnaireResponse"), pathway),
        referrer=_name(traject.roles[pathway.role_of("requester")], world),
        dues=dues,
        late=bool(dues) and dues[0].at < world.now(),
        choices=choices,
        first=_first(choices, options, pathway, traject.step),
        moments=_moments(
            log, {id_: body for kind, id_, body in seen if kind == "Task"}, pathway, visit, world
        ),
        may_undo=may_undo(log, traject, visit, world),
        colleague=line.colleague,
        file_number=line.file_number,
        started=line.started,
        ended=line.ended,
    )


async def say(
    task: UUID, event: str, given: Mapping[str, str], seen: int, person: str, visit: Visit, world: World
) -> None:
    """Somebody says what happened, having seen this version; who says the first thing has the referral."""
    await take_event(task, event, given, None, visit, world, if_match=seen)
    line = await world.worklist.line(visit.caller.organisation, task)
    if line is not None and line.colleague is None:
        await world.worklist.set_part(line.traject, visit.access(world), colleague=person)


async def take_back(task: UUID, seen: int, visit: Visit, world: World) -> None:
    """Undo the last step, if that is still the one that was seen."""
    traject, _, _ = await what_may_happen(task, visit, world)
    if traject.task.version != seen:
        raise PreconditionFailed(
            Issue(nl="Er is inmiddels iets veranderd.", en="Something changed in the meantime.")
        )
    await undo(task, visit, world)


async def hand_over(task: UUID, colleague: str, was: str, visit: Visit, world: World) -> None:
    """Give a referral to somebody of the same organisation ('' to nobody), if nobody else just did."""
    line = await _line(task, visit, world)
    if (line.colleague or "") not in (was, colleague):
        raise _somebody_else()
    await world.worklist.set_part(line.traject, visit.access(world), colleague=colleague)


async def number_file(task: UUID, number: str, was: str, visit: Visit, world: World) -> None:
    """Note the organisation's own file number. Raises Invalid for one that is too long, or a personal number."""
    number = " ".join(number.split())
    if len(number) > LONGEST_FILE_NUMBER:
        raise Invalid(
            Issue(
                nl=f"Dit nummer is te lang. Gebruik hoogstens {LONGEST_FILE_NUMBER} tekens.",
                en=f"This number is too long: at most {LONGEST_FILE_NUMBER} characters.",
            )
        )
    if not number.isprintable() or _holds_bsn(number):
        raise Invalid(
            Issue(
                nl="Dit lijkt op een burgerservicenummer (BSN). Gebruik het nummer uit uw eigen systeem.",
                en="This looks like a personal number (BSN). Use the number of your own system.",
            )
        )
    line = await _line(task, visit, world)
    if (line.file_number or "") not in (was, number):
        raise _somebody_else()
    await world.worklist.set_part(line.traject, visit.access(world), file_number=number)


def _somebody_else() -> Conflict:
    return Conflict(
        Issue(nl="Een collega veranderde dit net.", en="A colleague has just changed this."),
    )


def _holds_bsn(text: str) -> bool:
    digits = "".join(char for char in text if char.isdigit())
    words = "".join(char if char.isdigit() else " " for char in text).split()
    return any(is_bsn(each) for each in (digits, *words))


async def _line(task: UUID, visit: Visit, world: World) -> Line:
    line = await world.worklist.line(visit.caller.organisation, task)
    if line is None:
        raise NotFound(
            Issue(nl="Deze verwijzing is er niet, of niet voor u.", en="No such referral, or not for you.")
        )
    return line


@cache  # the same as long as the process lives
def _steps(catalogue: Catalogue, kind: str) -> Mapping[Which, Sequence[str]]:
    """Which steps are new, and in which another acts, for organisations of a kind."""
    new: dict[str, None] = {}
    waiting: dict[str, None] = {}
    for pathway in catalogue.versions():
        own = {name for name, role in pathway.file.roles.items() if kind in role.kinds}
        for step in pathway.steps.values():
            if step.owner in own and step.task in NOT_YET_TAKEN and not step.ends:
                new[step.name] = None
            elif own and step.owner not in own and not step.ends:
                waiting[step.name] = None
    return {"new": list(new), "waiting": list(waiting)}


def _row(line: Line, organisation: UUID, now: datetime, world: World) -> Row:
    pathway = world.catalogue.version(line.pathway, line.version)
    return Row(
        task=line.task,
        patient=_patient(line.patient_body, sight_of(pathway, organisation, line.roles)),
        pathway=pathway.title,
        step=pathway.steps[line.step].title,
        due=line.due,
        norm=line.due_norm,
        late=line.ended is None and line.due is not None and line.due < now,
        colleague=line.colleague,
        file_number=line.file_number,
        started=line.started,
        ended=line.ended,
    )


def _patient(body: bytes | None, sight: Visibility) -> dict[str, Any]:
    if body is None or not sight.sees("Patient"):
        return {}
    return json.read(shown(body, "Patient", sight, {}))


def _name(organisation: UUID, world: World) -> str:
    known = world.region.by_id(organisation)
    return known.name if known else "een organisatie die hier niet meer is"


def _choice(option: Option, pathway: Pathway, traject: Traject) -> Choice:
    counts = {move.count for move in pathway.steps[traject.step].moves if move.event == option.event}
    counted = next((name for name in counts if name), "")
    return Choice(
        event=option.event,
        title=option.title[:1].upper() + option.title[1:],
        questions=tuple(
            Question(
                name,
                pathway.file.needs[name].ask,
                tuple((code, pathway.file.codes[code]) for code in pathway.file.needs[name].codes),
                name in option.needs,
            )
            for name in (*option.needs, *option.may)
        ),
        ends=bool(pathway.steps[option.to_step].ends),
        refuses=pathway.steps[option.to_step].ends == "rejected_by_receiver",
        completes=pathway.steps[option.to_step].ends == "completed",
        emergency=option.emergency,
        attempt=traject.counts.get(counted, 0) + 1 if counted else 0,
        attempts=pathway.file.counts[counted].limit if counted else 0,
    )


def _first(
    choices: Sequence[Choice], options: Sequence[Option], pathway: Pathway, step: str
) -> Choice | None:
    """The likeliest: what takes a referral on, else what brings it further, else what completes it."""
    now = pathway.steps[step]
    to = {option.event: option for option in options}
    able = [
        choice
        for choice in choices
        if not (choice.emergency or choice.attempt or to[choice.event].new_task)
        and to[choice.event].to_step != step
    ]
    # Leaving a side step is the likeliest; entering one never is.
    leaving = [each for each in able if now.side and to[each.event].to_step == now.main]
    onward = [
        each for each in able if not each.ends and pathway.steps[to[each.event].to_step].side == now.side
    ]
    taking = [each for each in onward if to[each.event].default]
    completing = [each for each in able if each.completes]
    return next(iter([*leaving, *taking, *onward, *completing]), None)


def _answers(responses: Iterator[dict[str, Any]], pathway: Pathway) -> dict[str, str]:
    """linkId -> the answer, coded ones as the pathway words them."""
    said = {
        item["linkId"]: [_answer(answer) for answer in item.get("answer", ())]
        for response in responses
        for item in response.get("item", ())
    }
    data = pathway.file.data
    return {
        name: ", ".join(data[name].codes.get(each, each) if name in data else each for each in answers)
        for name, answers in said.items()
    }


def _answer(answer: Mapping[str, Any]) -> str:
    for name, value in answer.items():
        if name == "valueBoolean":
            return "ja" if value else "nee"
        if name == "valueCoding":
            return str(value.get("display") or value.get("code", ""))
        if name == "valueQuantity":
            return f"{value.get('value', '')} {value.get('unit', '')}".strip()
        if name.startswith("value"):
            return str(value)
    return ""


def _moments(
    log: Sequence[Recorded],
    tasks: Mapping[UUID, dict[str, Any]],
    pathway: Pathway,
    visit: Visit,
    world: World,
) -> tuple[Moment, ...]:
    """The events in their order, each with the words that it brought: outputs stand in the order of the log."""
    undone = {each.body.corrects for each in log if isinstance(each.body, events.StepCorrected)}
    words: dict[UUID, deque[tuple[str, str]]] = defaultdict(deque)
    for id_, task in tasks.items():
        words[id_].extend(_outputs(task))
    return tuple(_moment(each, each.seq in undone, words, pathway, visit, world) for each in log)


def _outputs(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for output in task.get("output", ()):
        if "valueString" in output:
            yield output.get("type", {}).get("text", ""), output["valueString"]


def _moment(
    each: Recorded,
    undone: bool,
    words: Mapping[UUID, deque[tuple[str, str]]],
    pathway: Pathway,
    visit: Visit,
    world: World,
) -> Moment:
    body = each.body
    if isinstance(body, events.ReferralReceived):
        organisation, event = body.requester, body.event
    else:
        organisation = body.organisation
        event = "aanvulling" if isinstance(body, events.TaskAmended) else "hersteld"
    wrote: list[tuple[str, str]] = []
    reasons: list[str] = []
    if isinstance(body, events.StepTaken):
        event = body.event
        # What was undone is no longer in the Task: the version before it was put back.
        wrote = [] if undone else _written(words[body.task], body.outputs)
        coded = {body.reason} | {code for name, code in body.codes.items() if name not in body.outputs}
        reasons = [pathway.file.codes[code] for code in sorted(filter(None, coded))]
    return Moment(
        seq=each.seq,
        task=body.task,
        event=event,
        at=each.happened,
        heard=each.recorded,
        organisation=_name(organisation, world),
        own=organisation == visit.caller.organisation,
        wrote=tuple(wrote),
        reasons=tuple(reasons),
        undone=undone,
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
