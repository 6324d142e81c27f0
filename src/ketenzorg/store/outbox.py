"""The outbox: who has something to send, what may be sent now, writing down how it went, and what has not arrived."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from ketenzorg.store.audit import Access
from ketenzorg.store.data_keys import Sealed
from ketenzorg.store.database import Database
from ketenzorg.store.subscriptions import Channel, Content, Secret, Status

State = Literal["new", "waiting", "queued", "parked", "delivered", "withdrawn"]
EndState = Literal["delivered", "parked", "waiting"]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that this process alone may serve, until its lease ends."""

    id: UUID
    organisation: UUID
    type: str
    channel: Channel
    endpoint: str
    content: Content
    timeout_s: int
    heartbeat_s: int | None
    contact: str
    secrets: tuple[Secret, ...]  # the newest first
    status: Status
    error: str
    answered: bool
    failures: int
    beat_at: datetime | None
    number: int
    lease: UUID


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A version that a subscription must hear of. Not readable: the organisation may no longer see it."""

    id: UUID
    number: int
    type: str
    resource: UUID
    version: int
    created: datetime
    attempts: int
    tried_since: datetime | None
    readable: bool


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How the sending of an event ended: it arrived, was parked, or is tried again at `run_at`."""

    id: UUID
    subscription: UUID
    lease: UUID
    state: EndState
    run_at: datetime
    error: str | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a subscription stands after it was served."""

    status: Status
    error: str
    answered: bool
    failures: int
    rest_until: datetime | None
    beat_at: datetime | None


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """An event that has not arrived."""

    id: UUID
    receiver: UUID
    type: str
    resource: UUID
    version: int
    number: int | None
    state: State
    attempts: int
    run_at: datetime | None
    last_error: str | None


class Outbox:
    """What there is to send in one region. Order is kept per subscription and resource."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def claim(self, lease: UUID, *, seconds: float, now: datetime, room: int) -> list[Held]:
        """Lease subscriptions that have something to do, under a lease id that was never used before."""
        rows = await self._database.fetch(
            "select * from claim_subscriptions($1, $2, $3, $4, $5)", self._region, lease, seconds, now, room
        )
        return [_held(lease, **row) for row in rows]

    async def renew(self, held: Sequence[Held], *, seconds: float) -> set[UUID]:
        """Keep leases for longer; the ids of those that are still ours."""
        rows = await self._database.fetch(
            "select renew_leases($1, $2, $3, $4) as id",
            self._region,
            [each.id for each in held],
            [each.lease for each in held],
            seconds,
        )
        return {row["id"] for row in rows}

    async def take(self, held: Held, *, now: datetime, beside: Collection[UUID], room: int) -> list[Event]:
        """What may be sent now, numbered, beside what is being sent; nothing when the lease was lost."""
        rows = await self._database.fetch(
            "select * from take_events($1, $2, $3, $4, $5, $6)",
            self._region,
            held.id,
            held.lease,
            now,
            list(beside),
            room,
        )
        return [Event(**row) for row in rows]

    async def settle(self, ended: Sequence[Ended], *, now: datetime) -> list[bool]:
        """Write down how sendings ended. False: the lease was lost, and nothing was written."""
        rows = await self._database.fetch(
            "select * from settle_events($1, $2, $3, $4, $5, $6, $7, $8)",
            self._region,
            now,
            [each.id for each in ended],
            [each.subscription for each in ended],
            [each.lease for each in ended],
            [each.state for each in ended],
            [each.run_at for each in ended],
            [each.error for each in ended],
        )
        written = {(row["id"], row["lease"]) for row in rows}
        return [(each.id, each.lease) in written for each in ended]

    async def wake(self, held: Held, *, now: datetime) -> None:
        """A receiver is back: what was put off because of it goes now."""
        await self._database.fetch("select wake($1, $2, $3, $4)", self._region, held.id, held.lease, now)

    async def let_go(self, held: Held, standing: Standing, *, now: datetime) -> bool:
        """Give a subscription back, with how it stands. False: it was not ours any more."""
        rows = await self._database.fetch(
            "select let_go($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as done",
            self._region,
            held.id,
            held.lease,
            now,
            standing.status,
            standing.error,
            standing.answered,
            standing.failures,
            standing.rest_until,
            standing.beat_at,
        )
        return bool(rows[0]["done"])

    async def state(self) -> list[Undelivered]:
        """All that has not arrived, in the order in which each receiver will hear of it."""
        rows = await self._database.fetch("select * from outbox_state($1)", self._region)
        return [Undelivered(**row) for row in rows]

    async def release(self, event: UUID, access: Access, *, now: datetime) -> bool:
        """Send a parked event again, from the start of its tries. False: no such parked event."""
        rows = await self._database.fetch(
            "select release_event($1, $2, $3, $4) as released", self._region, event, now, access.json
        )
        return bool(rows[0]["released"])


def _held(lease: UUID, secret_ids: list[UUID], key_ids: list[str], secrets: list[bytes], **row: Any) -> Held:
    found = zip(secret_ids, map(Sealed, key_ids, secrets), strict=True)
    return Held(lease=lease, secrets=tuple(Secret(*each) for each in found), **row)
