"""Posts referrals over kept-alive connections as fast as the answers come, and looks at every answer."""

import asyncio
import itertools
import time
from collections.abc import Iterator

import msgspec
import uvloop

from ketenzorg.cli.bench.payloads import STORED, body
from ketenzorg.cli.connection import HOST, Connection

PATIENCE_S = 30.0  # for the answers that are still to come when the time is up
PAUSE_S = 0.05  # before a lost connection is opened again
CREATED = b'"201 Created"'


class Target(msgspec.Struct, frozen=True):
    """Where to post, and as whom."""

    port: int
    token: str


class Load(msgspec.Struct):
    """What one load did."""

    concurrency: int
    seconds: float = 0.0
    latencies: list[float] = []  # seconds, of the acknowledged ones
    acknowledged: list[int] = []
    unanswered: list[int] = []  # may be stored or not
    refused: list[bytes] = []  # status lines of answers that did not say that all is new

    @property
    def errors(self) -> int:
        return len(self.unanswered) + len(self.refused)


class Numbers:
    """Hands out every number once in a run."""

    def __init__(self) -> None:
        self._next = itertools.count()

    def __iter__(self) -> Iterator[int]:
        return self._next


def post_for(seconds: float, concurrency: int, target: Target, numbers: Numbers) -> Load:
    """Post from `concurrency` connections for so long; returns when every answer is in."""
    return _run(concurrency, target, iter(numbers), time.perf_counter() + seconds)


def post_some(count: int, target: Target, numbers: Numbers) -> Load:
    """Post so many, one after another."""
    return _run(1, target, itertools.islice(numbers, count), float("inf"))


def _run(concurrency: int, target: Target, numbers: Iterator[int], until: float) -> Load:
    load = Load(concurrency)
    started = time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_post(load, target, numbers, until))
    load.seconds = time.perf_counter() - started
    return load


async def _post(load: Load, target: Target, numbers: Iterator[int], until: float) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(load.concurrency):
            group.create_task(_sender(load, target, numbers, until))


async def _sender(load: Load, target: Target, numbers: Iterator[int], until: float) -> None:
    connection, head = Connection(target.port), _head(target)
    try:
        while time.perf_counter() < until:
            number = next(numbers, None)
            if number is None:
                return
            await _send(load, connection, head, number)
    finally:
        connection.close()


async def _send(load: Load, connection: Connection, head: bytes, number: int) -> None:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer_head, answer = await connection.ask(head, body(number))
        status = answer_head.partition(b"\r\n")[0]
    except (OSError, TimeoutError, EOFError, ValueError):
        load.unanswered.append(number)
        connection.close()
        await asyncio.sleep(PAUSE_S)
        return
    if status[9:10] == b"2" and answer.count(CREATED) == STORED:
        load.latencies.append(time.perf_counter() - started)
        load.acknowledged.append(number)
    elif status[9:10] == b"5":
        load.unanswered.append(number)
    else:
        load.refused.append(status)


def _head(target: Target) -> bytes:
    return (
        f"POST /fhir HTTP/1.1\r\nHost: {HOST}:{target.port}\r\n"
        f"Authorization: Bearer {target.token}\r\nContent-Type: application/fhir+json\r\n"
        "Accept: application/fhir+json\r\n"
    ).encode()
