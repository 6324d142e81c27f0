"""What there was to hear, for who asks for it, and hearing it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg.store.audit import Access
from ketenzorg.store.database import Database
from ketenzorg.store.outbox import Event, State

LAST = 2**63 - 1


class Numbers(NamedTuple):
    """A range of event numbers, both ends included; since 0: from the first that is still there."""

    since: int = 0
    until: int = LAST


class Replaying:
    """The events of subscriptions of one region; each organisation reaches its own only."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def events(
        self, subscription: UUID, access: Access, numbers: Numbers, *, now: datetime, limit: int
    ) -> Sequence[Event]:
        """The first of a range, on record. Who polls says by `since` that all before it has arrived."""
        rows = await self._database.fetch(
            "select * from events_of($1, $2, $3, $4, $5, $6, $7, $8)",
            self._region,
            [access.organisation],
            access.json,
            subscription,
            *numbers,
            now,
            limit,
        )
        return [Event(**row) for row in rows]

    async def first_from(self, subscription: UUID, organisation: UUID, since: int) -> int | None:
        """The first number from this one on that is still there. None: none is."""
        rows = await self._database.fetch(
            "select first_number_from($1, $2, $3, $4) as number",
            self._region,
            [organisation],
            subscription,
            since,
        )
        number: int | None = rows[0]["number"]
        return number

    async def forget(self, before: datetime, *, most: int) -> int:
        """Take away some of what was delivered before a moment; how many events went."""
        rows = await self._database.fetch(
            "select forget_events($1, $2, $3) as count", self._region, before, most
        )
        count: int = rows[0]["count"]
        return count

    async def again(
        self,
        subscription: UUID,
        access: Access,
        numbers: Numbers,
        states: Sequence[State],
        *,
        now: datetime,
        most: int,
    ) -> int | None:
        """Send again what is in one of these states; how many. None: no such subscription of theirs."""
        rows = await self._database.fetch(
            "select resend_events($1, $2, $3, $4, $5, $6, $7, $8, $9) as count",
            self._region,
            [access.organisation],
            subscription,
            *numbers,
            now,
            access.json,
            list(states),
            most,
        )
        count: int | None = rows[0]["count"]
        return count
