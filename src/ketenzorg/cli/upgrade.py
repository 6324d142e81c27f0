"""`ketenzorg upgrade --check`: what would happen, said before anybody waits for it."""

import asyncio
from collections.abc import Mapping

import typer

from ketenzorg.errors import Issue
from ketenzorg.settings import ADMIN_DATABASE_URL, Settings, WrongSetting
from ketenzorg.store.embedded import EmbeddedPostgres
from ketenzorg.store.upgrading import Upgrade, look_ahead

GO_ON, LONG, STOP_FIRST = 0, 3, 4  # exit codes


def check(environ: Mapping[str, str], *, embedded: bool) -> int:
    """Print what `ketenzorg upgrade` would do; 0: processes may run on, 3: it may take long, 4: stop them first."""
    settings = Settings.from_environ(environ)
    if embedded:
        with EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin, attach=True) as server:
            found = asyncio.run(look_ahead(server.admin_url, settings.migrations))
    elif settings.admin_database_url is None:
        raise WrongSetting(
            Issue(
                nl=f"Hiervoor is {ADMIN_DATABASE_URL.name} nodig.",
                en=f"This needs {ADMIN_DATABASE_URL.name}.",
            )
        )
    else:
        found = asyncio.run(look_ahead(settings.admin_database_url, settings.migrations))
    return _tell(found)


def _tell(found: Upgrade) -> int:
    typer.echo(f"De database staat op {found.stands_at or 'niets: hij is nieuw'}.")
    for each in found.pending:
        typer.echo(f"  {each.revision}  {each.title}")
        for table, rows in each.large.items():
            typer.echo(f"        leest of schrijft mogelijk heel {table}: {rows} rijen")
        if each.takes:
            typer.echo("        neemt iets weg of maakt iets anders waar een lopend programma om kan vragen")
    for signature in found.functions or ():
        typer.echo(f"  functie verdwijnt of verandert van vorm: {signature}")
    if found.functions is None:
        typer.echo("  functies: pas te vergelijken als de tabellen er zijn")
    if not found.pending and not found.functions:
        typer.echo("Er is niets te doen; de functies worden opnieuw gemaakt.")
    if not found.others_go_on:
        typer.echo("Stop eerst alle processen van de versie die nu loopt.")
        return STOP_FIRST
    if not found.is_short:
        typer.echo("Lopende processen mogen doorgaan, maar verzoeken wachten; na 5 s is het antwoord 503.")
        return LONG
    typer.echo("Lopende processen mogen doorgaan; verzoeken wachten even.")
    return GO_ON
