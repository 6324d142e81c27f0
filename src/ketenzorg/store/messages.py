"""What the people of an organisation see of its messages: how they fare, what waits, what was parked, what arrived."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.store.audit import Access
from ketenzorg.store.database import Database
from ketenzorg.store.subscriptions import Channel, Status

Which = Literal["parked", "waiting", "delivered"]
PAGE = 25  # messages of one page
MOST = 999  # messages that are counted; who has more is told that there are more
NEVER, EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, and how much of what it asked for has arrived."""

    id: UUID
    type: str
    channel: Channel
    endpoint: str
    contact: str
    status: Status
    since: datetime
    error: str
    number: int  # of its last message
    rest_until: datetime | None  # until then nothing is tried
    last: datetime | None  # something arrived
    parked: int
    waiting: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, and of which of the organisation's referrals it tells."""

    number: int
    type: str
    version: int
    created: datetime
    ended: datetime | None
    attempts: int
    run_at: datetime | None
    error: str
    behind: int  # messages that wait for this one
    task: UUID | None  # the organisation's own, where it has a part
    pathway: str | None
    pathway_version: str | None


class Spot(NamedTuple):
    """A place in the order of a list."""

    at: datetime
    number: int


START: Mapping[Which, Spot] = {
    "parked": Spot(NEVER, 0),
    "waiting": Spot(NEVER, 0),
    "delivered": Spot(EVER, 0),
}


class Messages:
    """The messages of one region; each organisation reaches its own only."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def mailboxes(self, organisation: UUID) -> list[Mailbox]:
        """The subscriptions of an organisation, in the order in which they were made."""
        rows = await self._database.fetch(
            "select * from mailboxes_of($1, $2, $3)", self._region, [organisation], MOST + 1
        )
        return [Mailbox(**row) for row in rows]

    async def page(
        self, subscription: UUID, which: Which, after: Spot | None, access: Access
    ) -> tuple[list[Message], bool]:
        """The messages after a spot, on record; and whether there are more."""
        rows = await self._database.fetch(
            "select * from messages_of($1, $2, $3, $4, $5, $6, $7, $8)",
            self._region,
            [access.organisation],
            access.json,
            subscription,
            which,
            *(after or START[which]),
            PAGE + 1,
        )
        return [Message(**row) for row in rows[:PAGE]], len(rows) > PAGE

    async def not_reached(
        self, organisation: UUID, trajecten: Sequence[UUID], before: Mapping[str, datetime]
    ) -> dict[UUID, tuple[UUID, ...]]:
        """Traject -> who takes part and has not got what it was sent before these moments, by priority."""
        rows = await self._database.fetch(
            "select * from not_reached($1, $2, $3, $4, $5)",
            self._region,
            [organisation],
            list(trajecten),
            [*before],
            [*before.values()],
        )
        found: dict[UUID, tuple[UUID, ...]] = {}
        for row in rows:
            found[row["traject"]] = (*found.get(row["traject"], ()), row["organisation"])
        return found
