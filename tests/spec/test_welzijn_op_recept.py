"""Welzijn op Recept: the walks of welzijn-op-recept.md, and what holds in every step."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ketenzorg.pathway import engine
from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Pathway
from spec.walks import tables, walked

WALKS = tables("welzijn-op-recept.md")


@pytest.fixture(scope="module")
def welzijn() -> Pathway:
    return load(Path(__file__).parents[2] / "pathways").current("welzijn-op-recept")


@pytest.mark.parametrize("walk", WALKS)
def test_walk(welzijn: Pathway, walk: str) -> None:
    expected = WALKS[walk]
    assert walked(welzijn, expected) == expected


def test_every_step_and_every_exit_stands_in_a_walk(welzijn: Pathway) -> None:
    told = "".join(WALKS.values())
    assert [name for name, step in welzijn.steps.items() if not step.side and f"| {name} " not in told] == []


AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
RUNNING = """
    aangemeld, ontvangen, contact zoeken, brief sturen, wachten op antwoord, kennismaking,
    in gesprek, plan, activiteit, nazorg, afronding,
    plan (in de wacht), kennismaking (uitgesteld), aangemeld (informatie gevraagd)
"""


@pytest.mark.parametrize("step", [name.strip() for name in RUNNING.split(",")])
@pytest.mark.parametrize("by", ["welzijnscoach", "verwijzer"])
def test_a_crisis_can_be_recorded_from_every_step_and_the_other_side_hears_of_it(
    welzijn: Pathway, step: str, by: str
) -> None:
    state = engine.State(step, {}, {"verwijzing ontvangen": AT})
    taken = engine.advance(welzijn, state, "crisis gemeld", by, AT, {"gebeld-met": "crisisdienst"})
    assert taken.to_step == f"{step.partition(' (')[0]} (crisis)"
    assert taken.tell == (("verwijzer",) if by == "welzijnscoach" else ("welzijnscoach",))
    assert taken.emergency


def test_every_exit_tells_the_referrer(welzijn: Pathway) -> None:
    silent = [
        (step.name, move.event)
        for step in welzijn.steps.values()
        for move in step.moves
        if welzijn.steps[move.to].ends and move.by != ["verwijzer"] and "verwijzer" not in move.tell
    ]
    assert silent == []
