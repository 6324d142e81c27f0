"""Roles, schema and migrations: everything that a database needs before the service may use it."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ketenzorg.settings import Settings

# Two processes that migrate at once: the second waits and finds nothing to do.
MIGRATION_LOCK = 4_265_110_177


async def migrate(admin_url: str, *, app_password: str, to: str = "head") -> None:
    """Bring the database at `admin_url` to revision `to` ("head", "base" or a number), or leave it as it was.

    The role of `admin_url` may create roles and is not used by the service. `app_password` becomes the
    password of `ketenzorg_app`, the role that the service connects with.
    """
    folder = Settings.from_environ(os.environ).migrations
    engine = create_async_engine(admin_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await _ensure_roles(connection, app_password)
            await connection.execute(text("set local role ketenzorg_owner"))
            await connection.run_sync(_run, folder, to)
    finally:
        await engine.dispose()


async def _ensure_roles(connection: AsyncConnection, app_password: str) -> None:
    known = set(
        await connection.scalars(text("select rolname from pg_roles where rolname like 'ketenzorg%'")),
    )
    if "ketenzorg_owner" not in known:
        await connection.execute(text("create role ketenzorg_owner nologin"))
    if "ketenzorg_app" not in known:
        await connection.execute(text("create role ketenzorg_app login"))
    # A role's password is part of the statement, not a parameter of it.
    statement = await connection.scalar(
        text("select format('alter role ketenzorg_app with login password %L', cast(:password as text))"),
        {"password": app_password},
    )
    await connection.exec_driver_sql(str(statement))
    await connection.execute(text("grant ketenzorg_owner to current_user"))
    await connection.execute(
        text("create schema if not exists ketenzorg authorization ketenzorg_owner"),
    )
    await connection.execute(text("grant usage on schema ketenzorg to ketenzorg_app"))


def _run(connection: Connection, folder: Path, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    if to == "base":
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
