"""What is done to the service while it works: kills, pauses and cuts, by a schedule that a seed decides.

Every blow waits until something was acknowledged since the one before: what is down already cannot be hit.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from ketenzorg.cli.crash.clients import Clients
from ketenzorg.cli.crash.proxy import Proxy, Way
from ketenzorg.cli.crash.stand import API_PROCESSES, LOOK_S, Stand
from ketenzorg.cli.crash.truth import Blow, LogFile
from ketenzorg.cli.place import APP_ROLE
from ketenzorg.delivery.worker import LEASE_S
from ketenzorg.logs import STARTED

# Kind -> how often it comes. The names of the table.
KINDS: Mapping[str, int] = {
    "kill of an API process": 6,
    "kill of all of the API": 2,
    "kill of a worker": 6,
    "pause of a worker": 2,
    "kill of the postmaster": 2,
    "end of a backend": 4,
    "cut to a receiver": 4,
    "cut to the database": 4,
}
PAUSE_S = (0.2, 1.6)  # between two blows
OVER_THE_LEASE_S = (1.0, 5.0)  # that a worker stands still for longer than its lease
WAITS_S = 2.0  # for somebody to say something that can be cut half-way
BACKEND = f"""
    select pg_terminate_backend(pid) from pg_stat_activity where usename = '{APP_ROLE}'
    order by state = 'active' desc, random() limit 1
"""  # noqa: S608  (a name of ours)


class Nemesis:
    """Deals blows until it is told to stop."""

    def __init__(
        self,
        stand: Stand,
        to_receivers: Proxy,
        clients: Clients,
        truth: LogFile,
        seed: int,
        kinds: Sequence[str],
    ) -> None:
        self._stand = stand
        self._to_receivers = to_receivers
        self._truth = truth
        self._chance = Random(f"{seed} nemesis")  # noqa: S311
        self._clients = clients
        self._kinds = kinds
        self._mending: set[asyncio.Task[None]] = set()
        self._down: set[str] = set()  # what is being brought up again
        self.restarts = 0
        self._blows: dict[str, Callable[[asyncio.Event], Awaitable[str | None]]] = {
            "kill of an API process": self._kill_one,
            "kill of all of the API": self._kill_api,
            "kill of a worker": self._kill_worker,
            "pause of a worker": self._pause_worker,
            "kill of the postmaster": self._kill_postmaster,
            "end of a backend": self._end_backend,
            "cut to a receiver": self._cut_receiver,
            "cut to the database": self._cut_database,
        }

    async def strike(self, stop: asyncio.Event, enough: float) -> None:
        """One blow after the other until `stop`, which is set after `enough`; then what was begun is ended."""
        try:
            await self._strike(stop, enough)
            await asyncio.gather(*self._mending)
        finally:
            for each in self._mending:
                each.cancel()
            await asyncio.gather(*self._mending, return_exceptions=True)

    async def _strike(self, stop: asyncio.Event, enough: float) -> None:
        schedule, before, dealt = self._schedule(), self._clients.acknowledged, 0
        while not stop.is_set():
            await _wait(stop, self._chance.uniform(*PAUSE_S))
            if stop.is_set() or self._clients.acknowledged == before:
                continue
            kind = next(schedule)
            at, what = time.time(), await self._blows[kind](stop)
            if what is not None:
                self._truth.write(Blow(kind=kind, at=at, what=what))
                before, dealt = self._clients.acknowledged, dealt + 1
            if dealt >= enough:
                stop.set()

    def _schedule(self) -> Iterator[str]:
        """Each kind once, then by weight."""
        yield from self._chance.sample(self._kinds, len(self._kinds))
        weights = [KINDS[kind] for kind in self._kinds]
        while True:
            yield from self._chance.choices(self._kinds, weights)

    # Blows: each says what it hit, or None when there was nothing to hit

    async def _kill_one(self, _: asyncio.Event) -> str | None:
        children = self._stand.api.children
        if "api" in self._down or len(children) < API_PROCESSES:
            return None
        try:
            os.kill(self._chance.choice(children), signal.SIGKILL)
        except ProcessLookupError:  # one that was killed before was still listed
            return None
        self.restarts += 1  # by the one that started it
        return "one"

    async def _kill_api(self, _: asyncio.Event) -> str | None:
        if "api" in self._down or not self._stand.api.kill():
            return None
        self._mend("api", self._start_api())
        return "all"

    async def _kill_worker(self, _: asyncio.Event) -> str | None:
        number = self._one_worker()
        if number is None:
            return None
        self._stand.workers[number].kill()
        self._stand.workers[number].start()
        self.restarts += 1
        return str(number)

    async def _pause_worker(self, stop: asyncio.Event) -> str | None:
        number = self._one_worker()
        if number is not None:
            self._stand.workers[number].send(signal.SIGSTOP)
            self._mend(f"worker {number}", self._resume(number, stop))
        return None  # it counts when it has been long enough

    async def _kill_postmaster(self, _: asyncio.Event) -> str | None:
        if "database" in self._down:
            return None
        os.kill(self._stand.postgres.pid, signal.SIGKILL)
        self._mend("database", self._start_database())
        return "postmaster"

    async def _end_backend(self, _: asyncio.Event) -> str | None:
        if "database" in self._down:
            return None
        return "backend" if await self._stand.rows(BACKEND) else None

    async def _cut_receiver(self, _: asyncio.Event) -> str | None:
        return await self._cut(self._to_receivers)

    async def _cut_database(self, _: asyncio.Event) -> str | None:
        return await self._cut(self._stand.to_database)

    async def _cut(self, proxy: Proxy) -> str | None:
        way = self._chance.choice([None, *Way])
        if way is None:
            return "reset" if proxy.reset() else None
        proxy.cut_half_way(way)
        deadline = time.monotonic() + WAITS_S
        while proxy.waits and time.monotonic() < deadline:  # noqa: ASYNC110  (a stream tells nobody)
            await asyncio.sleep(LOOK_S)
        if proxy.waits:
            proxy.forget()
            return None
        return f"half-way {way.value}"

    # Bringing up again, while other blows fall

    def _one_worker(self) -> int | None:
        """One that is at work; to kill it while it still starts would prove nothing."""
        at_work = [
            number
            for number, worker in enumerate(self._stand.workers)
            if f"worker {number}" not in self._down and worker.said(STARTED.id)
        ]
        return self._chance.choice(at_work) if at_work else None

    def _mend(self, what: str, mending: Coroutine[Any, Any, None]) -> None:
        async def mended() -> None:
            try:
                await mending
            finally:
                self._down.discard(what)

        self._down.add(what)
        task = asyncio.create_task(mended())
        self._mending.add(task)

    async def _start_api(self) -> None:
        self._stand.api.start()
        self.restarts += 1
        await self._stand.ready()

    async def _start_database(self) -> None:
        await self._stand.restart_database()
        self.restarts += 1

    async def _resume(self, number: int, stop: asyncio.Event) -> None:
        at, long = time.time(), LEASE_S + self._chance.uniform(*OVER_THE_LEASE_S)
        await _wait(stop, long)
        self._stand.workers[number].send(signal.SIGCONT)
        if not stop.is_set():
            self._truth.write(Blow(kind="pause of a worker", at=at, what=f"{long:.1f} s"))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
