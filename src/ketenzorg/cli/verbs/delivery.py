"""`outbox` and `endpoint`: what goes out, and to where."""

import os
from typing import Annotated

import typer

from ketenzorg.cli.verbs.options import EMBEDDED

outbox = typer.Typer(help="What has not been delivered yet, and sending it again.", no_args_is_help=True)
endpoint = typer.Typer(help="Where organisations want to hear of changes.", no_args_is_help=True)


@outbox.command("list")
def outbox_list(*, embedded: EMBEDDED = False) -> None:
    """What waits and what was parked, with the reason."""
    from ketenzorg.cli.messages import list_outbox  # noqa: PLC0415

    list_outbox(os.environ, embedded=embedded)


@outbox.command("release")
def outbox_release(message: str, *, embedded: EMBEDDED = False) -> None:
    """Send a parked message again."""
    from ketenzorg.cli.messages import release  # noqa: PLC0415

    release(os.environ, message, embedded=embedded)


@endpoint.command("set")
def endpoint_set(
    organisation: Annotated[str, typer.Argument(help="URA of the organisation.")],
    url: Annotated[str, typer.Argument(help="Where we send; https, or http on this machine.")],
    *,
    embedded: EMBEDDED = False,
) -> None:
    """Register where an organisation hears of changes; prints the secret that signs what we send."""
    from ketenzorg.cli.messages import set_endpoint  # noqa: PLC0415

    set_endpoint(os.environ, organisation, url, embedded=embedded)
