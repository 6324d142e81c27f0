"""Requests that wait together share a statement, and what happens to one of them is that one's alone."""

import asyncio
from collections.abc import Sequence

import pytest

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.store.coalescer import LANES, MOST, Coalescer


class Statements:
    """A run function that waits until it is told to go on, and refuses what is poisoned."""

    def __init__(self, *poison: int) -> None:
        self.batches: list[list[int]] = []
        self.stored: list[int] = []
        self.poison = set(poison)
        self.gate = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        await self.gate.wait()
        if self.poison & set(items):
            raise ValueError("poison")
        self.stored += items
        return [f"stored {item}" for item in items]


async def all_submitted(coalescer: Coalescer[int, str], count: int) -> list[asyncio.Task[str]]:
    """Each item in a task of its own; returns when every one of them waits."""
    tasks = [asyncio.create_task(coalescer.submit(item)) for item in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_who_waits_shares_a_statement_and_gets_its_own_answer() -> None:
    run = Statements()
    count = LANES + MOST + 5
    tasks = await all_submitted(Coalescer(run), count)
    run.gate.set()

    assert await asyncio.gather(*tasks) == [f"stored {item}" for item in range(count)]
    assert sum(map(len, run.batches)) == count
    assert max(map(len, run.batches)) == MOST
    assert len(run.batches) <= LANES + 2


async def test_nobody_waits_for_company() -> None:
    run = Statements()
    run.gate.set()
    assert await Coalescer(run).submit(7) == "stored 7"
    assert run.batches == [[7]]


async def test_of_a_poisoned_statement_one_fails_and_the_others_are_stored_once() -> None:
    run = Statements(3)
    tasks = await all_submitted(Coalescer(run), 6)
    run.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers[3], ValueError)
    assert [answer for answer in answers if isinstance(answer, str)] == [
        f"stored {item}" for item in (0, 1, 2, 4, 5)
    ]
    assert sorted(run.stored) == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("poison", [(), (2,)])
async def test_a_caller_that_gave_up_stops_nobody(poison: tuple[int, ...]) -> None:
    run = Statements(*poison)
    coalescer = Coalescer(run)
    tasks = await all_submitted(coalescer, 6)
    tasks[0].cancel()  # its statement is under way
    tasks[4].cancel()  # its statement is not
    run.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    gave_up = [place for place, answer in enumerate(answers) if isinstance(answer, asyncio.CancelledError)]
    assert gave_up == [0, 4]
    assert [answers[place] for place in (1, 3, 5)] == ["stored 1", "stored 3", "stored 5"]
    assert await coalescer.submit(9) == "stored 9"


async def test_an_item_that_comes_as_the_last_statements_end_is_not_forgotten() -> None:
    run = Statements()
    coalescer = Coalescer(run)
    tasks = []
    for lane in range(1, LANES + 1):  # one by one, so that each has a statement of its own
        tasks += await all_submitted(coalescer, 1)
        while len(run.batches) < lane:
            await asyncio.sleep(0)
    run.gate.set()  # every lane wakes in the next round of the loop, and right after them comes:
    late = asyncio.create_task(coalescer.submit(9))

    assert (await asyncio.wait_for(asyncio.gather(*tasks, late), 2))[-1] == "stored 9"


async def test_without_a_database_nobody_is_tried_alone() -> None:
    async def run(items: Sequence[int]) -> list[str]:
        calls.append(len(items))
        raise Unavailable(Issue(nl="weg", en="gone"))

    calls: list[int] = []
    coalescer = Coalescer(run)
    answers = await asyncio.gather(*(coalescer.submit(n) for n in range(9)), return_exceptions=True)

    assert {type(answer) for answer in answers} == {Unavailable}
    assert len(calls) <= 2 * LANES
