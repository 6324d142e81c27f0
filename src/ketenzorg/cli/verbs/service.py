"""Running ketenzorg for real: `serve`, `worker`, `migrate`, `upgrade`, `backup`, `restore`, `health`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ketenzorg.cli.verbs.options import EMBEDDED, METRICS, PORT

service = typer.Typer()


@service.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: PORT = 8080,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes behind the one port.")] = 1,
    metrics: METRICS = None,
    embedded: EMBEDDED = False,
) -> None:
    """Serve the API."""
    from ketenzorg.cli.serve import serve as run  # noqa: PLC0415

    run(os.environ, host=host, port=port, processes=processes, embedded=embedded, metrics=metrics)


@service.command()
def worker(*, metrics: METRICS = None, embedded: EMBEDDED = False) -> None:
    """Deliver notifications, and tell of norms that run out, until stopped."""
    from ketenzorg.cli.work import work  # noqa: PLC0415

    work(os.environ, embedded=embedded, metrics=metrics)


@service.command()
def migrate(
    *,
    to: Annotated[str, typer.Option(help="head, base or a revision.")] = "head",
    embedded: EMBEDDED = False,
) -> None:
    """Bring the database to a revision: roles, tables, functions."""
    from ketenzorg.cli.place import migrate_place  # noqa: PLC0415

    migrate_place(os.environ, to=to, embedded=embedded)


@service.command()
def upgrade(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say what would happen.")] = False,
    embedded: EMBEDDED = False,
) -> None:
    """Bring the database to this version. --check: 3 when that may take long, 4 when processes must stop first."""
    if check:
        from ketenzorg.cli.upgrade import check as run  # noqa: PLC0415

        raise typer.Exit(run(os.environ, embedded=embedded))
    migrate(to="head", embedded=embedded)


@service.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], *, embedded: EMBEDDED = False
) -> None:
    """Copy all that is stored to a folder, while the service runs; keys are not in it."""
    from ketenzorg.cli.backup import backup as run  # noqa: PLC0415

    run(os.environ, folder, embedded=embedded)


@service.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="What `backup` made.")], *, embedded: EMBEDDED = False
) -> None:
    """Put a back-up in an empty database and check its audit log; exit code 1 when that is not as it was."""
    from ketenzorg.cli.backup import restore as run  # noqa: PLC0415

    raise typer.Exit(run(os.environ, folder, embedded=embedded))


@service.command()
def health(*, embedded: EMBEDDED = False) -> None:
    """Whether the database answers and keeps what it acknowledges; exit code 2 when not."""
    from ketenzorg.cli.health import health as run  # noqa: PLC0415

    run(os.environ, embedded=embedded)
