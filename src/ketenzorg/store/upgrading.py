"""What an upgrade would do, before it does it: by looking at what its migrations say, and at how large tables are."""

import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ketenzorg.store.functions import SCHEMA, changed
from ketenzorg.store.migrate import IN_PLACE_FROM
from ketenzorg.store.revision import known

LARGE = 100_000  # rows: what reads or writes all of them may take longer than a request waits
# Reads or writes a whole table while everybody waits.
WHOLE = re.compile(
    r"\b(?:create (?:unique )?index [^;]*? on|update|delete from|set not null|alter column \w+ type)\b", re.I
)
# Takes away what a program of before may ask for.
TAKES = re.compile(
    r"\bdrop table|\bdrop column|\brename (?:to|column|\w+ to)|\balter column \w+ (?:type|set not null)"
    r"|\badd column (?:(?!default|,|;).)*\bnot null(?:(?!default|,|;).)*(?=[,;])",
    re.I | re.S,
)
SIZES = f"""
    select relname, greatest(reltuples, 0)::bigint from pg_class
    where relnamespace = '{SCHEMA}'::regnamespace and relkind = 'r'
"""  # noqa: S608


class Pending(msgspec.Struct, frozen=True):
    """A migration that would run."""

    revision: str
    title: str
    large: dict[str, int]  # tables of LARGE rows and more that it names, where it goes through whole tables
    takes: bool  # something away that a running program may ask for


class Upgrade(msgspec.Struct, frozen=True):
    """All of it. `functions`: None when they cannot be compared before the tables are there."""

    stands_at: str | None
    pending: Sequence[Pending]
    functions: Sequence[str] | None  # gone, or with other arguments or another result

    @property
    def others_go_on(self) -> bool:
        """Whether programs of the version that runs may go on meanwhile."""
        new = self.stands_at is None
        kept = self.functions == [] and (self.stands_at or "") >= IN_PLACE_FROM
        return new or (kept and not any(each.takes for each in self.pending))

    @property
    def is_short(self) -> bool:
        """Whether nothing goes through a large table while requests wait."""
        return not any(each.large for each in self.pending)


async def look_ahead(admin_url: str, folder: Path) -> Upgrade:
    """What `migrate` would do with the database at this address. Nothing is changed."""
    engine = create_async_engine(make_url(admin_url))
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_look, folder)
            await connection.rollback()
            return found
    finally:
        await engine.dispose()


def _look(connection: Connection, folder: Path) -> Upgrade:
    if connection.exec_driver_sql(f"select to_regclass('{SCHEMA}.alembic_version')").scalar() is None:
        return Upgrade(None, [_pending(folder, each, {}) for each in known(folder)], [])
    stands_at = connection.exec_driver_sql(f"select version_num from {SCHEMA}.alembic_version").scalar()  # noqa: S608
    sizes = {row[0]: row[1] for row in connection.exec_driver_sql(SIZES)}
    pending = [_pending(folder, each, sizes) for each in known(folder) if each > str(stands_at)]
    try:
        connection.exec_driver_sql("set local role ketenzorg_owner")
        other = changed(connection, folder)
        functions: list[str] | None = other.functions + [name for name, there in other.types.items() if there]
    except asyncpg.PostgresError:  # straight from the driver
        functions = None
    return Upgrade(stands_at, pending, functions)


def _pending(folder: Path, revision: str, sizes: dict[str, int]) -> Pending:
    [path] = (folder / "versions").glob(f"{revision}_*.py")
    text = path.read_text("utf-8")
    title = text.partition('"""')[2].partition('"""')[0].strip().splitlines()[0]
    upgrade = text.partition("def upgrade")[2].partition("def downgrade")[0]
    files = re.findall(r'_run\("([^"]+)"\)', upgrade)
    sql = upgrade + "".join((folder / "sql" / name).read_text("utf-8") for name in files)
    sql = re.sub(r"--[^\n]*", "", sql)
    goes_through = WHOLE.search(sql) is not None
    large = {
        name: rows
        for name, rows in sizes.items()
        if goes_through and rows >= LARGE and re.search(rf"\b{name}\b", sql)
    }
    return Pending(revision, title, large, TAKES.search(sql) is not None)
