"""What the audit line costs: the same requests to the same service, with it and without it.

The service has no switch for that: it serves two scratch databases, and in one of them the functions that write the
line write nothing. Reads and referrals take turns on the two, so that all meet the same machine.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import msgspec
import uvloop
from sqlalchemy import make_url

from ketenzorg.cli.bench.database import AUDITED, UNAUDITED, at_database, with_connection
from ketenzorg.cli.bench.load import Numbers, Target, post_for, post_some
from ketenzorg.cli.bench.processes import Api, cpu_s, serving
from ketenzorg.cli.bench.report import percentile
from ketenzorg.cli.connection import HOST, Connection
from ketenzorg.settings import DATABASE_URL
from ketenzorg.store.embedded import EmbeddedPostgres

KINDS = ("read", "referral")
CONCURRENCY = (
    32  # enough to keep the service busy: a lone read waits for a flush of the disk, which is no work
)
TURN_S = 0.5
INSERT = re.compile(r"insert into audit \([^)]*\)")
GOAL = 0.15  # of a read and of a referral


class Cost(msgspec.Struct, frozen=True):
    """What one kind of request costs, with the line and without it."""

    kind: str
    p50_ms: tuple[float, float]
    cpu_us: tuple[float, float]  # of API and database together; 0 where there is no /proc


@dataclass
class Side:
    """One of the two: its service, and what was measured of it."""

    name: str
    api: Api
    target: Target
    numbers: Numbers = field(default_factory=Numbers)
    task: str = ""
    latencies: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    cpu: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def forget(self) -> None:
        """What was measured so far was for plans and caches."""
        self.latencies, self.cpu = {kind: [] for kind in KINDS}, dict.fromkeys(KINDS, 0.0)

    def cpu_us(self, kind: str) -> float:
        """Of API and database together, per request; 0 where there is no /proc."""
        return self.cpu[kind] / max(1, len(self.latencies[kind])) * 1e6


def audit_costs(
    database: EmbeddedPostgres,
    served: Mapping[str, str],
    processes: int,
    seconds: float,
    token_at: Callable[[int], str],
    log: Path,
) -> list[Cost]:
    """Measure so many seconds of each kind on each side. `token_at`: a token for the service on a port."""
    with_connection(at_database(database, UNAUDITED), silence)
    with ExitStack() as stack:
        sides = [
            Side(name, api, Target(api.port, token_at(api.port)))
            for name in (AUDITED, UNAUDITED)
            for api in [stack.enter_context(serving(on_database(name, served), processes, log))]
        ]
        for side in sides:
            post_some(1, side.target, side.numbers)
            side.task = with_connection(at_database(database, side.name), a_task)
            for kind in KINDS:
                take_turn(side, kind, database)
            side.forget()
        for _ in range(max(1, round(seconds / TURN_S))):
            for kind in KINDS:
                for side in sides:
                    take_turn(side, kind, database)
    return [_cost(kind, *sides) for kind in KINDS]


def told(costs: Sequence[Cost]) -> Iterator[str]:
    """The shares, as sentences."""
    for cost in costs:
        ms, cpu = cost.p50_ms, cost.cpu_us
        yield (
            f"The audit line of a {cost.kind}: p50 {ms[0]:.1f} instead of {ms[1]:.1f} ms ({_share(ms):+.0%}), CPU "
            f"{cpu[0]:.0f} instead of {cpu[1]:.0f} µs ({_share(cpu):+.0%}); goal, with the rules: under {GOAL:.0%}."
        )


def _cost(kind: str, *sides: Side) -> Cost:
    with_, without = ((percentile(side.latencies[kind], 0.5) * 1000, side.cpu_us(kind)) for side in sides)
    return Cost(kind, (with_[0], without[0]), (with_[1], without[1]))


def _share(values: tuple[float, float]) -> float:
    return values[0] / values[1] - 1 if values[1] else 0.0


def on_database(name: str, served: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service, at another database of the same server."""
    url = make_url(served[DATABASE_URL.name]).set(database=name)
    return {**served, DATABASE_URL.name: url.render_as_string(hide_password=False)}


async def silence(connection: asyncpg.Connection) -> None:
    """No line any more: one function does nothing, of the other what is left is never asked for."""
    definition = "select pg_get_functiondef($1::text::regproc)"
    note: str = await connection.fetchval(definition, "ketenzorg.note")
    await connection.execute(f"{note.partition('AS $function$')[0]} as 'begin end'")
    reading: str = await connection.fetchval(definition, "ketenzorg.read_resources")
    await connection.execute(INSERT.sub("", reading))


async def a_task(connection: asyncpg.Connection) -> str:
    """The id of one that is there."""
    return str(await connection.fetchval("select id from ketenzorg.resource where type = 'Task'"))


def take_turn(side: Side, kind: str, database: EmbeddedPostgres, concurrency: int = CONCURRENCY) -> None:
    """A turn of a kind of request, added to what was measured of the side."""
    before = _cpu(side, database)
    if kind == "read":
        side.latencies[kind] += _read_for(TURN_S, concurrency, side)
    else:
        side.latencies[kind] += post_for(TURN_S, concurrency, side.target, side.numbers).latencies
    side.cpu[kind] += _cpu(side, database) - before


def _cpu(side: Side, database: EmbeddedPostgres) -> float:
    return (side.api.cpu_s() or 0.0) + (cpu_s(database.pid) or 0.0)


def _read_for(seconds: float, concurrency: int, side: Side) -> list[float]:
    """Read one Task over and over; how long each took."""
    latencies: list[float] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_read(time.perf_counter() + seconds, concurrency, side, latencies))
    return latencies


async def _read(until: float, concurrency: int, side: Side, latencies: list[float]) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(_reader(until, side, latencies))


async def _reader(until: float, side: Side, latencies: list[float]) -> None:
    connection = Connection(side.target.port)
    head = (
        f"GET /fhir/Task/{side.task} HTTP/1.1\r\nHost: {HOST}:{side.target.port}\r\n"
        f"Authorization: Bearer {side.target.token}\r\n"
    ).encode()
    try:
        while (started := time.perf_counter()) < until:
            answer, _ = await connection.ask(head, b"")
            if answer.startswith(b"http/1.1 200"):
                latencies.append(time.perf_counter() - started)
    finally:
        connection.close()
