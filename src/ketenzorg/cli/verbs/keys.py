"""`keys`: what personal numbers are sealed with."""

import os
from typing import Annotated

import typer

from ketenzorg.cli.verbs.options import EMBEDDED

keys = typer.Typer(help="The keys that seal personal numbers and secrets.", no_args_is_help=True)


@keys.command("list")
def keys_list(*, embedded: EMBEDDED = False) -> None:
    """Which keys there are, what wraps each of them, whether it opens, and how much it seals."""
    from ketenzorg.cli.data_keys import list_keys  # noqa: PLC0415

    list_keys(os.environ, embedded=embedded)


@keys.command("rotate")
def keys_rotate(
    *,
    go_on: Annotated[
        bool, typer.Option("--continue", help="No new key: finish what was interrupted, and what came late.")
    ] = False,
    embedded: EMBEDDED = False,
) -> None:
    """A new data key; what older ones sealed is sealed again, piece by piece."""
    from ketenzorg.cli.data_keys import rotate  # noqa: PLC0415

    raise typer.Exit(rotate(os.environ, embedded=embedded, go_on=go_on))


@keys.command("rewrap")
def keys_rewrap(*, embedded: EMBEDDED = False) -> None:
    """Wrap the data keys with the first key of KETENZORG_KEKS."""
    from ketenzorg.cli.data_keys import rewrap  # noqa: PLC0415

    rewrap(os.environ, embedded=embedded)


@keys.command("destroy")
def keys_destroy(
    key: Annotated[str, typer.Argument(help="Id of a data key that seals nothing any more.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", prompt="It is gone for ever. Sure?", help="Do not ask.")],
    embedded: EMBEDDED = False,
) -> None:
    """Forget a data key for ever."""
    from ketenzorg.cli.data_keys import destroy  # noqa: PLC0415

    if yes:
        destroy(os.environ, key, embedded=embedded)
