"""What one traject adds to the counts, from its events alone: stays in steps, clocks of norms, in and out.

Pure: the same events give the same facts, in whatever pieces the log was read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

from ketenzorg import events
from ketenzorg.pathway import calendar, engine
from ketenzorg.pathway.calendar import AMSTERDAM, Amount, local_day
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay, standing

FACTS = 4  # raise it when the same events give other facts: everything is then counted again
FEEDBACK = "terugkoppeling"  # the need of the pathway files whose answer goes back to the referrer
EXPERIENCE = "ervaring-van-patient"  # the need whose coded answer is what the patient thought of it
MISTAKE = "entered_in_error"  # the exit of what never was a referral

# Kinds. A stay and a clock belong to the week in which they began, and have their length in days as their place.
# What is open has the year, and as its place the day in that year on which it began. What came and went has the
# ISO year, and as its place the week.
STAY, OPEN_STAY = "stay", "open-stay"
CLOCK, OPEN_CLOCK = "clock", "open-clock"
# Of an open traject, as the engine says it: the first day on which it is too late for whatever ends soonest, under the
# step where it is; and for each norm that runs.
DUE, DUE_CLOCK = "due", "due-clock"
IN, OUT = "in", "out"
SAID = "said"  # by the patient, of what came and went: the name is the code
# Outcomes of a clock. Stopped: the traject ended, or what it runs from happened again. Early and past: before and
# after the time of the share of a norm that has one (80 percent within 3 weeks), and before its maximum.
EARLY, MET, LATE = "early", "met", "late"
STOPPED, STOPPED_PAST, STOPPED_LATE = "stopped", "stopped-past", "stopped-late"
STOPS = (STOPPED, STOPPED_PAST, STOPPED_LATE)
ANSWERS = (EARLY, MET, LATE)
BEGUN, ANSWERED, LEFT = range(3)  # what happens to a norm, in this order when at one moment
LIMITS = "; "  # between the maximum and the time of the share
AGAIN = "again"  # detail of an inflow: a new round
WITH_FEEDBACK, WITHOUT_FEEDBACK = "feedback", "silent"

Log: TypeAlias = Sequence[tuple[int, events.Event]]


class Fact(NamedTuple):
    """One thing to count."""

    kind: str
    day: date
    name: str
    detail: str = ""
    outcome: str = ""
    place: int = 0


class Told(NamedTuple):
    """What a traject adds, and to whose counts; `firsts` are the facts that count it as one more traject."""

    pathway: str
    municipality: str
    requester: UUID
    owner: UUID
    facts: tuple[tuple[Fact, bool], ...]


NOBODY = UUID(int=0)


@dataclass(frozen=True)
class _Clock:
    name: str
    limits: str  # the maximum, and the time of the share where there is one, as the file says them
    begins: frozenset[str]
    ends: frozenset[str]
    amount: Amount
    early: Amount | None
    left: str  # the mark of leaving the side step of which it is the limit


class Rules:
    """What counting needs to know of one version of a pathway."""

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        moves = [move for step in pathway.steps.values() for move in step.moves]
        reopened = [move for step in pathway.steps.values() if step.ends for move in step.moves]
        self.main = {name: step.main for name, step in pathway.steps.items()}
        # A hand-over to another organisation has a new Task too, and is still the same round.
        self.new_rounds = frozenset(move.event for move in reopened if move.new_task)
        self.always_feedback = frozenset(move.event for move in moves if FEEDBACK in move.needs)
        self.sent_on = frozenset(move.event for move in moves if move.forward)
        self.clocks = tuple(
            _Clock(
                norm.name,
                LIMITS.join([norm.max, *([norm.share.within] if norm.share else [])]),
                frozenset(norm.from_),
                frozenset(norm.to),
                amount,
                calendar.parse(norm.share.within) if norm.share else None,
                _left(pathway.side_of(norm)),
            )
            for norm, amount in pathway.norms
        )

    def stamp(self) -> object:
        """All that the facts depend on."""
        clocks = [(each.name, sorted(each.begins), sorted(each.ends), each.limits) for each in self.clocks]
        file = self.pathway.file
        when_late = [file.norm, file.watch, file.side, file.variant]
        names = [sorted(each) for each in (self.new_rounds, self.always_feedback, self.sent_on)]
        return [self.main, *names, clocks, when_late]


@dataclass
class _Round:
    """From a referral, or its reopening, up to the end or the next round."""

    event: str
    at: datetime
    step: str
    again: bool
    taken: list[events.StepTaken]
    followed_at: datetime | None = None  # when the next round began

    def until_the_end(self) -> list[events.StepTaken]:
        """The steps up to and with the one that ended the traject."""
        for place, step in enumerate(self.taken):
            if step.exit:
                return self.taken[: place + 1]
        return self.taken

    def exit(self) -> str | None:
        """How it ended; a later event may correct that without a new round."""
        return next((step.exit for step in reversed(self.taken) if step.exit), None)


def told(log: Log, rules: Rules) -> Told | None:
    """What these events of one traject add; None when its beginning is not among them, or was a mistake."""
    valid = sorted(standing(log), key=lambda each: each[0])
    if not valid or not isinstance(valid[0][1], events.ReferralReceived):
        return None
    received = valid[0][1]
    rounds = _rounds(received, [event for _, event in valid], rules)
    if rounds[-1].exit() == MISTAKE:
        return None
    facts = [*_stays(rounds, rules)]
    for each in rounds:
        facts += _in_and_out(each, rules)
        facts += _clocks(each, rules)
    if {seq for seq, _ in log} == set(range(1, len(log) + 1)):  # else the rest comes in the next piece
        facts += _late_from(received, valid, rules)
    return Told(
        received.pathway,
        received.municipality,
        received.requester,
        _owner(received, valid),
        tuple(_first_ones(facts)),
    )


def _owner(received: events.ReferralReceived, log: Log) -> UUID:
    """Whose work it was at first; nobody's for as long as several are asked."""
    chosen = (event.chosen for _, event in log if isinstance(event, events.StepTaken) and event.chosen)
    return received.owner or next(chosen, NOBODY)


def _rounds(received: events.ReferralReceived, log: Iterable[events.Event], rules: Rules) -> list[_Round]:
    rounds = [_Round(received.event, received.at, received.step, False, [])]
    for event in log:
        if not isinstance(event, events.StepTaken):
            continue
        if event.event in rules.new_rounds:
            rounds[-1].followed_at = event.at
            rounds.append(_Round(event.event, event.at, event.to_step, True, []))
        else:
            rounds[-1].taken.append(event)
    return rounds


def _stays(rounds: Sequence[_Round], rules: Rules) -> Iterator[Fact]:
    """Each visit of a step; a side step lies over it and ends no visit.

    The order is that of the steps. A step that is said to have happened before the one before it, happened at
    that one's moment: so each day is spent once.
    """
    moment = rounds[0].at
    for place, each in enumerate(rounds):
        moment = max(moment, each.at)
        here, entered = rules.main.get(each.step, each.step), moment
        steps = each.until_the_end()
        for step in steps:
            moment = max(moment, step.at)
            there = rules.main.get(step.to_step, step.to_step)
            if there != here or step.exit:
                yield Fact(STAY, _week(entered), here, place=_days(entered, moment))
                here, entered = there, moment
        if not (steps and steps[-1].exit) and place == len(rounds) - 1:
            yield _open(OPEN_STAY, local_day(entered), here)


def _in_and_out(each: _Round, rules: Rules) -> Iterator[Fact]:
    yield _in_week(IN, each.at, "", AGAIN if each.again else "")
    name = each.exit()
    if name is None:
        return
    last = each.until_the_end()[-1]
    told_back = any(FEEDBACK in step.outputs or step.event in rules.always_feedback for step in each.taken)
    feedback = WITH_FEEDBACK if told_back else WITHOUT_FEEDBACK
    yield _in_week(OUT, last.at, name, last.reason or "", feedback)
    if EXPERIENCE in last.codes:
        yield _in_week(SAID, last.at, last.codes[EXPERIENCE], "")


def _clocks(each: _Round, rules: Rules) -> Iterator[Fact]:
    """Each norm from every time that it began; in the order in which things happened, whenever we heard of them.

    What a hand-over that was sent on met stays measured, and runs on from its own beginning, as in the engine.
    """
    steps = each.until_the_end()
    moments = [(each.at, each.event)]
    measured: set[tuple[str, datetime, datetime | None]] = set()
    for step in steps:
        if step.event in rules.sent_on:
            still = engine.sent_on(rules.pathway, {name: at for at, name in moments})
            for clock in rules.clocks:
                for run in _runs(clock, moments):
                    known = (clock.name, run.began, run.at)
                    if run.answered and run.at is not None and known not in measured:
                        measured.add(known)
                        yield _closed(clock, run.began, run.at, ANSWERS)
            moments = [(at, name) for at, name in moments if name in still]
        moments.append((step.at, step.event))
        side = rules.pathway.steps[step.from_step].side
        if side and side != rules.pathway.steps[step.to_step].side:
            moments.append((step.at, _left(side)))
    ended = steps[-1].at if steps and steps[-1].exit else each.followed_at
    for clock in rules.clocks:
        for run in _runs(clock, moments):
            if run.at is not None and (clock.name, run.began, run.at) not in measured:
                yield _closed(clock, run.began, run.at, ANSWERS if run.answered else STOPS)
            elif run.at is None and ended is not None:
                yield _closed(clock, run.began, max(run.began, ended), STOPS)
            elif run.at is None:
                yield _open(OPEN_CLOCK, local_day(run.began), clock.name, clock.limits)


def _left(side: str) -> str:
    """The mark of leaving a side step, among the events; no event is called so."""
    return f"({side})"


class _Run(NamedTuple):
    """One time that a norm ran; it was answered, or began anew, or stopped with its side step, or runs on."""

    began: datetime
    at: datetime | None
    answered: bool = False


def _runs(clock: _Clock, moments: Iterable[tuple[datetime, str]]) -> Iterator[_Run]:
    # At one and the same moment the beginning comes before its answer, as in the engine; that leaves the side step.
    marks = sorted(
        (at, ANSWERED if name in clock.ends else LEFT if name == clock.left else BEGUN)
        for at, name in moments
        if name in clock.begins or name in clock.ends or name == clock.left
    )
    began: datetime | None = None
    for at, mark in marks:
        if began is not None:
            yield _Run(began, at, mark == ANSWERED)
        began = at if mark == BEGUN else None
    if began is not None:
        yield _Run(began, None)


def _closed(clock: _Clock, began: datetime, at: datetime, outcomes: tuple[str, str, str]) -> Fact:
    """`outcomes`: early, in time, too late. Where a norm has no share, nothing in time is past it."""
    early, in_time, too_late = outcomes
    if at > _due(began, clock.amount):
        outcome = too_late
    elif clock.early is None:
        outcome = MET if early == EARLY else STOPPED
    else:
        outcome = early if at <= _due(began, clock.early) else in_time
    return Fact(CLOCK, _week(began), clock.name, outcome=outcome, place=_days(began, at))


def _late_from(received: events.ReferralReceived, log: Log, rules: Rules) -> Iterator[Fact]:
    """From when an open traject is late, and each norm that runs in it: by the rule of the worklist and the clock."""
    pathway = rules.pathway.in_municipality(received.municipality)
    state = replay(pathway, log)
    dues = engine.due(pathway, state)
    norms = {clock.name for clock in rules.clocks}
    for due in dues[:1]:
        yield _open(DUE, _day_after(due.at), rules.main[state.step])
    for due in dues:
        if due.norm in norms:
            yield _open(DUE_CLOCK, _day_after(due.at), due.norm)


def _day_after(at: datetime) -> date:
    return local_day(at) + timedelta(days=1)


def max_of(limits: str) -> str:
    """The maximum of a norm in the detail of what is open."""
    return limits.partition(LIMITS)[0]


def early_of(limits: str) -> str:
    """The time of the share of a norm there; empty when it has none."""
    return limits.partition(LIMITS)[2]


@lru_cache(maxsize=20_000)
def late_from(began: date, max_: str) -> date:
    """The first day on which a norm that runs from this day is past this length; in whole days, also for hours."""
    last_moment = datetime.combine(began, time(23, 59, 59), AMSTERDAM)
    return local_day(_due(last_moment, calendar.parse(max_))) + timedelta(days=1)


def _open(kind: str, day: date, name: str, detail: str = "") -> Fact:
    return Fact(kind, day.replace(month=1, day=1), name, detail, place=day.timetuple().tm_yday - 1)


def began(fact: Fact) -> date:
    """The day of what is open."""
    return fact.day + timedelta(days=fact.place)


def _first_ones(facts: Iterable[Fact]) -> Iterator[tuple[Fact, bool]]:
    """Marks of each step, norm and so on the first fact, so that nobody who comes twice counts as two people."""
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        of = (fact.kind.removeprefix("open-"), fact.name if fact.kind != OUT else "")
        yield fact, of not in seen
        seen.add(of)


def _due(began: datetime, amount: Amount) -> datetime:
    return calendar.due(began, amount) if amount.unit == "uur" else _due_of_day(local_day(began), amount)


@lru_cache(maxsize=20_000)
def _due_of_day(day: date, amount: Amount) -> datetime:
    """All norms but those in hours end with a day, so the day on which they begin decides."""
    return calendar.due(datetime.combine(day, time(12), AMSTERDAM), amount)


def _in_week(kind: str, at: datetime, name: str, detail: str, outcome: str = "") -> Fact:
    """What happened in a week: under the first Monday of its ISO year, in the place of its week."""
    year, week, _ = local_day(at).isocalendar()
    return Fact(kind, date.fromisocalendar(year, 1, 1), name, detail, outcome, week - 1)


def _days(began: datetime, ended: datetime) -> int:
    """Whole calendar days of Amsterdam between two moments."""
    return max(0, (local_day(ended) - local_day(began)).days)


def monday(day: date) -> date:
    """The first day of its ISO week."""
    return day - timedelta(days=day.weekday())


def _week(at: datetime) -> date:
    return monday(local_day(at))
