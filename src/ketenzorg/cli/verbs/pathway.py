"""`pathway`: the files that say how care goes."""

import os
from pathlib import Path
from typing import Annotated

import typer

pathway = typer.Typer(help="Check and read the pathway files.", no_args_is_help=True)


@pathway.command("check")
def pathway_check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of pathways; default: that of the settings.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as a JSON array.")] = False,
) -> None:
    """Every mistake in every pathway and region file, with its place; exit code 1 when there is one."""
    from ketenzorg.cli.pathways import check  # noqa: PLC0415

    raise typer.Exit(check(os.environ, folder, as_json=as_json))


@pathway.command("show")
def pathway_show(
    name: Annotated[str, typer.Argument(help="Name of a pathway.")],
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="The diagram only, as Mermaid.")] = False,
) -> None:
    """A pathway as a clinician reads it."""
    from ketenzorg.cli.pathways import show  # noqa: PLC0415

    raise typer.Exit(show(os.environ, name, mermaid=mermaid))


@pathway.command("try")
def pathway_try(name: Annotated[str, typer.Argument(help="Name of a pathway.")]) -> None:
    """Asks the questions of a pathway, says what follows, and walks it step by step."""
    from ketenzorg.cli.pathway_try import try_out  # noqa: PLC0415

    raise typer.Exit(try_out(os.environ, name))
