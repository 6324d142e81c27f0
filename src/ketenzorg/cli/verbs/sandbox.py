"""Trying it out: `demo`, `token`, `partner`, `bench`, `crash`."""

import os
from typing import Annotated

import typer

from ketenzorg.cli.verbs.options import PORT

sandbox = typer.Typer()


@sandbox.command()
def demo(
    *,
    port: PORT = 8080,
    once: Annotated[bool, typer.Option("--once", help="End with a summary instead of serving.")] = False,
    referrals: Annotated[int, typer.Option(min=40, max=100_000, help="How many in 18 months.")] = 1500,
) -> None:
    """A region in miniature: its own database, 1,500 referrals over HTTP, coaches that act; then it serves."""
    from ketenzorg.cli.demo.command import demo as run  # noqa: PLC0415

    raise typer.Exit(run(os.environ, port=port, once=once, referrals=referrals))


@sandbox.command()
def token(
    client: Annotated[str, typer.Argument(help="A client of the sandbox, e.g. his-demo.")],
    *,
    hours: Annotated[int, typer.Option(min=1, max=24 * 7, help="How long it is valid.")] = 8,
    port: Annotated[int, typer.Option(help="Port of the server on this machine that it is for.")] = 8080,
) -> None:
    """Print a bearer token for a client of the sandbox; it counts in a sandbox only, such as the demo."""
    from ketenzorg.cli.sandbox import token_for  # noqa: PLC0415

    typer.echo(token_for(os.environ, client, hours, port))


@sandbox.command()
def partner(
    kind: Annotated[str, typer.Argument(help="hospital, pharmacy, coach or eloc.")],
    *,
    behaviour: Annotated[str, typer.Option(help="good, slow, down, rejects or garbage.")] = "good",
    port: Annotated[int, typer.Option(help="Where it listens; its switch is one higher.")] = 9080,
    service_port: Annotated[int, typer.Option(help="Port of the sandbox on this machine.")] = 8080,
) -> None:
    """Play a partner of the sandbox: it hears of Tasks and works on them, well or badly; a switch changes how."""
    from ketenzorg.cli.partner.command import CLIENTS  # noqa: PLC0415
    from ketenzorg.cli.partner.command import partner as run  # noqa: PLC0415
    from ketenzorg.cli.partner.ear import Behaviour  # noqa: PLC0415

    if kind not in CLIENTS or behaviour not in list(Behaviour):
        choices = f"{', '.join(CLIENTS)}; behaviour: {', '.join(Behaviour)}"
        raise typer.BadParameter(f"kind: {choices}")
    run(os.environ, kind, Behaviour(behaviour), port, service_port)


@sandbox.command()
def bench(
    *,
    seconds: Annotated[float, typer.Option(min=0.5, help="Per concurrency.")] = 10.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="API processes.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One object keyed by concurrency.")] = False,
) -> None:
    """Measure referrals per second over HTTP, and what the database alone could do with the same rows."""
    from ketenzorg.cli.bench.command import bench as run  # noqa: PLC0415

    raise typer.Exit(run(seconds=seconds, processes=processes, as_json=as_json))


@sandbox.command()
def crash(
    *,
    seconds: Annotated[float, typer.Option(min=5, help="How long it is killed.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of the schedule.")] = 1,
) -> None:
    """Kill API, workers and database while they work, and check that nothing was lost; exit code 1 when it was."""
    from ketenzorg.cli.crash.command import crash as run  # noqa: PLC0415

    raise typer.Exit(run(seconds=seconds, seed=seed))
