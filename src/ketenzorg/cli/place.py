"""Where a process works: its settings, its secret and its database, given or embedded.

What only an embedded database or a migration needs is imported there: it would double the start of a server.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ketenzorg.errors import Issue
from ketenzorg.secret_file import read_or_make_secret, read_secret
from ketenzorg.settings import (
    ADMIN_DATABASE_URL,
    DATABASE_URL,
    Settings,
    WrongSetting,
)

if TYPE_CHECKING:
    from ketenzorg.store.embedded import EmbeddedPostgres

DATABASE = "ketenzorg"
APP_ROLE = "ketenzorg_app"


class Place(NamedTuple):
    """What every process needs before it can begin."""

    settings: Settings
    secret: bytes
    database_url: str  # of the application role


@contextmanager
def place(
    environ: Mapping[str, str],
    *,
    embedded: bool,
    attach: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Place]:
    """The place to work, for as long as the context lasts. `attach`: use the embedded server of another process.

    `meanwhile` is done while an embedded server starts.
    Without a database and without --embedded this refuses, so that production never starts empty.
    """
    settings = Settings.from_environ(environ)
    if settings.database_url is not None and not embedded:
        yield Place(settings, read_secret(settings.secret_file), settings.database_url)
        return
    if not embedded:
        raise WrongSetting(
            Issue(
                nl=f"{DATABASE_URL.name} is niet gezet. Voor een proef zonder eigen PostgreSQL: --embedded.",
                en=f"{DATABASE_URL.name} is not set. For a trial without a PostgreSQL of your own: --embedded.",
            ),
        )
    from ketenzorg.store.embedded import EmbeddedPostgres  # noqa: PLC0415

    secret = read_or_make_secret(settings.secret_file)
    with EmbeddedPostgres(
        settings.data_dir, pg_bin=settings.pg_bin, attach=attach, meanwhile=meanwhile
    ) as server:
        yield Place(settings, secret, _prepare(server, secret, settings.migrations))


def migrate_place(environ: Mapping[str, str], *, to: str, embedded: bool) -> None:
    """Migrate the database that the settings name, or the embedded one."""
    if embedded:
        with place(environ, embedded=True):
            return  # a place is migrated when it opens
    settings = Settings.from_environ(environ)
    if settings.admin_database_url is None or settings.database_url is None:
        raise WrongSetting(
            Issue(
                nl=f"Voor migrate zijn {ADMIN_DATABASE_URL.name} en {DATABASE_URL.name} nodig.",
                en=f"migrate needs {ADMIN_DATABASE_URL.name} and {DATABASE_URL.name}.",
            ),
        )
    from sqlalchemy import make_url  # noqa: PLC0415

    from ketenzorg.store.migrate import migrate  # noqa: PLC0415

    password = make_url(settings.database_url).password or ""
    asyncio.run(migrate(settings.admin_database_url, app_password=password, to=to))


def _prepare(server: "EmbeddedPostgres", secret: bytes, migrations: Path) -> str:
    """The embedded server's database, made and migrated where it is not; its password follows from the secret."""
    from ketenzorg.access.keys import keyed_digest  # noqa: PLC0415
    from ketenzorg.store.revision import newest, revision_at  # noqa: PLC0415

    password = keyed_digest(secret, b"embedded database").hex()
    url = server.url(DATABASE, APP_ROLE, password)
    if asyncio.run(revision_at(url)) != newest(migrations):
        from ketenzorg.store.migrate import migrate  # noqa: PLC0415

        asyncio.run(migrate(server.admin_url, app_password=password))
    return url
