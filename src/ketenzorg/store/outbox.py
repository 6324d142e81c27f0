"""The outbox: leasing messages that may be sent now, writing down how it went, and what waits or is parked."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from ketenzorg.store.data_keys import Sealed, key_is_there
from ketenzorg.store.database import Database

State = Literal["waiting", "delivered", "parked"]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that this worker alone may send, until its lease ends."""

    id: UUID
    receiver: UUID
    task: UUID
    task_version: int
    created: datetime
    attempts: int  # this one included
    url: str
    secret: Sealed


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has not arrived: waiting for its next try, or parked until somebody releases it."""

    id: UUID
    receiver: UUID
    task: UUID
    task_version: int
    state: State
    attempts: int
    run_at: datetime
    last_error: str | None


class Outbox:
    """The messages of one region. Order is kept per receiver and Task."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def claim(self, lease: UUID, *, seconds: float, per_receiver: int) -> list[Claimed]:
        """Lease what may be sent now, under a lease id that was never used before."""
        rows = await self._database.fetch(
            "select * from claim_outbox($1, $2, $3, $4)", self._region, lease, seconds, per_receiver
        )
        return [_claimed(**row) for row in rows]

    async def settle(
        self, message: UUID, lease: UUID, state: State, *, retry_s: float, why: str | None
    ) -> bool:
        """How a sending ended. False: the lease has passed to another worker, and nothing was written."""
        rows = await self._database.fetch(
            "select settle_outbox($1, $2, $3, $4, $5, $6) as settled",
            self._region,
            message,
            lease,
            state,
            retry_s,
            why,
        )
        return bool(rows[0]["settled"])

    async def state(self) -> list[Undelivered]:
        """All that has not arrived, in the order in which each receiver will hear of it."""
        rows = await self._database.fetch("select * from outbox_state($1)", self._region)
        return [Undelivered(**row) for row in rows]

    async def release(self, message: UUID) -> bool:
        """Send a parked message again, from the start of its retries. False: no such parked message."""
        rows = await self._database.fetch("select release_outbox($1, $2) as released", self._region, message)
        return bool(rows[0]["released"])

    async def set_endpoint(self, organisation: UUID, url: str, secret: Sealed) -> None:
        """Where an organisation hears of changes from now on."""
        with key_is_there():
            await self._database.fetch(
                "select set_endpoint($1, $2, $3, $4, $5)",
                self._region,
                organisation,
                url,
                secret.key_id,
                secret.ciphertext,
            )


def _claimed(key_id: str, secret: bytes, **row: Any) -> Claimed:
    return Claimed(secret=Sealed(key_id, secret), **row)
