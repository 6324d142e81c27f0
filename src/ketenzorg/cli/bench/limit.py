"""What the database alone can do: the rows of one real referral as one prepared statement, as often as it goes.

The rows are those that a referral left behind (all tables, found by its transaction), written by one statement
with fresh ids. Everything but the ids is constant, which spares it work that we do have: the limit is a high one.
"""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import asyncpg
import msgspec
from sqlalchemy.engine import make_url

from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded_binaries import installations

SCHEMA = "ketenzorg"
GRACE_S = 30.0
LEAST_S = 2  # pgbench's clock runs while it connects, and it counts in whole seconds
TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
# What keys hold besides ids must be new each time as well; as long as what stood there.
FRESH = {
    (f"{SCHEMA}.referral_identity", "value"): "right(ids.i0::text, {length})",
    (f"{SCHEMA}.personal_number", "blind_index"): "uuid_send(ids.i0) || uuid_send(ids.i0)",
}
UUID7 = "uuidv7()"  # PostgreSQL 18
OLDER_UUID7 = (
    "encode(overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from "
    "clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid"
)


class NoLimit(KetenzorgError):
    """The limit could not be measured."""


class Column(msgspec.Struct, frozen=True):
    """A column of a captured row."""

    name: str
    type: str


class Rows(msgspec.Struct, frozen=True):
    """The rows that one referral left in one table, every value as text."""

    table: str
    columns: list[Column]
    values: list[list[str | None]]


class Limit(msgspec.Struct, frozen=True):
    """How often per second, and by what it was measured."""

    per_second: float
    by: str


def capture_as_statement(known: Collection[str]) -> Callable[[asyncpg.Connection], Awaitable[str]]:
    """Reads the rows of the latest referral and makes the statement that writes such rows again."""

    async def capture(connection: asyncpg.Connection) -> str:
        major = connection.get_server_version().major
        return one_statement(await captured_rows(connection), known, major)

    return capture


async def tables(connection: asyncpg.Connection) -> list[str]:
    """Every table of ours, as a statement names it."""
    rows = await connection.fetch(
        "select quote_ident(tablename) as name from pg_tables where schemaname = $1 order by tablename",
        SCHEMA,
    )
    return [f"{SCHEMA}.{row['name']}" for row in rows]


async def captured_rows(connection: asyncpg.Connection) -> list[Rows]:
    """All rows that the one transaction of the latest referral wrote."""
    xid = await connection.fetchval(f"select e.xid::text from {SCHEMA}.event e order by e.xid desc limit 1")  # noqa: S608
    found = [await _rows(connection, table, xid) for table in await tables(connection)]
    return [rows for rows in found if rows.values]


async def _rows(connection: asyncpg.Connection, table: str, xid: str) -> Rows:
    columns = [
        Column(each["attname"], each["type"])
        for each in await connection.fetch(
            "select attname, format_type(atttypid, atttypmod) as type from pg_attribute "
            "where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and atttypid <> 'xid8'::regtype "
            "and attgenerated = '' "
            "order by attnum",
            table,
        )
    ]
    names = ", ".join(f'"{column.name}"::text' for column in columns)
    # A row's own transaction is xmin, 32 bits of the same number.
    statement = f"select {names} from {table} where xmin::text = ($1::text::bigint % 4294967296)::text"  # noqa: S608
    return Rows(table, columns, [list(row) for row in await connection.fetch(statement, xid)])


def one_statement(captured: list[Rows], known: Collection[str], major: int) -> str:
    """The statement that writes such rows again. Ids get new values, except those in `known` (organisations)."""
    ids = fresh_ids(captured, known)
    make = UUID7 if major >= 18 else OLDER_UUID7  # noqa: PLR2004
    named = ", ".join(f"{make} as {name.removeprefix('ids.')}" for name in ids.values())
    parts = [f"ids as materialized (select {named})"]
    for n, rows in enumerate(captured):
        names = ", ".join(f'"{column.name}"' for column in rows.columns)
        values = ", ".join(f"({', '.join(values_of(rows, row, ids))})" for row in rows.values)
        parts.append(
            f"w{n} as (insert into {rows.table} ({names}) "  # noqa: S608
            f"select v.* from ids cross join lateral (values {values}) as v)"
        )
    return f"with {', '.join(parts)} select 1"


def fresh_ids(captured: list[Rows], known: Collection[str]) -> dict[str, str]:
    """id -> the column of `ids` that stands for it, as an expression."""
    seen = (
        value
        for rows in captured
        for row in rows.values
        for column, value in zip(rows.columns, row, strict=True)
        if column.type == "uuid" and value is not None and value not in known
    )
    return {value: f"ids.i{place}" for place, value in enumerate(dict.fromkeys(seen))}


def values_of(rows: Rows, row: list[str | None], ids: dict[str, str]) -> list[str]:
    """The values of a row as a statement writes them, each id as `ids` has it."""
    return [_value(rows.table, column, value, ids) for column, value in zip(rows.columns, row, strict=True)]


def _value(table: str, column: Column, value: str | None, ids: dict[str, str]) -> str:
    if value is None:
        return f"null::{column.type}"
    if column.type == "uuid" and value in ids:
        return ids[value]
    if (table, column.name) in FRESH:
        return FRESH[table, column.name].format(length=len(value))
    return f"{_quoted(value)}::{column.type}"


def _quoted(text: str) -> str:
    """A literal without a colon in it: after one pgbench reads the name of a variable."""
    return "E'" + text.replace("\\", r"\\").replace("'", "''").replace(":", r"\x3a") + "'"


def pgbench(told: Path | None) -> Path | None:
    """The pgbench of this machine: that of the server that we run, else another; Debian's wrapper last."""
    for installation in installations(told):
        program = installation.bin / "pgbench"
        if os.access(program, os.X_OK):
            return program
    on_path = shutil.which("pgbench")
    return Path(on_path) if on_path else None


def measure(statement: str, url: str, *, concurrency: int, seconds: float, program: Path | None) -> Limit:
    """Run the statement from so many connections for so long."""
    if program is None:
        return Limit(asyncio.run(_loop(statement, url, concurrency, seconds)), "a bare asyncpg loop")
    return Limit(_pgbench(statement, url, concurrency, seconds, program), "pgbench -M prepared")


def _pgbench(statement: str, url: str, concurrency: int, seconds: float, program: Path) -> float:
    address = make_url(url)
    whole_seconds = max(LEAST_S, round(seconds))
    threads = min(concurrency, os.cpu_count() or 1)
    with tempfile.NamedTemporaryFile("w", prefix="ketenzorg-bench-", suffix=".sql") as script:
        script.write(f"{statement};\n")
        script.flush()
        command = [
            str(program), "-n", "-M", "prepared", "-f", script.name, "-c", str(concurrency), "-j", str(threads),
            "-T", str(whole_seconds), "-h", str(address.query["host"]), "-U", str(address.username),
            str(address.database),
        ]  # fmt: skip
        done = subprocess.run(  # noqa: S603
            command,
            env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": str(address.password)},
            capture_output=True,
            text=True,
            check=False,
            timeout=whole_seconds + GRACE_S,
        )
    found = TPS.search(done.stdout)
    if done.returncode != 0 or found is None:
        said = done.stderr or done.stdout
        raise NoLimit(Issue(nl=f"pgbench lukt niet:\n{said}", en=f"pgbench failed:\n{said}"))
    return float(found[1])


async def _loop(statement: str, url: str, concurrency: int, seconds: float) -> float:
    connections = [await asyncpg.connect(for_asyncpg(url)) for _ in range(concurrency)]
    try:
        started = time.perf_counter()
        done = await asyncio.gather(*(_repeat(each, statement, started + seconds) for each in connections))
        return sum(done) / (time.perf_counter() - started)
    finally:
        for each in connections:
            await each.close()


async def _repeat(connection: asyncpg.Connection, statement: str, until: float) -> int:
    prepared = await connection.prepare(statement)
    done = 0
    while time.perf_counter() < until:
        await prepared.fetchval()
        done += 1
    return done
