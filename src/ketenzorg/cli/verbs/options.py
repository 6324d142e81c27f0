"""Options that many verbs share."""

from typing import Annotated

import typer

from ketenzorg.cli.scraping import Spot, spot

EMBEDDED = Annotated[
    bool, typer.Option("--embedded", help="Use the PostgreSQL that comes with the program: for a trial.")
]
PORT = Annotated[int, typer.Option(help="TCP port.")]
METRICS = Annotated[
    Spot | None, typer.Option(parser=spot, metavar="HOST:PORT", help="Where Prometheus may read /metrics.")
]
