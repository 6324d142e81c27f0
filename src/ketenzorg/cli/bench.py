"""`ketenzorg bench`: how many referrals per second go in over HTTP, and how many the database alone could take.

It has its own database in a folder that it removes, and serves with the same command as anybody.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TypeVar

import asyncpg
import msgspec
from sqlalchemy import make_url

from ketenzorg.cli import bench_limit as limits
from ketenzorg.cli import bench_report as report
from ketenzorg.cli.bench_load import Load, Numbers, Target, post_for, post_some
from ketenzorg.cli.bench_payloads import identifier
from ketenzorg.cli.bench_processes import Api, cpu_s, machine_cpu_s, serving
from ketenzorg.cli.bench_report import Measured, Verified, percentile
from ketenzorg.cli.place import DATABASE, Place, place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.pathway.load import load
from ketenzorg.pathway.region import load_region
from ketenzorg.settings import (
    DATA_DIR,
    DATABASE_URL,
    MIGRATIONS,
    PATHWAYS,
    PG_BIN,
    SECRET_FILE,
    for_asyncpg,
)
from ketenzorg.store.embedded import EmbeddedPostgres

T = TypeVar("T")

CONCURRENCIES = (1, 8, 32)
CLIENT = "his-demo"
WARM_UP_S = 1.0  # connections, plans and caches: before the first is measured
WARM_UP_CONCURRENCY = 8
MEMORY_AFTER = 10_000  # referrals: what an API process then holds, it keeps
MEMORY_FROM_S = 5.0  # a run of less per concurrency is a try-out, that need not wait for so many
TOKEN_HOURS = 24
LIMIT_DATABASE = f"{DATABASE}_limit"
# Of the caller's environment only what says which programs and files: the rest is of another installation.
KEPT = frozenset({PG_BIN.name, PATHWAYS.name, MIGRATIONS.name})


class NotTaken(KetenzorgError):
    """The very first referral was not accepted, so there is nothing to measure."""


class Ground(NamedTuple):
    """Where a bench works."""

    here: Place
    database: EmbeddedPostgres
    api: Api
    processes: int
    target: Target
    numbers: Numbers
    statement: str  # of the limit


class Cpu(NamedTuple):
    """CPU seconds used so far; None where that cannot be read."""

    at: float
    app: float | None
    database: float | None
    others: float | None  # the whole machine, apart from these two and the load itself


def bench(*, seconds: float, processes: int, as_json: bool) -> int:
    """Measure, print, verify; 1 when a referral was lost, doubled or not accepted."""
    with _end_on_sigterm(), tempfile.TemporaryDirectory(prefix="ketenzorg-bench-") as folder:
        environ = _environ(Path(folder))
        with (
            place(environ, embedded=True) as here,
            EmbeddedPostgres(here.settings.data_dir, attach=True) as database,
        ):
            _prepare(here, database)
            served = {DATABASE_URL.name: here.database_url, SECRET_FILE.name: str(here.settings.secret_file)}
            with serving(environ | served, processes, Path(folder) / "serve.log") as api:
                measured, verified = _measure(
                    here, database, api, processes=processes, seconds=seconds, environ=environ
                )
    sys.stdout.write((report.as_json(measured) if as_json else report.as_text(measured, verified)) + "\n")
    if as_json:
        _say(*report.told(verified))
    return 0 if verified.holds and not any(each.errors for each in measured.values()) else 1


def _environ(folder: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KETENZORG_")}
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**ours, **kept, DATA_DIR.name: str(folder)}


@contextmanager
def _end_on_sigterm() -> Iterator[None]:
    """Clean up also when somebody stops us: by default Python just ends."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _prepare(here: Place, database: EmbeddedPostgres) -> None:
    """A second database for the limit, and an endpoint for everybody, so that messages are written as well."""

    async def prepare(connection: asyncpg.Connection) -> None:
        await connection.executemany(
            "select ketenzorg.set_endpoint($1, $2, 'http://127.0.0.1:9', 'bench')",
            [(here.settings.region, organisation) for organisation in _organisations(here)],
        )
        await connection.execute(f"create database {LIMIT_DATABASE} template {DATABASE}")

    _with(database.admin_url, prepare)


def _organisations(here: Place) -> list[str]:
    settings = here.settings
    region = load_region(settings.pathways, settings.region, load(settings.pathways))
    return [str(organisation.id) for organisation in region.organisations]


def _measure(
    here: Place,
    database: EmbeddedPostgres,
    api: Api,
    *,
    processes: int,
    seconds: float,
    environ: Mapping[str, str],
) -> tuple[dict[int, Measured], Verified]:
    target, numbers = Target(api.port, token_for(environ, CLIENT, TOKEN_HOURS, api.port)), Numbers()
    loads = [post_some(1, target, numbers)]
    if loads[0].errors:
        raise _not_taken(loads[0])
    statement = _with(database.admin_url, limits.capture_as_statement(_organisations(here)))
    ground = Ground(here, database, api, processes, target, numbers, statement)
    loads.append(post_for(min(WARM_UP_S, seconds), WARM_UP_CONCURRENCY, target, numbers))
    measured = {}
    for concurrency in CONCURRENCIES:
        _say(f"concurrency {concurrency}: {seconds:g} s over HTTP, then {seconds:g} s of the limit")
        measured[concurrency] = _one(ground, loads, concurrency, seconds)
    if seconds >= MEMORY_FROM_S:
        measured[concurrency] = with_memory(ground, loads, measured[concurrency])
    return measured, _with(database.admin_url, lambda connection: _verify(connection, loads))


def _one(ground: Ground, loads: list[Load], concurrency: int, seconds: float) -> Measured:
    """One concurrency: the load, then the limit, each from a fresh checkpoint."""
    rows, wal = _written(ground)
    before = _cpu(ground)
    done = post_for(seconds, concurrency, ground.target, ground.numbers)
    after = _cpu(ground)
    rows_after, wal_after = _written(ground)
    loads.append(done)
    rss = ground.api.rss_mib()
    limit = _limit(ground, concurrency, seconds)
    count = len(done.acknowledged)
    return Measured(
        referrals_per_s=count / done.seconds,
        p50_ms=percentile(done.latencies, 0.50) * 1000,
        p95_ms=percentile(done.latencies, 0.95) * 1000,
        p99_ms=percentile(done.latencies, 0.99) * 1000,
        errors=done.errors,
        app_cpu_us=_each_us(before.app, after.app, count),
        database_cpu_us=_each_us(before.database, after.database, count),
        other_cores=_other_cores(before, after),
        rows=(rows_after - rows) / max(1, count),
        wal_bytes=(wal_after - wal) / max(1, count),
        limit_per_s=limit.per_second,
        limit_by=limit.by,
        ratio=count / done.seconds / limit.per_second,
        rss_mib=rss,
        referrals_before=_acknowledged(loads),
        processes=ground.processes,
        start_s=ground.api.start_s,
    )


def with_memory(ground: Ground, loads: list[Load], last: Measured) -> Measured:
    """The same, with the memory after MEMORY_AFTER referrals: those that are still to come are not timed."""
    count = _acknowledged(loads)
    if count >= MEMORY_AFTER:
        return last
    _say(f"{MEMORY_AFTER - count} more referrals, not timed: memory is read after {MEMORY_AFTER}")
    while count < MEMORY_AFTER:
        loads.append(post_for(1.0, WARM_UP_CONCURRENCY, ground.target, ground.numbers))
        if _acknowledged(loads) == count:
            break  # nothing is taken any more: the verdict will tell
        count = _acknowledged(loads)
    return msgspec.structs.replace(last, rss_mib=ground.api.rss_mib(), referrals_before=count)


def _acknowledged(loads: list[Load]) -> int:
    return sum(len(each.acknowledged) for each in loads)


def _other_cores(before: Cpu, after: Cpu) -> float | None:
    """How many cores others kept busy meanwhile: what makes a run worth repeating."""
    if before.others is None or after.others is None:
        return None
    return max(0.0, (after.others - before.others) / (after.at - before.at))


def _each_us(before: float | None, after: float | None, count: int) -> float | None:
    return None if before is None or after is None else (after - before) * 1e6 / max(1, count)


def _cpu(ground: Ground) -> Cpu:
    app, database, machine = ground.api.cpu_s(), cpu_s(ground.database.pid), machine_cpu_s()
    others = None
    if app is not None and database is not None and machine is not None:
        others = machine - app - database - time.process_time()
    return Cpu(time.perf_counter(), app, database, others)


def _written(ground: Ground) -> tuple[int, int]:
    """Rows and bytes of WAL so far; then a checkpoint, so that every load pays alike for full pages."""

    async def read(connection: asyncpg.Connection) -> tuple[int, int]:
        wal = await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'")
        rows = 0
        for table in await limits.tables(connection):
            rows += await connection.fetchval(f"select count(*) from {table}")  # noqa: S608
        await connection.execute("checkpoint")
        return rows, int(wal)

    return _with(ground.database.admin_url, read)


def _limit(ground: Ground, concurrency: int, seconds: float) -> limits.Limit:
    url = make_url(ground.database.admin_url).set(database=LIMIT_DATABASE)

    async def empty(connection: asyncpg.Connection) -> None:
        await connection.execute(f"truncate {', '.join(await limits.tables(connection))}")
        # The statement writes what a trigger would write.
        await connection.execute("alter table ketenzorg.traject disable trigger all")
        await connection.execute("checkpoint")

    address = url.render_as_string(hide_password=False)
    _with(address, empty)
    program = limits.pgbench(ground.here.settings.pg_bin)
    return limits.measure(
        ground.statement, address, concurrency=concurrency, seconds=seconds, program=program
    )


async def _verify(connection: asyncpg.Connection, loads: list[Load]) -> Verified:
    stored = [row["value"] for row in await connection.fetch("select value from ketenzorg.referral_identity")]
    found = [
        row["code"]
        for row in await connection.fetch(
            "select t.code from ketenzorg.resource r join ketenzorg.search_token t "
            "on t.region = r.region and t.type = r.type and t.id = r.id and t.param = 'identifier' "
            "where r.type = 'ServiceRequest'"
        )
    ]
    requests = await connection.fetchval(
        "select count(*) from ketenzorg.resource where type = 'ServiceRequest'"
    )
    return verified(loads, stored, found, requests)


def verified(loads: list[Load], identities: list[str], found: list[str], requests: int) -> Verified:
    """Hold what is stored (claimed identities; identifiers of ServiceRequests) against what was acknowledged."""
    acknowledged = {identifier(number) for each in loads for number in each.acknowledged}
    unanswered = {identifier(number) for each in loads for number in each.unanswered}
    whole = set(identities) & set(found)
    return Verified(
        acknowledged=len(acknowledged),
        stored=requests,
        lost=len(acknowledged - whole),
        doubled=requests - len(set(found)),
        unexplained=len((set(identities) | set(found)) - acknowledged - unanswered),
    )


def _with(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something as the owner of everything, on a connection of its own."""

    async def connected() -> T:
        connection = await asyncpg.connect(for_asyncpg(url))
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def _say(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _not_taken(load_: Load) -> NotTaken:
    said = load_.refused[0].decode(errors="replace") if load_.refused else "no answer"
    return NotTaken(
        Issue(
            nl=f"De eerste verwijzing is niet aangenomen: {said}.",
            en=f"The first referral was not accepted: {said}.",
        )
    )
