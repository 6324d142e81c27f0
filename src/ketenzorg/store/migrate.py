"""Roles, schema and migrations: everything that a database needs before the service may use it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.settings import ADMIN_DATABASE_URL, Settings
from ketenzorg.store.functions import SCHEMA, drop_functions, make_functions
from ketenzorg.store.revision import known, newest
from ketenzorg.store.standstill import hold_all

# Two processes that migrate at once: the second waits and finds nothing to do.
MIGRATION_LOCK = 4_265_110_177
# Where all databases of one server meet: their roles are the same ones, and a lock counts in one database only.
SHARED_DATABASE = "postgres"
# Before it functions were made anew by taking all of them away; no program of then need go on meanwhile.
IN_PLACE_FROM = "0021"
REFUSALS = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)


class CannotMigrate(KetenzorgError):
    """The server, the database or the revision is not one that we can work with; nothing was changed."""


async def migrate(admin_url: str, *, app_password: str, to: str = "head") -> None:
    """Bring the database at `admin_url` to revision `to` ("head", "base" or a number), or leave it as it was.

    The role of `admin_url` may create roles and is not used by the service. `app_password` becomes the
    password of `ketenzorg_app`, the role that the service connects with.
    """
    folder = Settings.from_environ(os.environ).migrations
    _check_target(folder, to)
    with _refusals_named():
        async with _alone(make_url(admin_url).set(database=SHARED_DATABASE)) as connection:
            await _ensure_roles(connection, app_password)
        async with _alone(make_url(admin_url)) as connection:
            await connection.execute(
                text(f"create schema if not exists {SCHEMA} authorization ketenzorg_owner")
            )
            await connection.execute(text(f"grant usage on schema {SCHEMA} to ketenzorg_app"))
            await connection.execute(text("set local role ketenzorg_owner"))
            await connection.run_sync(_run, folder, to)
            # The service looks where it stands before it takes work.
            await connection.execute(text(f"grant select on {SCHEMA}.alembic_version to ketenzorg_app"))


@asynccontextmanager
async def _alone(url: URL) -> AsyncIterator[AsyncConnection]:
    """A transaction that no other migration runs beside in this database."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            yield connection
    finally:
        await engine.dispose()


async def make_roles(admin_url: str, app_password: str) -> None:
    """The roles that a database of ours names, also one that is to be restored."""
    with _refusals_named():
        async with _alone(make_url(admin_url).set(database=SHARED_DATABASE)) as connection:
            await _ensure_roles(connection, app_password)


async def _ensure_roles(connection: AsyncConnection, app_password: str) -> None:
    """They belong to the server, not to one of its databases."""
    there = set(
        await connection.scalars(text("select rolname from pg_roles where rolname like 'ketenzorg%'")),
    )
    if "ketenzorg_owner" not in there:
        await connection.execute(text("create role ketenzorg_owner nologin"))
    if "ketenzorg_app" not in there:
        await connection.execute(text("create role ketenzorg_app login"))
    # A role's password is part of the statement, not a parameter of it.
    statement = await connection.scalar(
        text("select format('alter role ketenzorg_app with login password %L', cast(:password as text))"),
        {"password": app_password},
    )
    await connection.exec_driver_sql(str(statement))
    await connection.execute(text("grant ketenzorg_owner to current_user"))


def _run(connection: Connection, folder: Path, to: str) -> None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    stands_at = context.get_current_revision()
    if stands_at is not None and stands_at not in known(folder):
        raise CannotMigrate(
            Issue(
                nl=f"De database staat op {stands_at}; deze ketenzorg kent alleen {', '.join(known(folder))}. "
                "Neem de ketenzorg die hem zo ver bracht, of een nieuwere.",
                en=f"The database stands at {stands_at}; this ketenzorg only knows {', '.join(known(folder))}. "
                "Use the ketenzorg that brought it there, or a newer one.",
            )
        )
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    hold_all(connection)
    to_head = to in ("head", newest(folder))
    if not to_head or (stands_at or "") < IN_PLACE_FROM:
        drop_functions(connection)
    if to == "base" or (to != "head" and to < (stands_at or "")):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
    if to_head:
        make_functions(connection, folder)


def _check_target(folder: Path, to: str) -> None:
    targets = ["head", "base", *known(folder)]
    if to not in targets:
        raise CannotMigrate(
            Issue(
                nl=f"Revisie {to} is er niet; wel: {', '.join(targets)}.",
                en=f"There is no revision {to}; there are: {', '.join(targets)}.",
            )
        )


@contextmanager
def _refusals_named() -> Iterator[None]:
    """What the server says when we may not in, or may not do this, in one line; our own mistakes stay."""
    try:
        yield
    except OSError as error:
        raise _refused(error) from error
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, REFUSALS):
            raise _refused(cause) from error
        raise


def _refused(error: BaseException) -> CannotMigrate:
    return CannotMigrate(
        Issue(
            nl=f"Migreren met {ADMIN_DATABASE_URL.name} lukt niet: {error}",
            en=f"Cannot migrate with {ADMIN_DATABASE_URL.name}: {error}",
        )
    )
