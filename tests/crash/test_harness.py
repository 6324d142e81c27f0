"""`ketenzorg crash`: the service keeps every invariant under it, and whoever takes a guard out of it is found out."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ketenzorg.cli.crash.report import as_text
from ketenzorg.cli.crash.run import Outcome, Plan, run

HERE = Path(__file__).parent
SECONDS = float(os.environ.get("KETENZORG_TEST_CRASH_SECONDS", "25"))
SEED = 3


class Guard(NamedTuple):
    """A guard that is taken out: by SQL, and by another program where SQL cannot; what must break, and what may."""

    name: str
    blows: tuple[str, int]
    must: set[str]
    may: set[str]
    quiet_s: float = 60


GUARDS = (
    # A lost notification is a part that is missing, and one that nobody heard.
    Guard("late_outbox", ("kill of an API process", 4), {"I4", "I6"}, {"I4", "I6"}),
    Guard("naive_poller", ("cut to a receiver", 4), {"I6"}, {"I6"}, quiet_s=5),
    # The audit line of the second is with the first.
    Guard("no_unique_key", ("kill of an API process", 5), {"I2"}, {"I2", "I4", "I5"}),
    # The last moment before the kill is gone: whole, but with all that was said of it.
    Guard("late_commit", ("kill of the postmaster", 2), {"I7"}, {"I1", "I5", "I6", "I7", "I8"}),
)


def told(outcome: Outcome) -> str:
    return as_text(outcome.truth, outcome.heard, outcome.restarts, outcome.verdicts)


async def test_what_is_killed_paused_and_cut_loses_nothing(
    tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    outcome = await run(Plan(seconds=SECONDS, seed=SEED), tmp_path)
    assert outcome.broken == set(), told(outcome)
    assert {each.outcome for each in outcome.truth.attempts} == {"ack", "nack", "unknown"}, told(outcome)
    assert len({blow.kind for blow in outcome.truth.blows}) > 2, told(outcome)
    assert all(verdict.checked for verdict in outcome.verdicts), told(outcome)
    record_testsuite_property("blows to the service", len(outcome.truth.blows))


@pytest.mark.parametrize("guard", GUARDS, ids=[guard.name for guard in GUARDS])
async def test_a_guard_that_is_taken_out_is_missed(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    kind, blows = guard.blows
    plan = Plan(
        seconds=120,
        seed=SEED,
        kinds=(kind,),
        blows=blows,
        quiet_s=guard.quiet_s,
        program=f"crash.{guard.name}" if (HERE / f"{guard.name}.py").exists() else "ketenzorg",
        sql=(HERE / f"{guard.name}.sql").read_text(),
    )
    outcome = await run(plan, tmp_path)
    assert guard.must <= outcome.broken <= guard.may, told(outcome)
