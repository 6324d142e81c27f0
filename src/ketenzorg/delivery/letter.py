"""What is brought to a receiver, and who brings it."""

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from ketenzorg.coordination.hearing.notification import Told
from ketenzorg.delivery.sending import Answer
from ketenzorg.store.outbox import Held


class Letter(msgspec.Struct, frozen=True):
    """One message for a subscription; sent again it has the same id."""

    id: UUID
    kind: Literal["handshake", "heartbeat", "event-notification"]
    at: datetime
    told: tuple[Told, ...] = ()


class Carrier(Protocol):
    """Brings letters over one kind of channel."""

    async def bring(self, letter: Letter, held: Held, now: datetime) -> Answer:
        """One attempt. A receiver that cannot be reached is an answer too."""
