"""The command line; what a verb needs is imported when it runs, so that each starts at once."""

import sys

import typer

from ketenzorg.cli.verbs.audit import audit
from ketenzorg.cli.verbs.client import client
from ketenzorg.cli.verbs.delivery import endpoint, outbox
from ketenzorg.cli.verbs.keys import keys
from ketenzorg.cli.verbs.pathway import pathway
from ketenzorg.cli.verbs.sandbox import sandbox
from ketenzorg.cli.verbs.service import service
from ketenzorg.errors import KetenzorgError

app = typer.Typer(
    help="Care pathways as state machines: FHIR R4 referrals in, the answer back, waiting times in sight.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(service)
app.add_typer(sandbox)
app.add_typer(pathway, name="pathway")
app.add_typer(outbox, name="outbox")
app.add_typer(endpoint, name="endpoint")
app.add_typer(audit, name="audit")
app.add_typer(keys, name="keys")
app.add_typer(client, name="client")


def main() -> None:
    """Run a verb; an expected failure is one line on standard error and exit code 2."""
    try:
        app()
    except KetenzorgError as error:
        for issue in error.issues:
            sys.stderr.write(f"ketenzorg: {issue.en}\n")
        raise SystemExit(2) from error
