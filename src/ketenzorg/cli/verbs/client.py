"""`client`: the systems that may ask for tokens."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from ketenzorg.cli.verbs.options import EMBEDDED

CLIENT = Annotated[str, typer.Argument(help="Name of the client: its client_id.")]
JWKS = Annotated[Path | None, typer.Option(help="File with its public keys, a JWK Set.")]
JWKS_URL = Annotated[str | None, typer.Option(help="Where it publishes them itself; better than a file.")]

VALIDATION = Annotated[
    Literal["strict", "liberal"],
    typer.Option(help="What breaks a claimed profile or refers to nothing: refused, or kept with a warning."),
]

client = typer.Typer(help="The systems that may ask for tokens.", no_args_is_help=True)


@client.command("add")
def client_add(
    name: CLIENT,
    *,
    organisation: Annotated[list[str], typer.Option(help="URA for which it may speak; may be repeated.")],
    scope: Annotated[str, typer.Option(help="SMART v2 scopes, e.g. 'system/Task.rus'.")] = "system/*.cruds",
    jwks: JWKS = None,
    jwks_url: JWKS_URL = None,
    validation: VALIDATION = "strict",
    embedded: EMBEDDED = False,
) -> None:
    """Register a system with its public keys."""
    from ketenzorg.cli.clients import add  # noqa: PLC0415

    add(os.environ, name, organisation, scope, jwks, jwks_url, validation=validation, embedded=embedded)


@client.command("rotate")
def client_rotate(
    name: CLIENT, *, jwks: JWKS = None, jwks_url: JWKS_URL = None, embedded: EMBEDDED = False
) -> None:
    """Know a system by other keys from now on."""
    from ketenzorg.cli.clients import rotate  # noqa: PLC0415

    rotate(os.environ, name, jwks, jwks_url, embedded=embedded)


@client.command("validation")
def client_validation(
    name: CLIENT,
    validation: Annotated[Literal["strict", "liberal"], typer.Argument()],
    *,
    embedded: EMBEDDED = False,
) -> None:
    """Be strict or liberal about what a system sends, from now on."""
    from ketenzorg.cli.clients import judge  # noqa: PLC0415

    judge(os.environ, name, validation, embedded=embedded)


@client.command("revoke")
def client_revoke(name: CLIENT, *, embedded: EMBEDDED = False) -> None:
    """End a registration for good; its tokens stop working within a second."""
    from ketenzorg.cli.clients import revoke  # noqa: PLC0415

    revoke(os.environ, name, embedded=embedded)


@client.command("list")
def client_list(*, embedded: EMBEDDED = False) -> None:
    """Who is and was registered, for whom, how far and by which keys."""
    from ketenzorg.cli.clients import list_clients  # noqa: PLC0415

    list_clients(os.environ, embedded=embedded)
