"""Notifications over HTTP: the Bundle of the backport, signed as Standard Webhooks has it."""

from dataclasses import dataclass
from datetime import datetime

import httpx

from ketenzorg.access.keyring import Keyring
from ketenzorg.access.signing import signed
from ketenzorg.coordination.hearing.notification import About, notification
from ketenzorg.delivery.letter import Letter
from ketenzorg.delivery.sending import Answer, send
from ketenzorg.store.outbox import Held


@dataclass(frozen=True, eq=False)
class RestHook:
    """One per process: its connections are kept."""

    client: httpx.AsyncClient
    keyring: Keyring
    fhir_base: str  # where a receiver reads what it was told of

    async def bring(self, letter: Letter, held: Held, now: datetime) -> Answer:
        """Post it to the endpoint."""
        last = letter.told[-1].event.number if letter.told else held.number
        # What changes from one attempt to the next does not stand in the notification of an event.
        status = held.status if letter.kind == "handshake" else "active"
        about = About(held.id, held.type, status, held.content, last)
        body = notification(letter.id, letter.kind, about, letter.told, letter.at, self.fhir_base)
        secrets = [await self.keyring.open(each.sealed, "endpoint", each.id) for each in held.secrets]
        known = [secret for secret in secrets if secret is not None]
        if not known:
            return Answer(why="secret", refused=True)
        headers = signed(letter.id, now, body, known)
        return await send(self.client, held.endpoint, body, headers, now, held.timeout_s)
