"""A copy of the database, and putting it back in an empty one, with PostgreSQL's own programs.

https://www.postgresql.org/docs/18/app-pgdump.html
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded_binaries import installations
from ketenzorg.store.functions import SCHEMA
from ketenzorg.store.migrate import make_roles
from ketenzorg.store.revision import STANDS_AT

# The stamps of rows that are there; max() knows no xid8 before PostgreSQL 16.
LAST_STAMP = " union all ".join(
    f"(select xid::text::bigint as last from {SCHEMA}.{table} order by xid desc limit 1)"  # noqa: S608
    for table in ("event", "audit", "outbox", "audit_head", "throughput_cursor")
)
# What is written from now on comes after all of them: this server's own numbers begin at 3.
AFTER = """
    create or replace function {schema}.transactions_before() returns bigint
    language sql immutable parallel safe as $$ select {last}::bigint $$
"""


class CannotCopy(KetenzorgError):
    """No back-up was made, or nothing was restored; the text says why."""


async def dump(admin_url: str, file: Path, *, told: Path | None) -> tuple[str, int]:
    """Write everything to `file`; gives the revision of it and the server's major version.

    `told`: the folder of PostgreSQL's programs, where it is none of the usual ones.
    """
    connection = await asyncpg.connect(for_asyncpg(admin_url))
    try:
        major = connection.get_server_version().major
        revision = await connection.fetchval(STANDS_AT)
    finally:
        await connection.close()
    _run(
        [_program("pg_dump", major, told), "--format=custom", f"--schema={SCHEMA}", f"--file={file}"],
        admin_url,
    )
    return revision, major


async def load(admin_url: str, file: Path, *, app_password: str, told: Path | None) -> str:
    """Put back what `dump` wrote, all or nothing, and see to it that what is written next comes after it.

    Gives the revision. Raises CannotCopy when anything of ours is there already.
    """
    await make_roles(admin_url, app_password)
    connection = await asyncpg.connect(for_asyncpg(admin_url))
    try:
        if await connection.fetchval("select to_regnamespace($1) is not null", SCHEMA):
            raise CannotCopy(
                Issue(
                    nl=f"Deze database is niet leeg: het schema {SCHEMA} bestaat al. Neem een nieuwe database.",
                    en=f"This database is not empty: the schema {SCHEMA} is there already. Take a new database.",
                )
            )
        program = _program("pg_restore", connection.get_server_version().major, told)
        database = make_url(admin_url).database
        _run(
            [program, "--single-transaction", "--exit-on-error", f"--dbname={database}", str(file)], admin_url
        )
        # Until this stands the service is not ready: it would find rows stamped ahead of what it writes.
        last = await connection.fetchval(f"select coalesce(max(last), 0) from ({LAST_STAMP}) stamps")  # noqa: S608
        await connection.execute(AFTER.format(schema=SCHEMA, last=last))
        await connection.execute("analyze")
        return str(await connection.fetchval(STANDS_AT))
    finally:
        await connection.close()


def _run(command: Sequence[str], admin_url: str) -> None:
    """A program of PostgreSQL; the password goes by its environment, which no list of processes shows."""
    url = make_url(admin_url)
    host = url.host or url.query.get("host", "")
    named = {
        "PGHOST": str(host),
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
        "PGSSLMODE": str(url.query.get("sslmode", "")),
    }
    environ = os.environ | {name: value for name, value in named.items() if value}
    done = subprocess.run(list(command), env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines()[:3]
        name = Path(command[0]).name
        raise CannotCopy(
            Issue(nl=f"{name} lukt niet: {' '.join(said)}", en=f"{name} failed: {' '.join(said)}")
        )


def _program(name: str, major: int, told: Path | None) -> str:
    """A program that is not older than the server; of the same version where that is here."""
    found = {each.major: each.bin / name for each in installations(told) if (each.bin / name).exists()}
    if told is None and (on_path := shutil.which(name)):
        found.setdefault(_major(on_path), Path(on_path))
    for version in sorted(found):
        if version >= major:
            return str(found[version])
    raise CannotCopy(
        Issue(
            nl=f"{name} van PostgreSQL {major} of later is hier niet; installeer postgresql-client-{major}.",
            en=f"There is no {name} of PostgreSQL {major} or later here; install postgresql-client-{major}.",
        )
    )


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"\) (\d+)", said.stdout)
    return int(version[1]) if version else 0
