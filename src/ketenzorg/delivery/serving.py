"""Serving one subscription while we hold it: its handshake, its events in order, its heartbeat.

Per resource the order of the versions holds: the next one waits until the one before it has arrived. What is parked
holds up the later versions of its own resource at its own subscription, and nothing else. At least once: a process
that dies after sending leaves its lease behind, and another one sends the same event under the same id again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from ketenzorg.coordination.hearing.telling import brought, told
from ketenzorg.coordination.world import World
from ketenzorg.delivery.health import Health
from ketenzorg.delivery.letter import Carrier, Letter
from ketenzorg.delivery.sending import Answer
from ketenzorg.logs import DELIVERED, NOT_DELIVERED, PARKED, SUBSCRIPTION, WORKER_STUMBLED, log
from ketenzorg.metrics import DELIVERIES
from ketenzorg.store.coalescer import Coalescer
from ketenzorg.store.outbox import Ended, Event, Held, Outbox
from ketenzorg.store.subscriptions import Channel

AT_ONCE = 4  # requests to one subscription that are under way together
TAKEN = 32  # events in one look
LOOK_S = 0.5  # while something is under way, so long something new may lie before it is seen
SETTLE_S = 0.005  # what ended in so short a time is written down together
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

        return Coalescer(write, pause_s=SETTLE_S)


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
        self._under_way: set[UUID] = set()  # taken, and not yet written down how it went
        self._writing: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Lock()
        self._moved = asyncio.Event()
        self._more = True  # there may be more to take
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
            await asyncio.gather(*self._writing)
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
        await _together(self._sender() for _ in range(AT_ONCE))

    async def _is_back(self) -> bool:
        """One event finds out whether a receiver that failed again and again takes anything now."""
        await self._fill(1)
        if self._queue:
            await self._one(self._queue.popleft())
        return not self._health.is_in_doubt

    async def _sender(self) -> None:
        while (event := await self._next()) is not None:
            await self._one(event)

    async def _next(self) -> Event | None:
        """What may be sent now; None when there is nothing, and nothing under way that could be followed by more."""
        async with self._looking:
            while not self._queue and self._goes_on():
                if self._more:
                    await self._fill(TAKEN)
                elif self._under_way:
                    self._moved.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._moved.wait(), LOOK_S)
                    self._more = True
                else:
                    return None
            return self._queue.popleft() if self._queue and self._goes_on() else None

    async def _fill(self, room: int) -> None:
        taken = await self._tools.outbox.take(
            self.held, now=self._tools.now(), beside=self._under_way, room=room
        )
        self._queue.extend(taken)
        self._under_way.update(event.id for event in taken)
        self._more = len(taken) == room

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
        writing = asyncio.create_task(
            self._write(event, ended)
        )  # the receiver need not wait for our database
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def _write(self, event: Event, ended: Ended) -> None:
        try:
            if await self._tools.settle.submit(ended):
                self._tell(event, ended)
        except Exception as error:
            # Not written down: it is sent again under the same id, when this subscription is held anew.
            self._stopped = True
            log(WORKER_STUMBLED, error=type(error).__name__)
        self._under_way.discard(event.id)
        self._moved.set()

    async def _note(self, answer: Answer) -> None:
        was_in_doubt = self._health.is_in_doubt
        self._health.note(answer, self._tools.now(), self._tools.chance())
        if was_in_doubt and answer.arrived:
            await self._tools.outbox.wake(self.held, now=self._tools.now())

    async def _attempt(self, event: Event) -> Answer:
        try:
            visit = brought(event, self.held.id, self.held.organisation, self._tools.world)
            content = await told(event, self.held.content, visit, self._tools.world)
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
        DELIVERIES.labels(self.held.channel, "again" if ended.state == "waiting" else ended.state).inc()
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


async def _together(senders: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Side by side until all have ended, or until one of them fails."""
    tasks = [asyncio.create_task(each) for each in senders]
    try:
        for ended in asyncio.as_completed(tasks):
            await ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
