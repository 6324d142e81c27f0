"""What was delivered long ago goes, a bounded number at a time; what waits or is parked stays."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ketenzorg.coordination.world import World
from ketenzorg.logs import WORKER_STUMBLED, log

LOOK_S = 60.0
MOST = 1000  # events of one piece: no statement is long, and others write between two


@dataclass(frozen=True, eq=False)
class Forgetter:
    """Any number of these may run beside each other."""

    world: World
    days: int  # what was delivered is kept for so long

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again, until `stop`."""
        while not stop.is_set():
            try:
                if await self.look(self.world.real_now()) == MOST:
                    continue
            except Exception as error:
                log(WORKER_STUMBLED, error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)

    async def look(self, now: datetime) -> int:
        """One piece; how many events went."""
        return await self.world.replaying.forget(now - timedelta(days=self.days), most=MOST)
