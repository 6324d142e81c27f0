"""The worker: claims what may be sent, sends it, writes down how it went; until it has arrived or is parked.

Per receiver and Task the order of the versions holds: the next one waits until the one before it has arrived. What
is parked holds up the later versions of its own Task at its own receiver, and nothing else. At least once: a worker
that dies after sending leaves its lease behind, and another one sends the same message under the same id again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx

from ketenzorg.access.keyring import Keyring
from ketenzorg.delivery.notification import notification
from ketenzorg.delivery.schedule import ATTEMPTS, retry_s
from ketenzorg.delivery.sending import Answer, send
from ketenzorg.delivery.signing import signed
from ketenzorg.logs import DELIVERED, NOT_DELIVERED, PARKED, WORKER_STUMBLED, log
from ketenzorg.store.outbox import Claimed, Outbox

PER_RECEIVER = 4  # Tasks of one receiver that a round sends at once
LEASE_S = 60.0  # the longest sending, letting go of the answer, and a slow database after it
PAUSE_S = 1.0  # how long a new message may lie before it is seen
LONGEST_PAUSE_S = 30.0  # between tries while the database is away
GRACE_S = 8.0  # what sendings under way get when the worker is asked to stop; `docker stop` waits for ten


@dataclass(frozen=True, eq=False)
class Worker:
    """Any number of these may run beside each other: the database decides who sends what."""

    outbox: Outbox
    keyring: Keyring
    client: httpx.AsyncClient
    fhir_base: str  # where a receiver reads the Task
    now: Callable[[], datetime]  # real time: signatures and retries do not follow the sandbox clock
    chance: Callable[[], float]
    new_id: Callable[[], UUID]

    async def deliver_due(self) -> int:
        """One round: everything that may be sent now, at once; how many messages that were."""
        lease, messages = await self._claim()
        await self._deliver(lease, messages)
        return len(messages)

    async def run(self, stop: asyncio.Event) -> None:
        """Round after round until `stop`. A round with a slow receiver goes on beside the next ones."""
        under_way: set[asyncio.Task[None]] = set()
        pause = PAUSE_S
        while not stop.is_set():
            try:
                lease, messages = await self._claim()
                pause = PAUSE_S
            except Exception as error:
                log(WORKER_STUMBLED, error=type(error).__name__)
                await _wait(stop, pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            if not messages:
                await _wait(stop, PAUSE_S)
                continue
            sending = asyncio.create_task(self._deliver(lease, messages))
            under_way.add(sending)
            sending.add_done_callback(under_way.discard)
            await asyncio.wait({sending}, timeout=PAUSE_S)
        await _finish(under_way)

    async def _claim(self) -> tuple[UUID, list[Claimed]]:
        # A lease id of its own for each round: one that was lost cannot be mistaken for a later one of ours.
        lease = self.new_id()
        return lease, await self.outbox.claim(lease, seconds=LEASE_S, per_receiver=PER_RECEIVER)

    async def _deliver(self, lease: UUID, messages: Sequence[Claimed]) -> None:
        await asyncio.gather(*(self._one(lease, message) for message in messages))

    async def _one(self, lease: UUID, message: Claimed) -> None:
        try:
            await self._settle(lease, message, await self._send(message))
        except Exception as error:
            # Not written down: the lease runs out, and the message is sent again under the same id.
            log(WORKER_STUMBLED, error=type(error).__name__)

    async def _send(self, message: Claimed) -> Answer:
        now = self.now()
        try:
            body = notification(message, self.fhir_base)
            secret = await self.keyring.open(message.secret, "endpoint", message.receiver)
            if secret is None:
                return Answer(why="secret")
            headers = signed(message.id, now, body, secret)
            return await send(self.client, message.url, body, headers, now)
        except Exception as error:
            # A message on which we stumble ourselves is counted and in the end parked, like any other.
            log(WORKER_STUMBLED, error=type(error).__name__)
            return Answer(why="internal")

    async def _settle(self, lease: UUID, message: Claimed, answer: Answer) -> None:
        told = {
            "message": str(message.id),
            "receiver": str(message.receiver),
            "attempts": message.attempts,
            "why": answer.why,
        }
        if answer.arrived:
            if await self.outbox.settle(message.id, lease, "delivered", retry_s=0, why=None):
                log(DELIVERED, **told)
        elif answer.gone or message.attempts >= ATTEMPTS:
            if await self.outbox.settle(message.id, lease, "parked", retry_s=0, why=answer.why):
                log(PARKED, **told)
        else:
            wait = retry_s(message.attempts, answer.wait_s, self.chance())
            if await self.outbox.settle(message.id, lease, "waiting", retry_s=wait, why=answer.why):
                log(NOT_DELIVERED, **told, retry_s=round(wait, 1))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _finish(under_way: set[asyncio.Task[None]]) -> None:
    if not under_way:
        return
    _, late = await asyncio.wait(under_way, timeout=GRACE_S)
    for sending in late:
        sending.cancel()
    await asyncio.gather(*late, return_exceptions=True)
