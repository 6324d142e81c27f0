"""`audit`: the log of who looked at what."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ketenzorg.cli.verbs.options import EMBEDDED

audit = typer.Typer(
    help="The audit log: whether it is as it was written, and what may go.", no_args_is_help=True
)


@audit.command("verify")
def audit_verify(
    *,
    head: Annotated[
        Path | None, typer.Option(help="A head that was handed out: it must be in the log.")
    ] = None,
    embedded: EMBEDDED = False,
) -> None:
    """Walk the chain over the log; every line that was changed, removed or put in is named, and the exit code is 1."""
    from ketenzorg.cli.audit_log import verify  # noqa: PLC0415

    raise typer.Exit(verify(os.environ, head, embedded=embedded))


@audit.command("head")
def audit_head(*, embedded: EMBEDDED = False) -> None:
    """Print the last signed head, for somebody else to keep: each day another."""
    from ketenzorg.cli.audit_log import head  # noqa: PLC0415

    head(os.environ, embedded=embedded)


@audit.command("review")
def audit_review(
    *, week: Annotated[str, typer.Option(help="An ISO week, like 2026-W09.")], embedded: EMBEDDED = False
) -> None:
    """What stands out in a week of the log, by stated rules: reasons to ask, without a patient's name."""
    from ketenzorg.cli.audit_log import review  # noqa: PLC0415

    review(os.environ, week, embedded=embedded)


@audit.command("purge")
def audit_purge(
    *,
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="A day; what is older goes.")],
    embedded: EMBEDDED = False,
) -> None:
    """Take away lines that are old enough; never one of the last five years."""
    from ketenzorg.cli.audit_log import purge  # noqa: PLC0415

    purge(os.environ, before, embedded=embedded)
