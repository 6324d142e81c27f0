"""The figures counted one traject at a time from the raw events, in another way than the code that is tested."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from ketenzorg import events
from ketenzorg.pathway import calendar, engine
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from throughput.regions import Entry

Moment = datetime
Round = list[tuple[Moment, str, events.StepTaken | None]]


@dataclass
class Case:
    """One traject: what it is after all corrections, cut into rounds."""

    received: events.ReferralReceived
    log: Sequence[Entry]
    rounds: list[Round] = field(default_factory=list)

    def late(self, pathway: Pathway, now: Moment) -> set[str]:
        """The norms that are late now, as the worklist says it: by the log and the engine."""
        here = pathway.in_municipality(self.received.municipality)
        return {due.norm for due in engine.due(here, replay(here, self.log)) if due.at < now}


def cases(logs: Sequence[Sequence[Entry]]) -> Iterator[Case]:
    for log in logs:
        gone = {event.corrects for _, event in log if isinstance(event, events.StepCorrected)}
        received = log[0][1]
        assert isinstance(received, events.ReferralReceived)
        case = Case(received, log, [[(received.at, received.event, None)]])
        for seq, event in log[1:]:
            if seq in gone or not isinstance(event, events.StepTaken):
                continue
            if event.event == "heropenen":
                case.rounds.append([])
            case.rounds[-1].append((event.at, event.event, event))
        exits = [step.exit for _, _, step in case.rounds[-1] if step is not None and step.exit]
        if exits[-1:] != ["entered_in_error"]:
            yield case


def days_between(one: Moment, other: Moment) -> int:
    return max(0, (local_day(other) - local_day(one)).days)


def stays(case: Case, pathway: Pathway) -> Iterator[tuple[str, Moment, Moment | None]]:
    """(step, entered, left): every moment at which a step was said, none before the one said earlier."""
    said: list[tuple[Moment, str]] = []
    for round_ in case.rounds:
        for at, _, step in round_:
            name = step.to_step if step is not None else case.received.step
            said.append((max([at, *(moment for moment, _ in said)]), name.split(" (")[0]))
            if step is not None and step.exit:
                break
    visits = [(name, next(iter(group))[0]) for name, group in groupby(said, key=lambda each: each[1])]
    lefts: list[Moment | None] = [entered for _, entered in visits[1:]]
    for (name, entered), left in zip(visits, [*lefts, None], strict=True):
        if not pathway.steps[name].ends:
            yield name, entered, left


@dataclass
class Clock:
    """One run of a norm."""

    norm: str
    began: Moment
    due: Moment
    early: Moment  # until when it is in the time of the share; the maximum where there is none
    met: Moment | None
    stopped: Moment | None


def clocks(case: Case, pathway: Pathway) -> Iterator[Clock]:
    for number, round_ in enumerate(case.rounds):
        end = next((at for at, _, step in round_ if step is not None and step.exit), None)
        until = [
            each for place, each in enumerate(round_) if not any(s and s.exit for _, _, s in round_[:place])
        ]
        assert end is not None or number == len(case.rounds) - 1
        told: list[tuple[str, Moment, Moment]] = []
        *sent_on, last = snapshots(until, pathway)
        for counts in sent_on:
            met_by_then = [clock for clock in _clocks(counts, None, pathway) if clock.met]
            new = [each for each in met_by_then if (each.norm, each.began, each.met) not in told]
            told += [(each.norm, each.began, each.met) for each in new if each.met]
            yield from new
        for clock in _clocks(last, end, pathway):
            if clock.met is None or (clock.norm, clock.began, clock.met) not in told:
                yield clock


def snapshots(until: Round, pathway: Pathway) -> list[list[tuple[Moment, str]]]:
    """What counts for the clock just before each time that it was sent on, and at the end.

    That a side step was left stands among it, as its name in brackets.
    """
    begin_one = {"verwijzing ontvangen", "heropenen", "doorsturen"}
    found: list[list[tuple[Moment, str]]] = []
    now: list[tuple[Moment, str]] = []
    for at, name, step in until:
        if name == "doorsturen":
            found.append(now)
            last = {name: at for at, name in now}
            began = max(at for name, at in last.items() if name in begin_one)
            gone = {name for name, at in last.items() if name not in begin_one and at >= began}
            now = [each for each in now if each[1] not in gone]
        now = [*now, (at, name), *((at, f"({each})") for each in sides_left(step, pathway))]
    return [*found, now]


def sides_left(step: events.StepTaken | None, pathway: Pathway) -> set[str]:
    if step is None:
        return set()
    return {pathway.steps[step.from_step].side} - {pathway.steps[step.to_step].side, ""}


def _clocks(moments: list[tuple[Moment, str]], end: Moment | None, pathway: Pathway) -> Iterator[Clock]:
    for norm, amount in pathway.norms:
        begins = sorted(at for at, name in moments if name in norm.from_)
        answers = sorted(at for at, name in moments if name in norm.to)
        about = {f"({side.name})" for side in pathway.file.side if side.enter.event in norm.from_}
        for place, began in enumerate(begins):
            again = begins[place + 1] if place + 1 < len(begins) else None
            left = min((at for at, name in moments if name in about and at >= began), default=None)
            until = min((at for at in (again, left) if at is not None), default=None)
            met = next(
                (
                    at
                    for at in answers
                    if at >= began and (again is None or at < again) and (left is None or at <= left)
                ),
                None,
            )
            stopped = None if met else until or (max(began, end) if end else None)
            early = calendar.due(began, calendar.parse(norm.share.within if norm.share else norm.max))
            yield Clock(norm.name, began, calendar.due(began, amount), early, met, stopped)


def kaplan_meier(ended: Sequence[int], censored: Sequence[int], share: float) -> int | None:
    survival = 1.0
    for day in sorted(set(ended)):
        at_risk = sum(each >= day for each in [*ended, *censored])
        survival *= 1 - list(ended).count(day) / at_risk
        if survival <= 1 - share + 1e-9:
            return day
    return None


def share_in_time(in_time: Sequence[int], lost: Sequence[int], late: int) -> tuple[float, float]:
    """(in time, could still be): everybody weighs the same; who is lost leaves their weight to all who stay."""
    never = 10**6
    people = sorted(
        [*((day, 0) for day in in_time), *((day, 1) for day in lost), *[(never, 2)] * late]
    )  # on one day who is answered comes before who is lost
    weight = [1 / len(people)] * len(people) if people else []
    found = open_ = 0.0
    for place, (_, what) in enumerate(people):
        if what == 0:
            found += weight[place]
        elif what == 1:
            later = range(place + 1, len(people))
            for other in later:
                weight[other] += weight[place] / len(later)
            open_ += 0 if later else weight[place]
    return found, open_


def week(at: Moment) -> date:
    day = local_day(at)
    return day - timedelta(days=day.weekday())


def hidden(n: int, trajecten: int | None = None) -> int | None:
    """The number as it may be shown."""
    return None if (n if trajecten is None else trajecten) < 10 else (n + 2) // 5 * 5
