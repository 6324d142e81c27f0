"""Keeps the metrics about what waits current; several workers tell the same."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ketenzorg.errors import Unavailable
from ketenzorg.logs import WORKER_STUMBLED, log
from ketenzorg.metrics import BEHIND, MESSAGES
from ketenzorg.store.lags import Lags

EVERY_S = 10.0  # Prometheus usually asks each 15 to 60 seconds


async def measure(lags: Lags, now: datetime) -> None:
    """One look at the database, to be read from the metrics."""
    lag = await lags.now(now)
    MESSAGES.labels("waiting").set(lag.waiting)
    MESSAGES.labels("parked").set(lag.parked)
    BEHIND.labels("messages").set(lag.oldest_s)
    BEHIND.labels("clock").set(lag.clock_s)
    BEHIND.labels("audit chain").set(lag.chain_s)


async def keep_measured(lags: Lags, now: Callable[[], datetime], stop: asyncio.Event) -> None:
    """Look after look, until `stop`; without a database they tell nothing."""
    while not stop.is_set():
        try:
            await measure(lags, now())
        except Unavailable:
            MESSAGES.clear()
            BEHIND.clear()
            log(WORKER_STUMBLED, error="metrics: no database")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_S)
