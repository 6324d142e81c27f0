"""Any walk through any pathway: Task.status stays legal, a replay ends the same, no step is unwatched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ketenzorg.pathway import engine, handover
from ketenzorg.pathway.definition import STATUSES_WITH_REASON
from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Pathway

CATALOGUE = load(Path(__file__).parents[2] / "pathways")
Walk = tuple[Pathway, list[engine.StepTaken], list[dict[str, str]]]
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def one_walk(draw: st.DrawFn) -> Walk:
    pathway = draw(st.sampled_from(CATALOGUE.versions()))
    state, at = engine.start(pathway, BEGIN), BEGIN
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
    return pathway, steps, brought


walks = st.composite(one_walk)()


@given(walks)
def test_task_status_stays_legal(
    walk: Walk,
) -> None:
    pathway, steps, _ = walk
    status = pathway.steps[pathway.file.begins].task
    for taken in steps:
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
    pathway, steps, brought = walk
    state = engine.start(pathway, BEGIN)
    for taken, needs in zip(steps, brought, strict=True):
        stored = msgspec.json.decode(msgspec.json.encode(state), type=engine.State)
        state = engine.advance(pathway, stored, taken.event, taken.by, taken.at, needs).state
        assert state == taken.state


@given(walks)
def test_every_running_step_can_go_on_and_is_watched(
    walk: Walk,
) -> None:
    pathway, steps, _ = walk
    for taken in steps:
        if taken.ends:
            assert engine.due(pathway, taken.state) == []
        else:
            assert engine.allowed(pathway, taken.state)
            assert engine.due(pathway, taken.state) or pathway.steps[taken.to_step].no_norm
