"""The worker: takes subscriptions that have something to do into its hands, and serves them beside each other.

Any number of workers may run: a subscription is in the hands of one of them, by a lease that must be renewed. A
receiver that is slow or dead keeps its own subscription busy, and nothing else.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from ketenzorg.delivery.serving import Serving, Tools
from ketenzorg.logs import WORKER_STUMBLED, log

MOST = 256  # subscriptions in the hands of one worker
LEASE_S = 15.0  # how long a worker that died keeps others from its subscriptions
RENEW_S = 5.0
PAUSE_S = 1.0  # how long something new may lie before it is seen, when no doorbell rings
SHORTEST_PAUSE_S = 0.01  # between two looks: what comes together is seen together
LONGEST_PAUSE_S = 30.0  # between tries while the database is away
GRACE_S = 8.0  # what sendings under way get when the worker is asked to stop; `docker stop` waits for ten


@dataclass(frozen=True, eq=False)
class Worker:
    """One per process. `bell` is set when something was stored; it is only a hint."""

    tools: Tools
    bell: asyncio.Event

    async def deliver_due(self) -> int:
        """One round: whoever has something to do is served to the end; how many messages were sent."""
        servings = await self._claim(MOST)
        await asyncio.gather(*(serving.serve() for serving in servings))
        return sum(serving.sent for serving in servings)

    async def run(self, stop: asyncio.Event) -> None:
        """Round after round until `stop`."""
        under_way: dict[asyncio.Task[None], Serving] = {}
        renewed, pause = time.monotonic(), PAUSE_S
        while not stop.is_set():
            self.bell.clear()
            try:
                if time.monotonic() - renewed > RENEW_S:
                    renewed = time.monotonic()
                    await self._renew([*under_way.values()])
                for serving in await self._claim(MOST - len(under_way)):
                    task = asyncio.create_task(self._served(serving))
                    under_way[task] = serving
                    task.add_done_callback(under_way.pop)
                pause = PAUSE_S
            except Exception as error:
                log(WORKER_STUMBLED, error=type(error).__name__)
                await _wait(stop, pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            await _wait(stop, SHORTEST_PAUSE_S)
            await self._listen(stop)
        await _finish(under_way)

    async def _served(self, serving: Serving) -> None:
        await serving.serve()
        if serving.sent:
            self.bell.set()  # there may be more, and there is room for another one

    async def _claim(self, room: int) -> list[Serving]:
        # A lease id of its own for each round: one that was lost cannot be mistaken for a later one of ours.
        ends = time.monotonic() + LEASE_S
        tools = self.tools
        held = await tools.outbox.claim(tools.world.new_id(), seconds=LEASE_S, now=tools.now(), room=room)
        return [Serving(each, tools, ends) for each in held]

    async def _renew(self, servings: list[Serving]) -> None:
        ends = time.monotonic() + LEASE_S
        ours = await self.tools.outbox.renew([serving.held for serving in servings], seconds=LEASE_S)
        for serving in servings:
            if serving.held.id in ours:
                serving.ends = ends
            else:
                serving.stop()

    async def _listen(self, stop: asyncio.Event) -> None:
        """Until the bell rings, `stop` is set, or it has been long enough."""
        waits = {asyncio.create_task(event.wait()) for event in (self.bell, stop)}
        try:
            await asyncio.wait(waits, timeout=PAUSE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _finish(under_way: dict[asyncio.Task[None], Serving]) -> None:
    for serving in under_way.values():
        serving.stop()
    if not under_way:
        return
    _, late = await asyncio.wait({*under_way}, timeout=GRACE_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
