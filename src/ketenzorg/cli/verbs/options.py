"""Options that many verbs share."""

from typing import Annotated

import typer

EMBEDDED = Annotated[
    bool, typer.Option("--embedded", help="Use the PostgreSQL that comes with the program: for a trial.")
]
PORT = Annotated[int, typer.Option(help="TCP port.")]
