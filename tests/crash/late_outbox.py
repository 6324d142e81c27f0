"""ketenzorg that writes its outbox after the commit, with late_outbox.sql: `python -m crash.late_outbox VERB`."""

import asyncio
from typing import Any

from ketenzorg.cli import main
from ketenzorg.store.database import Database, _drop, failures_named

AFTER_S = 0.2
WRITING = ("receive_referrals", "store_step")
in_time = Database.fetch


async def late(self: Database, statement: str, *arguments: Any) -> list[Any]:
    if not any(name in statement for name in WRITING):
        return await in_time(self, statement, *arguments)
    with failures_named():
        held = await self._take()
        try:
            rows: list[Any] = await held.driver.fetch(statement, *arguments)
            await asyncio.sleep(AFTER_S)
            await held.driver.fetch("select write_late()")
        except BaseException:
            await _drop(held)
            raise
        await self._give_back(held)
        return rows


if __name__ == "__main__":
    Database.fetch = late
    main()
