"""Serving one subscription while we hold it: its handshake, its events in order, its heartbeat.

Per resource the order of the versions holds: the next one waits until the one before it has arrived. What is parked
holds up the later versions of its own resource at its own subscription, and nothing else. At least once: a process
that dies after sending leaves its lease behind, and another one sends the same event under the same id again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from ketenzorg.coordination.telling import told
from ketenzorg.coordination.world import World
from ketenzorg.delivery.health import Health
from ketenzorg.delivery.letter import Carrier, Letter
from ketenzorg.delivery.sending import Answer
from ketenzorg.logs import DELIVERED, NOT_DELIVERED, PARKED, SUBSCRIPTION, WORKER_STUMBLED, log
from ketenzorg.store.coalescer import Coalescer
from ketenzorg.store.outbox import Ended, Event, Held, Outbox
from ketenzorg.store.subscriptions import Channel

AT_ONCE = 4  # requests to one subscription that are under way together
TAKEN = 32  # events in one look
SLICE_S = 10.0  # then others have their turn, and how it stands is written down
AGAIN_S = 1.0  # between tries to give a subscription back while the database is away


@dataclass(frozen=True, eq=False)
class Tools:
    """What serving needs; one set per process."""

    outbox: Outbox
    world: World
    carriers: Mapping[Channel, Carrier]
    now: Callable[[], datetime]  # real time: signatures and tries do not follow the sandbox clock
    chance: Callable[[], float]

    @cached_property
    def settle(self) -> Coalescer[Ended, bool]:
        """Writes down how sendings ended: those of one moment together. False: it is not ours any more."""

        async def write(ended: Sequence[Ended]) -> list[bool]:
            return await self.outbox.settle(ended, now=self.now())

        return Coalescer(write)


class Serving:
    """One subscription in our hands. `ends`: when our lease does, by the clock of this process."""

    def __init__(self, held: Held, tools: Tools, ends: float) -> None:
        self.held = held
        self.ends = ends
        self.sent = 0
        self._tools = tools
        self._health = Health(held)
        self._until = time.monotonic() + SLICE_S
        self._queue: deque[Event] = deque()
        self._under_way: set[UUID] = set()
        self._stopped = False

    def stop(self) -> None:
        """Send nothing more that is not under way."""
        self._stopped = True

    async def serve(self) -> None:
        """Until nothing may be sent any more, then give it back. What goes wrong here is sent again later."""
        try:
            if self.held.status == "requested":
                await self._handshake()
            else:
                await self._events()
                await self._heartbeat()
        except Exception as error:
            log(WORKER_STUMBLED, error=type(error).__name__)
        finally:
            await self._give_back()

    async def _handshake(self) -> None:
        answer = await self._bring(Letter(self._tools.world.new_id(), "handshake", self._tools.now()))
        self._health.note_handshake(answer, self._tools.now(), self._tools.chance())
        if answer.arrived:
            await self._events()

    async def _heartbeat(self) -> None:
        beat_at, now = self._health.standing().beat_at, self._tools.now()
        if beat_at is not None and beat_at <= now and self._goes_on():
            await self._note(await self._bring(Letter(self._tools.world.new_id(), "heartbeat", now)))

    async def _events(self) -> None:
        if self._health.is_in_doubt and not await self._is_back():
            return
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                if not self._queue:
                    await self._fill(TAKEN)
                while self._queue and len(running) < AT_ONCE and self._goes_on():
                    running.add(asyncio.create_task(self._one(self._queue.popleft())))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for each in done:
                    each.result()
        finally:
            await _cancelled(running)

    async def _is_back(self) -> bool:
        """One event finds out whether a receiver that failed again and again takes anything now."""
        await self._fill(1)
        if self._queue:
            await self._one(self._queue.popleft())
        return not self._health.is_in_doubt

    async def _fill(self, room: int) -> None:
        if self._goes_on():
            taken = await self._tools.outbox.take(
                self.held, now=self._tools.now(), beside=self._under_way, room=room
            )
            self._queue.extend(taken)
            self._under_way.update(event.id for event in taken)

    def _goes_on(self) -> bool:
        """A process that was paused beyond its lease sends nothing of what it took before."""
        now = time.monotonic()
        return (
            not self._stopped
            and now < min(self.ends, self._until)
            and not self._health.rests(self._tools.now())
        )

    async def _one(self, event: Event) -> None:
        answer = await self._attempt(event)
        await self._note(answer)
        ended = self._health.ended(event, answer, self._tools.now(), self._tools.chance())
        if await self._tools.settle.submit(ended):
            self._tell(event, ended)
        self._under_way.discard(event.id)

    async def _note(self, answer: Answer) -> None:
        was_in_doubt = self._health.is_in_doubt
        self._health.note(answer, self._tools.now(), self._tools.chance())
        if was_in_doubt and answer.arrived:
            await self._tools.outbox.wake(self.held, now=self._tools.now())

    async def _attempt(self, event: Event) -> Answer:
        try:
            content = await told(
                event, self.held.content, self.held.id, self.held.organisation, self._tools.world
            )
        except Exception as error:
            # An event on which we stumble ourselves is counted and in the end parked, like any other.
            log(WORKER_STUMBLED, error=type(error).__name__)
            return Answer(why="internal", refused=True)
        return await self._bring(Letter(event.id, "event-notification", event.created, (content,)))

    async def _bring(self, letter: Letter) -> Answer:
        self.sent += 1
        carrier = self._tools.carriers[self.held.channel]
        try:
            return await carrier.bring(letter, self.held, self._tools.now())
        except Exception as error:
            log(WORKER_STUMBLED, error=type(error).__name__)
            return Answer(why="internal", refused=True)

    def _tell(self, event: Event, ended: Ended) -> None:
        fields = {
            "message": str(event.id),
            "receiver": str(self.held.organisation),
            "attempts": event.attempts + 1,
            "why": ended.error,
        }
        if ended.state == "waiting":
            wait = round((ended.run_at - self._tools.now()).total_seconds(), 1)
            log(NOT_DELIVERED, **fields, retry_s=wait)
        else:
            log(DELIVERED if ended.state == "delivered" else PARKED, **fields)

    async def _give_back(self) -> None:
        """Also when the database was away for a moment: without it nobody serves this until the lease ends."""
        standing = self._health.standing()
        while time.monotonic() < self.ends:
            try:
                given = await self._tools.outbox.let_go(self.held, standing, now=self._tools.now())
            except Exception as error:
                log(WORKER_STUMBLED, error=type(error).__name__)
                await asyncio.sleep(AGAIN_S)
                continue
            if given and standing.status != self.held.status:
                log(
                    SUBSCRIPTION,
                    subscription=str(self.held.id),
                    receiver=str(self.held.organisation),
                    status=standing.status,
                    why=standing.error,
                )
            return


async def _cancelled(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
