"""How many Task updates per second go in over HTTP, and how many the database alone could take.

`python -m tests.benchmarks.task_update [SECONDS] [PROCESSES]`. A welfare coach puts Tasks on hold and resumes them, by
PATCH of the status, from eight connections that each have their own. The limit is the rows that one such update writes:
new ones inserted, the others updated in place, as one prepared statement, each client its own rows. Both take turns of
two seconds, so that they meet the same machine.
"""

# ruff: noqa: T201

import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec
import uvloop

from ketenzorg.cli.bench import limit as limits
from ketenzorg.cli.bench.database import limit_address, prepare, rows_and_wal, start_afresh, with_connection
from ketenzorg.cli.bench.load import Numbers, Target, post_some
from ketenzorg.cli.bench.processes import Api, apart, cpu_s, serving
from ketenzorg.cli.bench.report import percentile
from ketenzorg.cli.connection import HOST, Connection
from ketenzorg.cli.place import DATABASE, Place, place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.pathway.content import read_content
from ketenzorg.settings import DATABASE_URL, SANDBOX, SECRET_FILE, for_asyncpg
from ketenzorg.store.embedded import EmbeddedPostgres

CONCURRENCY = 8
TASKS = 8  # of each connection
TURN_S = 2.0
GOAL = 0.5
BEGUN = ("aannemen", "eerste contact", "kennismaking gehouden")  # from there it is on hold and off again
REASON = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": "opname"}]}
HOLD = msgspec.json.encode(
    [
        {"op": "replace", "path": "/status", "value": "on-hold"},
        {"op": "add", "path": "/statusReason", "value": REASON},
    ]
)
RESUME = msgspec.json.encode([{"op": "replace", "path": "/status", "value": "in-progress"}])


class Turn(NamedTuple):
    """One turn of each."""

    latencies: list[float]
    errors: int
    seconds: float
    app: float  # CPU seconds
    database: float
    rows: int
    wal: int  # bytes
    limit: float  # per second


class Coach:
    """Somebody with Tasks of its own, each on hold or in progress."""

    def __init__(self, tasks: list[str], target: Target) -> None:
        self._turns: Iterator[tuple[str, bytes]] = itertools.cycle(
            [(task, HOLD) for task in tasks] + [(task, RESUME) for task in tasks]
        )
        self._target = target
        self.latencies: list[float] = []
        self.errors = 0

    async def work(self, until: float) -> None:
        """Update one after another: one at least."""
        connection = Connection(self._target.port)
        started = -1.0
        try:
            while started < until:
                started = time.perf_counter()
                task, body = next(self._turns)
                answer, _ = await connection.ask(
                    head("PATCH", f"/fhir/Task/{task}", "json-patch", self._target), body
                )
                if answer.startswith(b"http/1.1 200"):
                    self.latencies.append(time.perf_counter() - started)
                else:
                    self.errors += 1
        finally:
            connection.close()


def head(method: str, path: str, form: str, target: Target) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{target.port}\r\nAuthorization: Bearer {target.token}\r\n"
        f"Content-Type: application/{form}+json\r\n"
    ).encode()


async def begin(tasks: list[str], target: Target) -> None:
    """Every Task in progress."""
    connection = Connection(target.port)
    for task, event in itertools.product(tasks, BEGUN):
        said = {"resourceType": "Parameters", "parameter": [{"name": "event", "valueString": event}]}
        answer, body = await connection.ask(
            head("POST", f"/fhir/Task/{task}/$event", "fhir", target), msgspec.json.encode(said)
        )
        assert answer.startswith(b"http/1.1 200"), body
    connection.close()


def run(work: object) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)  # type: ignore[arg-type]


async def task_ids(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("select id::text from ketenzorg.resource where type = 'Task' order by id")
    return [row["id"] for row in rows]


async def sizes(connection: asyncpg.Connection) -> Counter[str]:
    return Counter(
        {
            table: await connection.fetchval(f"select count(*) from {table}")
            for table in await limits.tables(connection)
        }
    )


async def keys_of(connection: asyncpg.Connection, table: str) -> list[str]:
    """The columns of the primary key."""
    rows = await connection.fetch(
        "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)"
        " where i.indrelid = $1::text::regclass and i.indisprimary",
        table,
    )
    return [row["attname"] for row in rows]


async def limit_of(database: EmbeddedPostgres, coach: Coach, known: list[str]) -> str:
    """The statement that writes what one update writes; the rows that it updates are made, for each client its own."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    before = await sizes(connection)
    await coach.work(0.0)
    more = await sizes(connection) - before
    rows = await limits.captured_rows(connection)
    new = [each for each in rows if more[each.table] >= len(each.values)]
    old = [(each, await keys_of(connection, each.table)) for each in rows if each not in new]
    major = connection.get_server_version().major
    await connection.close()
    print("one update inserts", ", ".join(f"{len(each.values)} {each.table}" for each in new))
    print("and updates", ", ".join(f"{len(each.values)} {each.table}" for each, _ in old))
    await seed(for_asyncpg(limit_address(database)), [each for each, _ in old], known)
    inserting = limits.one_statement(new, known, major).removesuffix(" select 1")
    parts = [
        f"u{n}_{place} as (update {each.table} set {assignments(each, row, keys, known)})"
        for n, (each, keys) in enumerate(old)
        for place, row in enumerate(each.values)
    ]
    return ", ".join([inserting, *parts]) + " select 1"


def assignments(rows: limits.Rows, row: list[str | None], keys: list[str], known: list[str]) -> str:
    values = limits.values_of(rows, row, of_client([rows], known, ":client_id"))
    pairs = [(column.name, value) for column, value in zip(rows.columns, values, strict=True)]
    new = ", ".join(f'"{name}" = {value}' for name, value in pairs if name not in keys)
    found = " and ".join(f'"{name}" = {value}' for name, value in pairs if name in keys)
    return f"{new} where {found}"


def of_client(rows: list[limits.Rows], known: list[str], client: str) -> dict[str, str]:
    """Each id of the rows as one of this client alone."""
    return {
        id_: f"('{number:08d}-0000-7000-8000-' || lpad({client}::text, 12, '0'))::uuid"
        for number, id_ in enumerate(limits.fresh_ids(rows, known))
    }


async def seed(url: str, old: list[limits.Rows], known: list[str]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    for rows, client in itertools.product(old, range(CONCURRENCY)):
        names = ", ".join(f'"{column.name}"' for column in rows.columns)
        for row in rows.values:
            values = ", ".join(limits.values_of(rows, row, of_client([rows], known, str(client))))
            await connection.execute(f"insert into {rows.table} ({names}) values ({values})")
    for rows in old:  # whatever a trigger would do, the statement does itself
        await connection.execute(f"alter table {rows.table} disable trigger all")
    await connection.close()


def turn(
    coaches: list[Coach], database: EmbeddedPostgres, api: Api, statement: str, program: Path | None
) -> Turn:
    for coach in coaches:
        coach.latencies, coach.errors = [], 0
    rows, wal = rows_and_wal(database)
    app, db, started = api.cpu_s() or 0.0, cpu_s(database.pid) or 0.0, time.perf_counter()
    run(together(coaches, started + TURN_S))
    seconds = time.perf_counter() - started
    app, db = (api.cpu_s() or 0.0) - app, (cpu_s(database.pid) or 0.0) - db
    after_rows, after_wal = rows_and_wal(database)
    limit = limits.measure(
        statement, limit_address(database), concurrency=CONCURRENCY, seconds=TURN_S, program=program
    )
    latencies = [each for coach in coaches for each in coach.latencies]
    errors = sum(coach.errors for coach in coaches)
    return Turn(latencies, errors, seconds, app, db, after_rows - rows, after_wal - wal, limit.per_second)


async def together(coaches: list[Coach], until: float) -> None:
    async with asyncio.TaskGroup() as group:
        for coach in coaches:
            group.create_task(coach.work(until))


async def function_times(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    return list(
        await connection.fetch(
            "select funcname, calls, total_time from pg_stat_user_functions where schemaname = 'ketenzorg'"
        )
    )


def told(turns: list[Turn], before: list[asyncpg.Record], after: list[asyncpg.Record]) -> None:
    latencies = [each for one in turns for each in one.latencies]
    count, seconds = len(latencies), sum(one.seconds for one in turns)
    per_second, limit = count / seconds, sum(one.limit for one in turns) / len(turns)
    spent = {row["funcname"]: row["total_time"] for row in before}
    half, most = (percentile(latencies, share) * 1000 for share in (0.5, 0.99))
    print(
        f"Task updates at concurrency {CONCURRENCY}: {per_second:.0f}/s, p50 {half:.1f} ms, p99 {most:.1f} ms,"
        f" errors {sum(one.errors for one in turns)}"
    )
    print(
        f"the same rows, one prepared statement each: {limit:.0f}/s; ratio {per_second / limit:.2f} (goal: {GOAL})"
    )
    print(
        f"per update: API {sum(one.app for one in turns) / count * 1e6:.0f} µs of CPU, database"
        f" {sum(one.database for one in turns) / count * 1e6:.0f} µs of CPU,"
        f" {sum(one.rows for one in turns) / count:.1f} new rows,"
        f" {sum(one.wal for one in turns) / count:.0f} bytes of WAL"
    )
    times = sorted(
        ((row["total_time"] - spent.get(row["funcname"], 0.0), row["funcname"]) for row in after),
        reverse=True,
    )
    print("inside the database, by function (with what it calls), per update:")
    for total, name in times[:6]:
        print(f"  {name}: {total / count * 1000:.0f} µs")


def main(seconds: float, processes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ketenzorg-bench-") as folder:
        environ = apart(Path(folder))
        with (
            place(environ, embedded=True) as here,
            EmbeddedPostgres(here.settings.data_dir, attach=True) as database,
        ):
            measure(here, database, environ, Path(folder) / "serve.log", seconds, processes)


def measure(
    here: Place,
    database: EmbeddedPostgres,
    environ: dict[str, str],
    log: Path,
    seconds: float,
    processes: int,
) -> None:
    region = read_content(here.settings.pathways, here.settings.region).region
    known = [str(organisation.id) for organisation in region.organisations]
    prepare(database, here.settings.region, known)
    with_connection(
        database.admin_url, lambda to: to.execute(f"alter database {DATABASE} set track_functions = 'all'")
    )
    served = {
        DATABASE_URL.name: here.database_url,
        SECRET_FILE.name: str(here.settings.secret_file),
        SANDBOX.name: "yes",
    }
    with serving(environ | served, processes, log) as api:
        sender = Target(api.port, token_for(environ, "his-demo", 24, api.port))
        coach = Target(api.port, token_for(environ, "welzijn-demo", 24, api.port))
        post_some(CONCURRENCY * TASKS, sender, Numbers())
        tasks = with_connection(database.admin_url, task_ids)
        run(begin(tasks, coach))
        coaches = [Coach(tasks[n::CONCURRENCY], coach) for n in range(CONCURRENCY)]
        start_afresh(database)
        statement = asyncio.run(limit_of(database, coaches[0], known))
        run(together(coaches, time.perf_counter() + 1.0))  # plans and caches
        program = limits.pgbench(here.settings.pg_bin)
        before = with_connection(database.admin_url, function_times)
        turns = [
            turn(coaches, database, api, statement, program) for _ in range(max(1, round(seconds / TURN_S)))
        ]
        told(turns, before, with_connection(database.admin_url, function_times))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
