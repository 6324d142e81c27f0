"""How far the work in the background is behind, for who keeps the service running."""

from datetime import datetime

import msgspec

from ketenzorg.store.database import Database


class Lag(msgspec.Struct, frozen=True):
    """Counts as far as 100,000; times in seconds, 0 when nothing waits."""

    waiting: int
    parked: int
    oldest_s: float
    clock_s: float
    chain_s: float


class Lags:
    """Of one region."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def now(self, moment: datetime) -> Lag:
        """A look, by the clock of the caller."""
        rows = await self._database.fetch("select * from lags($1, $2)", self._region, moment)
        return msgspec.convert(dict(rows[0]), Lag)
