"""The verbs of the command line; what a verb needs is imported when it runs, so that each starts at once."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ketenzorg.errors import KetenzorgError

CLIENT = Annotated[str, typer.Argument(help="Name of the client: its client_id.")]
JWKS = Annotated[Path | None, typer.Option(help="File with its public keys, a JWK Set.")]
JWKS_URL = Annotated[str | None, typer.Option(help="Where it publishes them itself; better than a file.")]
EMBEDDED = Annotated[
    bool, typer.Option("--embedded", help="Use the PostgreSQL that comes with the program: for a trial.")
]
PORT = Annotated[int, typer.Option(help="TCP port.")]

app = typer.Typer(
    help="Care pathways as state machines: FHIR R4 referrals in, the answer back, waiting times in sight.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
pathway = typer.Typer(help="Check and read the pathway files.", no_args_is_help=True)
outbox = typer.Typer(help="What has not been delivered yet, and sending it again.", no_args_is_help=True)
audit = typer.Typer(
    help="The audit log: whether it is as it was written, and what may go.", no_args_is_help=True
)
endpoint = typer.Typer(help="Where organisations want to hear of changes.", no_args_is_help=True)
keys = typer.Typer(help="The keys that seal personal numbers and secrets.", no_args_is_help=True)
client = typer.Typer(help="The systems that may ask for tokens.", no_args_is_help=True)
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


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: PORT = 8080,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes behind the one port.")] = 1,
    embedded: EMBEDDED = False,
) -> None:
    """Serve the API."""
    from ketenzorg.cli.serve import serve as run  # noqa: PLC0415

    run(os.environ, host=host, port=port, processes=processes, embedded=embedded)


@app.command()
def worker(*, embedded: EMBEDDED = False) -> None:
    """Deliver notifications, and tell of norms that run out, until stopped."""
    from ketenzorg.cli.work import work  # noqa: PLC0415

    work(os.environ, embedded=embedded)


@app.command()
def migrate(
    *,
    to: Annotated[str, typer.Option(help="head, base or a revision.")] = "head",
    embedded: EMBEDDED = False,
) -> None:
    """Bring the database to a revision: roles, tables, functions."""
    from ketenzorg.cli.place import migrate_place  # noqa: PLC0415

    migrate_place(os.environ, to=to, embedded=embedded)


@app.command()
def health(*, embedded: EMBEDDED = False) -> None:
    """Whether the database answers and keeps what it acknowledges; exit code 2 when not."""
    from ketenzorg.cli.health import health as run  # noqa: PLC0415

    run(os.environ, embedded=embedded)


@app.command()
def token(
    client: Annotated[str, typer.Argument(help="A client of the sandbox, e.g. his-demo.")],
    *,
    hours: Annotated[int, typer.Option(min=1, max=24 * 7, help="How long it is valid.")] = 8,
    port: Annotated[int, typer.Option(help="Port of the server on this machine that it is for.")] = 8080,
) -> None:
    """Print a bearer token for a client of the sandbox; it counts in a sandbox only, such as the demo."""
    from ketenzorg.cli.sandbox import token_for  # noqa: PLC0415

    typer.echo(token_for(os.environ, client, hours, port))


@app.command()
def demo(
    *,
    port: PORT = 8080,
    once: Annotated[bool, typer.Option("--once", help="End with a summary instead of serving.")] = False,
    referrals: Annotated[int, typer.Option(min=40, max=100_000, help="How many in 18 months.")] = 1500,
) -> None:
    """A region in miniature: its own database, 1,500 referrals over HTTP, coaches that act; then it serves."""
    from ketenzorg.cli.demo import demo as run  # noqa: PLC0415

    raise typer.Exit(run(os.environ, port=port, once=once, referrals=referrals))


@app.command()
def partner(
    kind: Annotated[str, typer.Argument(help="hospital, pharmacy, coach or eloc.")],
    *,
    behaviour: Annotated[str, typer.Option(help="good, slow, down, rejects or garbage.")] = "good",
    port: Annotated[int, typer.Option(help="Where it listens; its switch is one higher.")] = 9080,
    service_port: Annotated[int, typer.Option(help="Port of the sandbox on this machine.")] = 8080,
) -> None:
    """Play a partner of the sandbox: it hears of Tasks and works on them, well or badly; a switch changes how."""
    from ketenzorg.cli.partner import CLIENTS  # noqa: PLC0415
    from ketenzorg.cli.partner import partner as run  # noqa: PLC0415
    from ketenzorg.cli.partner_ear import Behaviour  # noqa: PLC0415

    if kind not in CLIENTS or behaviour not in list(Behaviour):
        choices = f"{', '.join(CLIENTS)}; behaviour: {', '.join(Behaviour)}"
        raise typer.BadParameter(f"kind: {choices}")
    run(os.environ, kind, Behaviour(behaviour), port, service_port)


@app.command()
def bench(
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="Per concurrency.")] = 10.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="API processes.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One object keyed by concurrency.")] = False,
) -> None:
    """Measure referrals per second over HTTP, and what the database alone could do with the same rows."""
    from ketenzorg.cli.bench import bench as run  # noqa: PLC0415

    raise typer.Exit(run(seconds=seconds, processes=processes, as_json=as_json))


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


@client.command("add")
def client_add(
    name: CLIENT,
    *,
    organisation: Annotated[list[str], typer.Option(help="URA for which it may speak; may be repeated.")],
    scope: Annotated[str, typer.Option(help="SMART v2 scopes, e.g. 'system/Task.rus'.")] = "system/*.cruds",
    jwks: JWKS = None,
    jwks_url: JWKS_URL = None,
    embedded: EMBEDDED = False,
) -> None:
    """Register a system with its public keys."""
    from ketenzorg.cli.clients import add  # noqa: PLC0415

    add(os.environ, name, organisation, scope, jwks, jwks_url, embedded=embedded)


@client.command("rotate")
def client_rotate(
    name: CLIENT, *, jwks: JWKS = None, jwks_url: JWKS_URL = None, embedded: EMBEDDED = False
) -> None:
    """Know a system by other keys from now on."""
    from ketenzorg.cli.clients import rotate  # noqa: PLC0415

    rotate(os.environ, name, jwks, jwks_url, embedded=embedded)


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
