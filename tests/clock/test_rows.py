"""The rows of the clock are what the engine makes of the event log, whatever happens in whatever pathway."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clock.wandering import Wanderer
from ketenzorg.cli.demo_people import numbers_for_tests
from ketenzorg.pathway import engine
from ketenzorg.pathway.calendar import in_words
from ketenzorg.pathway.load import load
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from services import SETTINGS, START, Service

CATALOGUE = load(SETTINGS.pathways)
# Where it begins; then which of the options, with which of the codes, hours later.
WALKS = st.tuples(
    st.integers(0, 50),
    st.lists(
        st.tuples(st.integers(0, 1_000), st.integers(0, 9), st.integers(0, 400)), min_size=2, max_size=12
    ),
)


@pytest.mark.parametrize("name", CATALOGUE.names)
async def test_what_runs_is_what_a_replay_of_the_log_gives(service: Service, name: str) -> None:
    pathway, numbers = CATALOGUE.current(name), numbers_for_tests()
    for number, (begins, steps) in enumerate(walks()):
        clock = service.app.litestar.state.clock
        clock.set(START)
        wanderer = Wanderer(service, pathway, number, next(numbers))
        await wanderer.begin(begins)
        await check(wanderer, pathway)
        hours = 0
        for which, code, later in steps:
            hours += later
            clock.set(START + timedelta(hours=hours))
            if not await wanderer.step(which, code):
                break
            await check(wanderer, pathway)


def walks() -> list[Any]:
    """Hypothesis calls a plain function; the walks that it thinks of are walked by the test itself."""
    found: list[Any] = []

    @settings(
        max_examples=6,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(WALKS)
    def collect(walk: Any) -> None:
        found.append(walk)

    collect()
    return found


async def check(wanderer: Wanderer, pathway: Pathway) -> None:
    now = await wanderer.standing()
    received = now.log[0][1]
    pathway = pathway.in_municipality(received.municipality)  # type: ignore[union-attr]
    dues = engine.due(pathway, replay(pathway, now.log))
    expected = sorted((due.at, due.norm, due.began, in_words(due.within)[0]) for due in dues)
    found = [(row["at"], row["norm"], row["began"], row["within"]) for row in await wanderer.dues()]
    assert found == expected
