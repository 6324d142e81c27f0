"""One concurrency of a bench: HTTP and the limit take turns, so that both meet the same machine.

A virtual machine may be twice as fast in one ten seconds as in the next; a ratio of two such spells says nothing.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ketenzorg.cli.bench import limit as limits
from ketenzorg.cli.bench.database import limit_address, rows_and_wal, start_afresh
from ketenzorg.cli.bench.load import Load, Numbers, Target, post_for
from ketenzorg.cli.bench.processes import Api, Machine, cpu_s, machine
from ketenzorg.cli.bench.report import Measured, percentile
from ketenzorg.cli.place import Place
from ketenzorg.store.embedded import EmbeddedPostgres

TURN_S = 2.0  # pgbench counts in whole seconds, and needs some of them to be exact


class Ground(NamedTuple):
    """Where a bench works."""

    here: Place
    database: EmbeddedPostgres
    api: Api
    processes: int
    target: Target
    numbers: Numbers
    statement: str  # of the limit


class Used(NamedTuple):
    """What was used so far; None where there is no /proc."""

    app: float | None  # CPU seconds
    database: float | None
    machine: Machine | None
    rows: int
    wal: int  # bytes


class Turn(NamedTuple):
    """One turn of each."""

    load: Load
    before: Used
    after: Used
    limit: limits.Limit

    def used(self, what: Callable[[Used], float | None]) -> float | None:
        """How much the load used."""
        before, after = what(self.before), what(self.after)
        return None if before is None or after is None else after - before


def take_turns(ground: Ground, loads: list[Load], concurrency: int, seconds: float) -> Measured:
    """Measure so many seconds of each. The loads are added to `loads`."""
    start_afresh(ground.database)
    turns = []
    for _ in range(max(1, round(seconds / TURN_S))):
        turns.append(_turn(ground, concurrency, min(seconds, TURN_S)))
        loads.append(turns[-1].load)
    return _measured(ground, turns, sum(len(load.acknowledged) for load in loads))


def _turn(ground: Ground, concurrency: int, seconds: float) -> Turn:
    before = _used(ground)
    load = post_for(seconds, concurrency, ground.target, ground.numbers)
    after = _used(ground)
    limit = limits.measure(
        ground.statement,
        limit_address(ground.database),
        concurrency=concurrency,
        seconds=seconds,
        program=limits.pgbench(ground.here.settings.pg_bin),
    )
    return Turn(load, before, after, limit)


def _measured(ground: Ground, turns: Sequence[Turn], referrals_before: int) -> Measured:
    latencies = [each for turn in turns for each in turn.load.latencies]
    seconds = sum(turn.load.seconds for turn in turns)
    limit = sum(turn.limit.per_second for turn in turns) / len(turns)

    def each(what: Callable[[Used], float | None], of: float = max(1, len(latencies))) -> float | None:
        parts = [part for turn in turns if (part := turn.used(what)) is not None]
        return sum(parts) / of if parts else None

    app, database = each(lambda used: used.app), each(lambda used: used.database)
    return Measured(
        referrals_per_s=len(latencies) / seconds,
        p50_ms=percentile(latencies, 0.50) * 1000,
        p95_ms=percentile(latencies, 0.95) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        errors=sum(turn.load.errors for turn in turns),
        app_cpu_us=None if app is None else app * 1e6,
        database_cpu_us=None if database is None else database * 1e6,
        other_cores=each(_others, seconds),
        stolen_cores=each(lambda used: used.machine and used.machine.stolen_s, seconds),
        rows=each(lambda used: used.rows) or 0,
        wal_bytes=each(lambda used: used.wal) or 0,
        limit_per_s=limit,
        limit_by=turns[0].limit.by,
        ratio=len(latencies) / seconds / limit,
        rss_mib=ground.api.rss_mib(),
        referrals_before=referrals_before,
        processes=ground.processes,
        start_s=ground.api.start_s,
    )


def _used(ground: Ground) -> Used:
    rows, wal = rows_and_wal(ground.database)
    return Used(ground.api.cpu_s(), cpu_s(ground.database.pid), machine(), rows, wal)


def _others(used: Used) -> float | None:
    """CPU seconds of the whole machine, apart from the service, its database and the load itself."""
    if used.machine is None or used.app is None or used.database is None:
        return None
    return used.machine.busy_s - used.app - used.database - time.process_time()
