"""Any walk through any pathway: Task.status stays legal, a replay ends the same, no step is unwatched."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from content import CATALOGUE
from ketenzorg.pathway import engine, handover
from ketenzorg.pathway.calendar import AMSTERDAM, parse
from ketenzorg.pathway.clocks import LENGTH, URGENCY
from ketenzorg.pathway.definition import STATUSES_WITH_REASON, Side
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.running import beginnings
from ketenzorg.pathway.words import ITSELF

EVERY = [one for pathway in CATALOGUE.versions() for one in (pathway, *pathway.variants.values())]


class Walk(NamedTuple):
    """Where a traject began, what happened, and what each event brought."""

    pathway: Pathway
    first: engine.State
    steps: list[engine.StepTaken]
    brought: list[dict[str, str]]

    @property
    def states(self) -> list[engine.State]:
        return [self.first, *(taken.state for taken in self.steps)]


# On an ordinary day, and around the nights in which the clock changes.
BEGINS = [
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 10, 24, 22, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
]


def begun(draw: st.DrawFn, pathway: Pathway, at: datetime) -> engine.State:
    """In one of the steps to which the file or a table points, with some urgency and length of a control."""
    first = draw(st.sampled_from(beginnings(pathway.file)))
    urgencies = st.sampled_from([*pathway.file.urgencies, ""]) if pathway.file.urgencies else st.just("")
    counts = {f"{URGENCY}:{name}": 1} if (name := draw(urgencies)) else {}
    for watch in pathway.file.watch:
        if watch.if_unknown and draw(st.booleans()):
            counts[f"{LENGTH}:{watch.every}:maanden"] = draw(st.integers(1, 12))
    return engine.State(first, counts, {pathway.begins_with(first): at})


def one_walk(draw: st.DrawFn) -> Walk:
    pathway, at = draw(st.sampled_from(EVERY)), draw(st.sampled_from(BEGINS))
    first = state = begun(draw, pathway, at)
    steps, brought = [], []
    for _ in range(draw(st.integers(0, 25))):
        options = engine.allowed(pathway, state)
        if not options:
            break
        option = draw(st.sampled_from(options))
        at += timedelta(hours=draw(st.integers(0, 400)))
        needs = {
            name: draw(st.sampled_from(pathway.file.needs[name].codes or ["Tekst."])) for name in option.needs
        }
        taken = engine.advance(pathway, state, option.event, draw(st.sampled_from(option.by)), at, needs)
        steps.append(taken)
        brought.append(needs)
        state = taken.state
    return Walk(pathway, first, steps, brought)


walks = st.composite(one_walk)()


@given(walks)
def test_task_status_stays_legal(
    walk: Walk,
) -> None:
    status = walk.pathway.steps[walk.first.step].task
    for taken in walk.steps:
        if taken.closes:  # the Task that ran ends, and a new one begins
            assert handover.legal(status, taken.closes), (taken.event, status, taken.closes)
            assert taken.closes in handover.FINAL_STATUSES
        elif taken.new_task:
            assert status in handover.FINAL_STATUSES
        else:
            assert handover.legal(status, taken.task), (taken.event, status, taken.task)
        if taken.new_task:
            own = taken.requester == taken.performer
            assert taken.task in (handover.OWN_FIRST if own else handover.FIRST_STATUSES)
        closing = taken.closes or taken.task
        assert (taken.reason is not None) == (closing in STATUSES_WITH_REASON and closing != status)
        assert taken.ends == (taken.task in handover.FINAL_STATUSES)
        status = taken.task


@given(walks)
def test_a_replay_of_the_events_gives_the_same_state(
    walk: Walk,
) -> None:
    pathway, state = walk.pathway, walk.first
    for taken, needs in zip(walk.steps, walk.brought, strict=True):
        stored = msgspec.json.decode(msgspec.json.encode(state), type=engine.State)
        state = engine.advance(pathway, stored, taken.event, taken.by, taken.at, needs).state
        assert state == taken.state


@given(walks)
def test_every_running_step_can_go_on_and_is_watched(
    walk: Walk,
) -> None:
    pathway = walk.pathway
    for taken in walk.steps:
        if taken.ends:
            assert engine.due(pathway, taken.state) == []
        else:
            assert engine.allowed(pathway, taken.state)
            assert engine.due(pathway, taken.state) or pathway.steps[taken.to_step].no_norm


@given(walks)
def test_a_status_alone_always_means_one_event(walk: Walk) -> None:
    for state in walk.states:
        now = walk.pathway.steps[state.step].task
        for option in engine.allowed(walk.pathway, state):
            if option.task and option.task != now and engine.by_status(option):
                for role in option.by:
                    if role != ITSELF:
                        meant = engine.for_status(walk.pathway, state, role, option.task)
                        assert (meant.task, role in meant.by) == (option.task, True)


@given(walks)
def test_a_hand_over_changes_with_a_new_task_and_never_without(walk: Walk) -> None:
    steps, before = walk.pathway.steps, walk.pathway.steps[walk.first.step]
    for taken in walk.steps:
        after = steps[taken.to_step]
        assert (taken.requester, taken.performer) == (after.requester, after.performer)
        if not (taken.new_task or taken.ends):
            assert after.handover == before.handover, (before.name, taken.event, after.name)
        if taken.new_task:
            assert bool(taken.closes) != bool(before.ends)
        before = after


PAUSES = [
    (pathway, side)
    for pathway in EVERY
    for side in pathway.file.side
    if side.clock == "staat stil" and any(step.side == side.name for step in pathway.steps.values())
]


@given(st.sampled_from(PAUSES), st.data(), st.integers(1, 40), st.integers(6, 90))
def test_a_clock_that_stands_still_gives_the_time_back(
    pause: tuple[Pathway, Side], data: st.DataObject, begun: int, stood: int
) -> None:
    """In a pause only what limits the pause runs; after it, everything is due as much later as it took."""
    pathway, side = pause
    name = data.draw(
        st.sampled_from([step.main for step in pathway.steps.values() if step.side == side.name])
    )
    started = {event for norm, _ in pathway.norms for event in norm.from_} - {side.enter.event}
    started |= {event for watch, _ in pathway.watches for event in watch.from_}
    before = engine.State(name, {}, dict.fromkeys(started, BEGINS[0]))
    into, out = BEGINS[0] + timedelta(days=begun), BEGINS[0] + timedelta(days=begun + stood)
    paused = happens(pathway, before, side.enter.event, into)
    about = {norm.name for norm, _ in pathway.norms if pathway.side_of(norm) == side.name}
    assert {each.norm for each in engine.due(pathway, paused)} == about
    after = happens(pathway, paused, side.leave.event, out)
    later = engine.State(name, {}, dict.fromkeys(started, BEGINS[0] + timedelta(days=stood)))
    assert dates(pathway, after) == dates(pathway, later)


def dates(pathway: Pathway, state: engine.State) -> dict[str, datetime]:
    """When each norm that runs is due."""
    return {each.norm: each.at for each in engine.due(pathway, state)}


def happens(pathway: Pathway, state: engine.State, event: str, at: datetime) -> engine.State:
    """The state after this event by whoever may say it."""
    option = next(option for option in engine.allowed(pathway, state) if option.event == event)
    brought = {name: next(iter(pathway.file.needs[name].codes), "Tekst.") for name in option.needs}
    return engine.advance(pathway, state, event, option.by[0], at, brought).state


@given(walks)
def test_days_end_at_midnight_in_amsterdam_also_when_the_clock_changes(walk: Walk) -> None:
    hours = {norm.name for norm, amount in walk.pathway.norms if amount.unit == "uur"}
    hours |= {
        watch.name
        for watch in walk.pathway.file.watch
        if parse(watch.if_unknown or watch.every).unit == "uur"
    }
    for state in walk.states:
        for due in engine.due(walk.pathway, state):
            assert due.at.utcoffset() == timedelta(0)
            assert due.at > min(state.happened.values())
            local = due.at.astimezone(AMSTERDAM)
            assert due.norm in hours or (local.hour, local.minute, local.second) == (23, 59, 59), due
