"""All tables for us alone, so that a migration never meets a request half-way: requests wait, none fails."""

import asyncio
import time

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from ketenzorg.errors import Issue, KetenzorgError

# Shorter than PostgreSQL's deadlock_timeout of a second: of two that wait for each other it is we who let go.
ONE_TRY_MS = 500
PAUSE_S = 0.2  # those who waited for us go first
PATIENCE_S = 60.0
TABLES = """
    select string_agg(format('%I.%I', schemaname, tablename), ', ' order by tablename)
    from pg_tables where schemaname = 'ketenzorg' and tablename <> 'alembic_version'
"""


class Busy(KetenzorgError):
    """Somebody holds a table for long; nothing was changed."""


def hold_all(connection: Connection) -> None:
    """Lock every table until the transaction ends. Raises Busy after a minute of trying."""
    tables = connection.exec_driver_sql(TABLES).scalar()
    if not tables:
        return
    until = time.monotonic() + PATIENCE_S
    while not _held(connection, tables):
        if time.monotonic() > until:
            raise Busy(
                Issue(
                    nl="Een tabel is al een minuut bezet (een back-up, een vacuum); er is niets veranderd. "
                    "Doe het later nog eens.",
                    en="A table has been in use for a minute (a back-up, a vacuum); nothing was changed. "
                    "Run this again later.",
                )
            )
        await_only(asyncio.sleep(PAUSE_S))


def _held(connection: Connection, tables: str) -> bool:
    with connection.begin_nested() as attempt:
        try:
            connection.exec_driver_sql(f"set local lock_timeout = {ONE_TRY_MS}")
            connection.exec_driver_sql(f"lock table {tables} in access exclusive mode")
            connection.exec_driver_sql("set local lock_timeout = 0")
        except DBAPIError as error:
            cause = error.orig.__cause__ if error.orig is not None else None
            if not isinstance(cause, asyncpg.LockNotAvailableError):
                raise
            attempt.rollback()
            return False
    return True
