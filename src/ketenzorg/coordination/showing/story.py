"""One referral as a story: about whom, where it stands, what may happen now, and what happened."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.access.views import shown, sight_of
from ketenzorg.coordination.choosing.candidates import Answer, answers_of, candidates_of, must_choose
from ketenzorg.coordination.consent.consent_story import OnRecord, on_record
from ketenzorg.coordination.hearing.reaching import ToCall, to_call
from ketenzorg.coordination.person.practice import NAME, PASSED, UNKNOWN, WHICH, practices
from ketenzorg.coordination.person.undoing_practice import passed_on
from ketenzorg.coordination.reading.letter import letter_of
from ketenzorg.coordination.showing.agreed import Agreed, agreed
from ketenzorg.coordination.showing.choices import Choice, Question, choices_of, likeliest
from ketenzorg.coordination.showing.inbox import NOT_YET_TAKEN
from ketenzorg.coordination.showing.moments import Moment, moments_of
from ketenzorg.coordination.showing.names import name_of, patient_of, who_plays
from ketenzorg.coordination.steps.handing_over import ORGANISATION
from ketenzorg.coordination.steps.stepping import what_may_happen
from ketenzorg.coordination.steps.undoing import WITHIN, may_undo
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, NotFound
from ketenzorg.fhir import json
from ketenzorg.pathway import engine
from ketenzorg.pathway.criteria import UNITS
from ketenzorg.pathway.engine import Due, State
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import asked_in, roles_of
from ketenzorg.referral.by_letter import by_letter
from ketenzorg.store.audit import REFUSED, Interaction
from ketenzorg.store.trajecten import Traject
from ketenzorg.store.worklist import Line, Recorded

KINDS = ("Appointment", "Consent", "Patient", "QuestionnaireResponse", "Task")


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One referral: about whom, where it stands, what may happen now, and what happened."""

    task: UUID
    version: int
    edition: int  # of what the organisation itself keeps about it
    traject: UUID
    pathway: Pathway
    step: str
    new: bool  # nobody has said yes or no
    waits_for: str  # title of the role whose turn it is; empty when it is the reader's
    patient: dict[str, Any]
    answers: dict[str, str]  # linkId -> answer
    consents: tuple[OnRecord, ...]  # in force
    parties: tuple[tuple[UUID, str], ...]  # the others that take part, by name
    referrer: str
    holder: str  # the organisation that must act in the pathway
    to_call: tuple[ToCall, ...]  # who has not heard of what this organisation, as the referrer, sent
    asked: tuple[tuple[str, Answer], ...]  # who was asked and what they said, until one is chosen
    open_to: int  # how many organisations can claim it
    dues: tuple[Due, ...]
    late: bool
    choices: tuple[Choice, ...]
    first: Choice | None
    moments: tuple[Moment, ...]
    unread: tuple[int, ...]  # seqs of news that nobody of the organisation had looked at
    letter: UUID | None  # the last return letter, for who may read it
    may_undo: bool
    colleague: str | None
    file_number: str | None
    started: datetime
    ended: datetime | None
    died: bool  # nobody contacts the patient any more
    appointments: tuple[Agreed, ...]  # the first to come first
    by_letter: str  # why a letter must go, to a practice that is not connected; empty: it need not
    books: bool  # whether the reader does the work, and so makes appointments

    def choice(self, event: str) -> Choice | None:
        """The thing that may happen by this name."""
        return next((choice for choice in self.choices if choice.event == event), None)

    @property
    def to_choose(self) -> int:
        """How many of those that were asked can do it."""
        return sum(each.status == "accepted" for _, each in self.asked)

    @property
    def last(self) -> Moment:
        """The last thing that somebody did."""
        return next(moment for moment in reversed(self.moments) if not moment.told)

    def since(self, version: int) -> tuple[Moment, ...]:
        """What happened to this Task after somebody saw this version: each event is one version, but of the clock."""
        here = [moment for moment in self.moments if moment.task == self.task and not moment.told]
        return tuple(here[len(here) - max(0, self.version - version) :])


class Withdrawn(NotFound):
    """The patient took consent back: the organisation has its own line, and sees nothing else."""

    def __init__(self, line: Line) -> None:
        super().__init__(
            Issue(
                nl="De patiënt heeft de toestemming ingetrokken. U ziet hier geen gegevens meer.",
                en="The patient withdrew consent. There are no data for you here any more.",
            )
        )
        self.line = line


class PassedOn(NotFound):
    """The patient has another practice: this one has its own line, and hears no more of it."""

    def __init__(self, line: Line, to: str, event: Recorded, *, may_undo: bool) -> None:
        super().__init__(
            Issue(
                nl=f"De patiënt heeft een andere huisarts: {to}. U hoort hier niets meer van.",
                en=f"The patient has another practice: {to}. You hear no more of this.",
            )
        )
        self.line, self.to, self.event, self.may_undo = line, to, event, may_undo


async def look_at(task: UUID, visit: Visit, world: World) -> Story:
    """One referral, opened by somebody: what was news is so no longer, for the whole organisation."""
    try:
        told = await story(task, visit, world)
    except Withdrawn as error:
        if error.line.unread:
            await world.worklist.see(visit.caller.organisation, error.line.traject, error.line.news[-1])
        raise
    if told.unread:
        await world.worklist.see(visit.caller.organisation, told.traject, told.moments[-1].seq)
    return told


async def story(task: UUID, visit: Visit, world: World, shown_as: Interaction = "page") -> Story:
    """One referral, with all that its page or letter shows. Raises NotFound, also for who has no part in it."""
    organisation = visit.caller.organisation
    line = await line_of(task, visit, world)
    if line.withdrawn is not None:
        raise Withdrawn(line)
    look = visit.access(world, "page", "Task", shown_as=shown_as)
    log = await world.worklist.events([organisation], line.traject)
    gone = passed_on(log, organisation)
    if gone is not None and line.ended is not None:
        raise _passed_on(line, gone, world)
    traject, pathway, options = await what_may_happen(line.task, look, world)
    sight = sight_of(pathway, organisation, traject.standing)
    bodies = await world.worklist.resources([organisation], traject.id, KINDS)
    seen = [
        (kind, id_, json.read(shown(body, kind, sight, {})))
        for kind, id_, body in bodies
        if kind != "Patient"
    ]
    over = traject.open_task != line.task  # the traject went on without this organisation
    step = pathway.steps[line.step if over else traject.step]
    roles = roles_of(organisation, traject.roles)
    asks = step.requester in roles and step.performer not in traject.roles
    asked = _asked(traject, world) if asks and not over else ()
    ours = over or step.owner in roles or must_choose([each for _, each in asked])
    state = State(traject.step, traject.counts, traject.happened)
    choices = _of_practice(choices_of(options, roles, traject, pathway, world), traject, pathway, world)
    calls = await to_call([traject.id] if step.requester in roles else [], visit, world)
    dues = () if over else tuple(engine.due(pathway, state))
    return Story(
        task=line.task,
        version=traject.task.version,
        edition=line.edition,
        traject=traject.id,
        pathway=pathway,
        step=step.title,
        new=not over and step.owner in roles and step.task in NOT_YET_TAKEN and not step.ends,
        waits_for="" if ours or step.ends else pathway.file.roles[step.owner].title,
        patient=patient_of(next((body for kind, _, body in bodies if kind == "Patient"), None), sight),
        answers=_answers((body for kind, _, body in seen if kind == "QuestionnaireResponse"), pathway),
        consents=on_record([body for kind, _, body in seen if kind == "Consent"], world)
        if sight.sees("Consent")
        else (),
        parties=tuple((each, name_of(each, world)) for each in traject.involved if each != organisation),
        referrer=who_plays(step.requester, traject.roles, world),
        holder=who_plays(step.performer, traject.roles, world),
        to_call=calls.get(traject.id, ()),
        asked=asked,
        open_to=0 if candidates_of(traject) else len(asked_in(traject.roles)),
        dues=dues,
        late=bool(dues) and dues[0].at < world.now(),
        choices=choices,
        first=likeliest(choices, options, pathway, traject.step),
        moments=moments_of(
            log,
            {id_: body for kind, id_, body in seen if kind == "Task"},
            pathway,
            sight,
            organisation,
            world,
        ),
        unread=line.unread,
        letter=_letter([body for kind, _, body in seen if kind == "Task"])
        if sight.sees("Composition")
        else None,
        may_undo=may_undo(log, traject, visit, world),
        colleague=line.colleague,
        file_number=line.file_number,
        started=line.started,
        ended=line.ended,
        died=step.ends == "deceased",
        appointments=agreed([body for kind, _, body in seen if kind == "Appointment"])
        if sight.sees("Appointment")
        else (),
        by_letter="" if over or step.ends else by_letter(json.read(traject.task.body)),
        books=line.ended is None
        and not over
        and step.performer in roles
        and not step.ends
        and sight.sees("Appointment"),
    )


def _of_practice(
    choices: Sequence[Choice], traject: Traject, pathway: Pathway, world: World
) -> tuple[Choice, ...]:
    """The same, with which practice the patient has now as a question."""
    known = tuple((str(each.id), each.name) for each in practices(traject, pathway, world))
    asked = {
        PASSED: Question(ORGANISATION, "Welke praktijk heeft de patiënt nu?", known, True),
        UNKNOWN: Question(NAME, WHICH, (), False),
    }
    return tuple(
        msgspec.structs.replace(each, questions=(*each.questions, asked[each.event]), of_person=True)
        if each.event in asked
        else each
        for each in choices
    )


def _passed_on(line: Line, gone: Recorded, world: World) -> PassedOn:
    to = (
        name_of(gone.body.now, world)
        if isinstance(gone.body, events.PracticeChanged) and gone.body.now
        else ""
    )
    return PassedOn(line, to, gone, may_undo=world.now() - gone.recorded <= WITHIN)


def _asked(traject: Traject, world: World) -> tuple[tuple[str, Answer], ...]:
    """By name."""
    return tuple(
        sorted(
            ((name_of(each.organisation, world), each) for each in answers_of(traject)),
            key=lambda pair: pair[0],
        )
    )


async def line_of(task: UUID, visit: Visit, world: World) -> Line:
    """The line of a referral in the organisation's worklist. Raises NotFound, also for who has no part in it."""
    line = await world.worklist.line(visit.caller.organisation, task)
    if line is None:
        await world.audit.note(visit.access(world, "page", "Task"), f"Task/{task}", outcome=REFUSED)
        raise NotFound(
            Issue(nl="Deze verwijzing is er niet, of niet voor u.", en="No such referral, or not for you.")
        )
    return line


def _letter(tasks: Sequence[dict[str, Any]]) -> UUID | None:
    """That of the last Task that has one; ids follow each other in time."""
    return next((found for task in reversed(tasks) if (found := letter_of(task))), None)


def _answers(responses: Iterator[dict[str, Any]], pathway: Pathway) -> dict[str, str]:
    """linkId -> the answer, coded ones as the pathway words them."""
    said = {
        item["linkId"]: [answer_in_words(answer) for answer in item.get("answer", ())]
        for response in responses
        for item in response.get("item", ())
    }
    data = pathway.file.data
    return {
        name: ", ".join(data[name].codes.get(each, each) if name in data else each for each in answers)
        for name, answers in said.items()
    }


def answer_in_words(answer: Mapping[str, Any]) -> str:
    """An answer of a questionnaire as people say it; days stay as they are."""
    for name, value in answer.items():
        if name == "valueBoolean":
            return "ja" if value else "nee"
        if name == "valueCoding":
            return str(value.get("display") or value.get("code", ""))
        if name == "valueQuantity":
            unit = UNITS.get(code := value.get("code", ""), value.get("unit", code))
            return f"{str(value.get('value', '')).replace('.', ',')} {unit}".strip()
        if name.startswith("value"):
            return str(value)
    return ""
