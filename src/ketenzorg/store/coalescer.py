"""Requests that wait at the same moment share one statement; one that fails is then tried alone."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ketenzorg.errors import Unavailable
from ketenzorg.metrics import TOGETHER

Item = TypeVar("Item")
Result = TypeVar("Result")

LANES = 1  # statements under way at once: while one is on its way the next one fills
MOST = 32  # items in one statement


class Coalescer(Generic[Item, Result]):
    """Gives what is waiting to `run` together; nobody waits for company: a free lane starts at once.

    `pause_s`: where nobody is in a hurry, a lane waits so long for company all the same.
    """

    def __init__(
        self, run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, pause_s: float = 0.0
    ) -> None:
        self._run = run
        self._pause_s = pause_s
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._busy = 0  # lanes at work
        self._lanes: set[asyncio.Task[None]] = set()  # the loop itself holds a task only weakly

    async def submit(self, item: Item) -> Result:
        """The result for one item. A caller that gives up does not stop the others."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._busy < LANES:
            self._busy += 1
            lane = asyncio.create_task(self._drain())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                if self._pause_s:
                    await asyncio.sleep(self._pause_s)
                batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                TOGETHER.observe(len(batch))
                await self._answer(batch)
        finally:
            # Not in the done callback: that runs a round later, and who submits in between would find no lane.
            self._busy -= 1

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._run([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for single in batch:
                    await self._answer([single])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
