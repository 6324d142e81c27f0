"""Whatever happens in whatever pathway: the rows of the clock are what the event log makes of it, and of what runs out
it is told once, with its own moment, however often and by however many it is looked at on the way.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clock.wandering import Wanderer
from content import CATALOGUE
from ketenzorg import events
from ketenzorg.cli.demo.people import numbers_for_tests
from ketenzorg.coordination.steps.watching import Watcher
from ketenzorg.pathway import engine
from ketenzorg.pathway.calendar import in_words
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from ketenzorg.store.database import Database
from ketenzorg.store.dues import Dues
from services import SETTINGS, START, Service

NOBODY, ONCE, TOGETHER, DYING = range(4)  # how the clock is looked at before a step
# Where it begins; then which of the options, with which of the codes, hours later, and how the clock is looked at.
WALKS = st.tuples(
    st.integers(0, 50),
    st.lists(
        st.tuples(st.integers(0, 1_000), st.integers(0, 9), st.integers(0, 1_500), st.sampled_from(range(4))),
        min_size=2,
        max_size=10,
    ),
)
Exceeded = dict[tuple[str, datetime, str], datetime]


@pytest.mark.parametrize("name", CATALOGUE.names)
async def test_the_log_alone_says_what_runs_and_what_was_told(service: Service, name: str) -> None:
    numbers, clock = numbers_for_tests(), service.app.litestar.state.clock
    pools = [Database(service.database.app_url) for _ in range(3)]
    world = service.app.litestar.state.world
    watchers = [Watcher(replace(world, dues=Dues(pool, SETTINGS.region, world.bell))) for pool in pools]
    some_were_told = False
    for number, (begins, steps) in enumerate(walks()):
        clock.set(START)
        await service.rows("update ketenzorg.due set look = null")  # of the walks before this one
        wanderer = Wanderer(service, CATALOGUE.current(name), number, next(numbers))
        await wanderer.begin(begins)
        hours = 0
        for which, code, later, how in steps:
            hours += later
            clock.set(START + timedelta(hours=hours))
            await looked(watchers, clock.now(), how)
            if not await wanderer.step(which, code):
                break
            await check_rows(wanderer)
        while await watchers[0].look(clock.now()):
            pass
        some_were_told |= await check_told(wanderer, clock.now())
    for pool in pools:
        await pool.close()
    assert some_were_told


def walks() -> list[Any]:
    """Hypothesis calls a plain function; the walks that it thinks of are walked by the test itself."""
    found: list[Any] = []

    @settings(
        max_examples=8,
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


async def looked(watchers: list[Watcher], now: datetime, how: int) -> None:
    if how == ONCE:
        await watchers[0].look(now)
    if how == TOGETHER:
        await asyncio.gather(*(watcher.look(now) for watcher in watchers * 2))
    if how == DYING:

        def dies() -> UUID:
            raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            await Watcher(replace(watchers[0].world, new_id=dies)).look(now)


async def check_rows(wanderer: Wanderer) -> None:
    now = await wanderer.standing()
    dues = engine.due(pathway := of_patient(wanderer, now.log), replay(pathway, now.log))
    expected = sorted((due.at, due.norm, due.began, in_words(due.within)[0]) for due in dues)
    found = [(row["at"], row["norm"], row["began"], row["within"]) for row in await wanderer.dues()]
    assert found == expected


async def check_told(wanderer: Wanderer, now: datetime) -> bool:
    """Whether something ran out."""
    log = (await wanderer.standing()).log
    told = [event for _, event in log if isinstance(event, events.NormExceeded)]
    found = {(each.norm, each.began, each.within): each.at for each in told}
    assert len(found) == len(told)
    assert found == ran_out(of_patient(wanderer, log), log, now)
    assert [seq for seq, _ in log] == list(range(1, len(log) + 1))
    return bool(told)


def ran_out(pathway: Pathway, log: list[tuple[int, events.Event]], now: datetime) -> Exceeded:
    """What was past before it was met, stopped or lapsed, from what people said alone."""
    said = [(seq, event) for seq, event in log if not isinstance(event, events.OfNorm)]
    running = [running_after(pathway, said[:n]) for n in range(1, len(said) + 1)]
    until = [event.at for _, event in said[1:]]
    found: Exceeded = {}
    for (before, after), at in zip(pairwise([*running, set()]), [*until, now], strict=True):
        for due, norm, began, within in sorted(before - after):
            if due < at:
                found.setdefault((norm, began, within), due)
    return found


def running_after(pathway: Pathway, log: Any) -> set[tuple[datetime, str, datetime, str]]:
    dues = engine.due(pathway, replay(pathway, log))
    return {(due.at, due.norm, due.began, in_words(due.within)[0]) for due in dues}


def of_patient(wanderer: Wanderer, log: list[tuple[int, events.Event]]) -> Pathway:
    received = log[0][1]
    assert isinstance(received, events.ReferralReceived)
    return wanderer.pathway.in_municipality(received.municipality)
