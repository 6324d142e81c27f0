"""The one pure function behind every step: where a traject stands, what happened, where it stands then.

No clock and no I/O in here: the moment comes in as an argument, so a replay of events gives the same answer.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from operator import attrgetter

import msgspec

from ketenzorg.errors import Invalid, Issue, TransitionNotAllowed
from ketenzorg.pathway import calendar
from ketenzorg.pathway.calendar import Amount
from ketenzorg.pathway.clocks import LENGTH, STOOD, URGENCY, Clock
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.definition import Move, Side
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.machine import Walk, fire, holds
from ketenzorg.pathway.words import ITSELF, WITHDRAWN

MAX_TEXT = 4_000  # characters of one answer that an event brings
# The Task when the patient takes consent back, whoever says so: nobody refused, and nothing failed.
CANCELLED = "cancelled"
_KEPT = (f"{URGENCY}:", f"{LENGTH}:")  # what a new hand-over takes along from State.counts


class State(msgspec.Struct, frozen=True):
    """Where a traject stands."""

    step: str
    counts: dict[str, int]  # attempts, and under "urgentie:", "termijn:" and "stil:" what norms depend on
    happened: dict[str, datetime]  # event -> the last time that it happened (aware, UTC)


class Reason(msgspec.Struct, frozen=True):
    """A code of loaded.REASON_SYSTEM for Task.statusReason."""

    code: str
    text: str


class StepTaken(msgspec.Struct, frozen=True):
    """What one event did; `state` is how the traject stands after it."""

    event: str
    from_step: str
    to_step: str
    by: str
    at: datetime
    state: State
    task: str
    request: str
    careplan: str
    tell: tuple[str, ...]
    output: tuple[str, ...]
    ends: bool
    exit: str = ""  # the exit reason when it ends
    reason: Reason | None = None  # Task.statusReason; only with rejected, on-hold, cancelled and failed
    new_task: bool = False  # make a new Task, with status `task`
    closes: str = ""  # with new_task: the status with which the Task that ran until now ends
    requester: str = ""  # the roles of the Task after this event: who asked, and who performs
    performer: str = ""
    emergency: bool = False
    forward: bool = False  # the new Task goes to another organisation in the same role
    proposes: str = ""  # the name of the answer that proposes something else


class Option(msgspec.Struct, frozen=True):
    """One thing that may happen now."""

    event: str
    to_step: str
    by: tuple[str, ...]
    task: str  # status of the Task that runs now, after the event
    needs: tuple[str, ...]
    title: str
    may: tuple[str, ...] = ()
    default: bool = False
    emergency: bool = False
    new_task: bool = False
    closes: bool = False  # the Task that runs ends with `task`, and a new one begins
    reason: str = ""  # the code of Task.statusReason that it always has
    forward: bool = False  # with another organisation in the same role


class Due(msgspec.Struct, frozen=True):
    """A norm that runs now, and the last moment at which it is still met."""

    norm: str
    to_event: str
    began: datetime  # what comes back is armed anew each time
    within: Amount
    at: datetime
    source: str
    status: str


def start(pathway: Pathway, at: datetime, screening: Screening | None = None) -> State:
    """The first step, with the event that begins every traject; the screening may point to another first step."""
    step = screening.route.step if screening and screening.route else pathway.file.begins
    kept = dict(screening.kept) if screening else {}
    return State(step, kept, {pathway.begins_with(step): _aware(at)})


def rearmed(state: State, screening: Screening) -> State:
    """The same place with what new data say about urgency and the lengths of controls."""
    return rekept(state, screening.kept)


def rekept(state: State, kept: Mapping[str, int]) -> State:
    """The same place with another urgency and other lengths of controls."""
    counts = {name: number for name, number in state.counts.items() if not name.startswith(_KEPT)}
    return State(state.step, counts | dict(kept), state.happened)


def advance(
    pathway: Pathway, state: State, event: str, by: str, at: datetime, given: Mapping[str, str]
) -> StepTaken:
    """The step that this event leads to; refuses what the pathway does not allow and says what it does."""
    at = _aware(at)
    counts = counts_after(pathway, state, event, at)
    move = fire(pathway.machine, Walk(state.step, by, counts), event)
    if move is None:
        raise _not_allowed(pathway, state, by, event)
    _require(pathway, move, given)
    before, after = pathway.steps[state.step], pathway.steps[move.to]
    reason = _reason(pathway, move, given)
    return StepTaken(
        event=event,
        from_step=state.step,
        to_step=move.to,
        by=by,
        at=at,
        state=_state_after(pathway, state, move, counts, at),
        task=CANCELLED if reason and reason.code == WITHDRAWN else move.task or before.task,
        request=after.request,
        careplan=after.careplan,
        tell=tuple(role for role in move.tell if role != by),
        output=tuple(name for name in given if pathway.file.needs[name].goes_to in ("uitkomst", "voorstel")),
        proposes=next((name for name in given if pathway.file.needs[name].goes_to == "voorstel"), ""),
        ends=bool(after.ends),
        exit=after.ends,
        reason=reason,
        new_task=move.new_task,
        closes=move.closes or "",
        requester=after.requester,
        performer=after.performer,
        emergency=move.emergency,
        forward=move.forward,
    )


def recorded(pathway: Pathway, state: State, event: str, to_step: str, at: datetime) -> State:
    """The state after a step that is on record: whether it might be taken was judged then."""
    moves = pathway.steps[state.step].moves
    move = next(each for each in moves if (each.event, each.to) == (event, to_step))
    return _state_after(pathway, state, move, counts_after(pathway, state, event, at), at)


def allowed(pathway: Pathway, state: State, by: str | None = None) -> list[Option]:
    """Everything that may happen now, by anybody or by this role."""
    return [
        _option(move)
        for move in pathway.steps[state.step].moves
        if (by in move.by or (by is None and move.by != [ITSELF])) and _counts_allow(pathway, state, move)
    ]


def for_status(
    pathway: Pathway, state: State, by: str, task_status: str, reasons: Collection[str] = ()
) -> Option:
    """The one transition that is meant when a party only writes this Task.status, and maybe a coded reason."""
    now = pathway.steps[state.step].task
    options = [
        option
        for option in allowed(pathway, state, by)
        if option.task == task_status and option.task != now and by_status(option)
    ]
    chosen = [option for option in options if option.reason in reasons]
    if not chosen:
        chosen = options if len(options) == 1 else [option for option in options if option.default]
    if len(chosen) != 1:
        raise _no_such_status(pathway, state, by, task_status)
    return chosen[0]


def by_status(option: Option | Move) -> bool:
    """An emergency, a new round and sending on are said in so many words, never meant by a status alone."""
    return not (option.emergency or option.forward or (option.new_task and not option.closes))


def due(pathway: Pathway, state: State) -> list[Due]:
    """The norms and controls that run now, soonest first: begun, not yet met, the traject not ended."""
    running = []
    for clock in pathway.clocks[state.step]:
        if clock.urgencies and clock.urgencies.isdisjoint(state.counts):
            continue
        began = clock.began(state.happened)
        if began is not None:
            within = clock.long(state.counts)
            at = calendar.due(_moved(began, clock, state), within)
            running.append(Due(clock.name, clock.to[0], began, within, at, clock.source, clock.status))
    running.sort(key=_AT)
    return running


_AT = attrgetter("at")


def _moved(began: datetime, clock: Clock, state: State) -> datetime:
    """As much later as its clock stood still."""
    stood = state.counts.get(clock.stood)
    return began + timedelta(seconds=stood) if stood else began


def _side(pathway: Pathway, name: str) -> Side | None:
    return next((side for side in pathway.file.side if side.name == name), None)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("at must be aware")
    return at


def counts_after(pathway: Pathway, state: State, event: str, at: datetime) -> dict[str, int]:
    """The counts if this event is taken; two attempts on one day count once where the file says so."""
    name = next((move.count for move in pathway.steps[state.step].moves if move.event == event), "")
    if not name:
        return state.counts
    last = state.happened.get(event)
    same_day = last is not None and calendar.local_day(last) == calendar.local_day(at)
    if same_day and pathway.file.counts[name].apart == "dag":
        return state.counts
    return state.counts | {name: state.counts.get(name, 0) + 1}


def _counts_allow(pathway: Pathway, state: State, move: Move) -> bool:
    """Whether the counts leave this open; which of two ways an attempt goes is seen when it is made."""
    counts = state.counts | ({move.count: state.counts.get(move.count, 0) + 1} if move.count else {})
    return holds(move, counts, pathway.file.counts)


def _state_after(pathway: Pathway, state: State, move: Move, counts: dict[str, int], at: datetime) -> State:
    kept = {name: number for name, number in counts.items() if name.startswith(_KEPT)}
    if (
        move.new_task and not move.closes
    ):  # a new round: attempts and norms start afresh; the log keeps the old
        return State(move.to, kept, {move.event: at})
    if move.new_task:  # the next hand-over: its attempts start afresh, norms may run over both
        kept |= {name: number for name, number in counts.items() if name.startswith(f"{STOOD}:")}
        counts = kept
    happened = sent_on(pathway, state.happened) if move.forward else state.happened
    return State(move.to, _clocks(pathway, state, move, counts, at), happened | {move.event: at})


def sent_on(pathway: Pathway, happened: Mapping[str, datetime]) -> dict[str, datetime]:
    """What still counts once a hand-over is sent on: what happened before it began.

    The patient waits on: a norm that the first one met (it accepted, it made contact) runs on from its own beginning.
    """
    began = max(at for event, at in happened.items() if event in pathway.hand_overs)
    return {event: at for event, at in happened.items() if at < began or event in pathway.hand_overs}


def _clocks(
    pathway: Pathway, state: State, move: Move, counts: dict[str, int], at: datetime
) -> dict[str, int]:
    """The seconds for which clocks stood still: added to when a pause ends, gone when a norm begins anew."""
    step = pathway.steps[state.step]
    stood: dict[str, int] = {}
    if step.clock_stops and pathway.steps[move.to].side != step.side:
        pause = _side(pathway, step.side)
        entered = state.happened.get(pause.enter.event, at) if pause else at
        for clock in pathway.all_clocks:
            if clock.over is not None or clock.began(state.happened) is not None:
                stood[clock.stood] = counts.get(clock.stood, 0) + int((at - entered).total_seconds())
    anew = pathway.begun_by.get(move.event, frozenset())
    if not stood and anew.isdisjoint(counts):
        return counts
    return {name: number for name, number in (counts | stood).items() if name not in anew}


def _reason(pathway: Pathway, move: Move, given: Mapping[str, str]) -> Reason | None:
    code = move.reason or next(
        (given[name] for name in move.needs if pathway.file.needs[name].goes_to == "reden"), ""
    )
    return Reason(code, pathway.file.codes[code]) if code else None


def _option(move: Move) -> Option:
    return Option(
        event=move.event,
        to_step=move.to,
        by=tuple(move.by),
        task=move.closes or move.task or "",
        needs=tuple(move.needs),
        title=move.title or move.event,
        may=tuple(move.may),
        default=move.default,
        emergency=move.emergency,
        new_task=move.new_task,
        closes=move.closes is not None,
        reason=move.reason,
        forward=move.forward,
    )


def _require(pathway: Pathway, move: Move, given: Mapping[str, str]) -> None:
    """What the event must bring is there, is one of the codes, and nothing else came along."""
    issues = [*_missing(pathway, move, given), *_unknown(move, given)]
    for name, value in given.items():
        codes = pathway.file.needs[name].codes if name in {*move.needs, *move.may} else []
        if codes and value.strip() and value not in codes:
            one_of = ", ".join(codes)
            issues.append(_issue(name, f"‘{name}’ is een van: {one_of}.", f"'{name}' is one of: {one_of}."))
        elif len(value) > MAX_TEXT:
            nl, en = f"‘{name}’ is langer dan {MAX_TEXT} tekens.", f"'{name}' is over {MAX_TEXT} characters."
            issues.append(_issue(name, nl, en))
    if issues:
        raise Invalid(*issues)


def _missing(pathway: Pathway, move: Move, given: Mapping[str, str]) -> list[Issue]:
    return [
        _issue(
            name,
            f"Voor ‘{move.event}’ is ‘{name}’ nodig: {pathway.file.needs[name].ask}",
            f"'{move.event}' needs '{name}': {pathway.file.needs[name].ask}",
        )
        for name in move.needs
        if not given.get(name, "").strip()
    ]


def _unknown(move: Move, given: Mapping[str, str]) -> list[Issue]:
    known = [*move.needs, *move.may]
    names = ", ".join(known)
    return [
        _issue(
            "given",
            f"‘{move.event}’ neemt alleen aan: {names or 'niets'}.",
            f"'{move.event}' takes only: {names or 'nothing'}.",
        )
        for name in given
        if name not in known
    ]


def _issue(place: str, nl: str, en: str) -> Issue:
    return Issue(nl=nl, en=en, expression=(place,))


def _not_allowed(pathway: Pathway, state: State, by: str, event: str) -> TransitionNotAllowed:
    here = [move for move in pathway.steps[state.step].moves if move.event == event]
    if event not in pathway.events:
        nl, en = _no_such_event(event, pathway.events)
    elif here:
        roles = " of ".join(sorted({role for move in here for role in move.by}))
        nl = f"‘{event}’ is hier aan {roles}, niet aan {by}."
        en = f"Here '{event}' is up to {roles.replace(' of ', ' or ')}, not to {by}."
    else:
        nl, en = f"‘{event}’ kan niet in deze stap.", f"'{event}' cannot happen in this step."
    return TransitionNotAllowed(with_options(pathway, state, nl, en))


def _no_such_event(event: str, events: Iterable[str]) -> tuple[str, str]:
    # The caller's own word is not repeated: it may hold anything.
    close = get_close_matches(event, list(events), n=1)
    nl, en = "Dit zorgpad kent die gebeurtenis niet.", "This pathway has no such event."
    return (f"{nl} Bedoelt u ‘{close[0]}’?", f"{en} Did you mean '{close[0]}'?") if close else (nl, en)


def _no_such_status(pathway: Pathway, state: State, by: str, task_status: str) -> TransitionNotAllowed:
    role = by if by in pathway.file.roles else "deze partij"
    return TransitionNotAllowed(
        with_options(
            pathway,
            state,
            f"Task.status ‘{task_status}’ is hier niet één gebeurtenis van {role}; noem de gebeurtenis.",
            f"Here Task.status '{task_status}' does not mean one event by {role}; name the event.",
            ("Task.status",),
        )
    )


def with_options(
    pathway: Pathway,
    state: State,
    nl: str,
    en: str,
    expression: tuple[str, ...] = (),
    but: Collection[str] = (),
) -> Issue:
    """Adds the current step, and what is allowed now and to whom; `but`: what cannot happen for another reason."""
    step = pathway.steps[state.step]
    roles: dict[str, dict[str, None]] = {}
    for option in allowed(pathway, state):
        if option.event in but:
            continue
        roles.setdefault(option.event, {}).update(dict.fromkeys(option.by))
    now_nl = "; ".join(f"{event} ({' of '.join(by)})" for event, by in roles.items())
    now_en = "; ".join(f"{event} ({' or '.join(by)})" for event, by in roles.items())
    now_nl, now_en = (
        now_nl or "niets meer: het traject is beëindigd",
        now_en or "nothing: the traject has ended",
    )
    return Issue(
        nl=f"{nl} Stap: ‘{step.name}’. Nu mogelijk: {now_nl}.",
        en=f"{en} Step: '{step.name}'. Allowed now: {now_en}.",
        expression=expression,
    )
