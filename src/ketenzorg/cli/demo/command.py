"""`ketenzorg demo`: a region in miniature, from an empty database to a year and a half of referrals; then it serves."""

import asyncio
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import typer
import uvloop

from ketenzorg.app import tokens_of
from ketenzorg.cli.demo import summary as tell
from ketenzorg.cli.demo.cases import Period
from ketenzorg.cli.demo.chain_referrals import make_chain_cases
from ketenzorg.cli.demo.chain_story import ChainStory, set_out
from ketenzorg.cli.demo.chains import CHAINS
from ketenzorg.cli.demo.colleagues import divide
from ketenzorg.cli.demo.database import keep_pace
from ketenzorg.cli.demo.figures import tell_chains, tell_figures
from ketenzorg.cli.demo.folder import demo_folder
from ketenzorg.cli.demo.lines import TOKEN_LIFETIME, Exchange, Lines, NotAsExpected
from ketenzorg.cli.demo.referrals import make_cases
from ketenzorg.cli.demo.second import second_api
from ketenzorg.cli.demo.service import HOST, Service, listen_here, serving
from ketenzorg.cli.demo.story import Story
from ketenzorg.cli.demo.welzijn import PLAY as WELZIJN
from ketenzorg.cli.place import Place, place
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.errors import Issue
from ketenzorg.pages.people import load_people
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.content import read_content
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import Region
from ketenzorg.settings import (
    BASE_URL,
    DATA_DIR,
    DATABASE_URL,
    IN_A_HURRY,
    LOG_LEVEL,
    PATHWAYS,
    REGION,
    SANDBOX,
    SECRET_FILE,
    Settings,
)

PLAYS = (WELZIJN,)
PERIOD = Period(
    begins=datetime(2025, 5, 1, 8, tzinfo=AMSTERDAM), today=datetime(2026, 10, 30, 10, tzinfo=AMSTERDAM)
)
NOT_FOR_THE_DEMO = {DATABASE_URL.name, REGION.name, PATHWAYS.name}  # these it has of its own
CONNECTED_AFTER = date(2026, 7, 1)  # the month after which two systems hear of changes by themselves
SECOND_LOG = "second-api.log"
STOPPED_EARLY = 130  # what a shell expects after Ctrl-C


class World(NamedTuple):
    """Where it takes place."""

    region: Region
    catalogue: Catalogue


class Asked(NamedTuple):
    """What this demo is to be."""

    address: str
    started: float  # on the monotonic clock
    referrals: int
    once: bool


def demo(environ: Mapping[str, str], *, port: int, once: bool, referrals: int) -> int:
    """Make the region, let it live until today, tell; then serve, unless `once`. The exit code."""
    settings = Settings.from_environ(environ)
    started = time.monotonic()
    with listen_here(port) as listener, demo_folder(settings.data_dir) as folder:
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        tell.say(
            "ketenzorg-demo: een regio in het klein. Alle mensen, praktijken en coaches zijn verzonnen.\n"
        )
        tell.say(f"  Een eigen database maken in {folder} ...")
        # The secret is the one of `ketenzorg token`, so that its tokens work here too.
        own = {
            BASE_URL.name: address,
            **{name: value for name, value in environ.items() if name not in NOT_FOR_THE_DEMO},
            DATA_DIR.name: str(folder),
            SECRET_FILE.name: str(settings.secret_file),
            LOG_LEVEL.name: "error",
            SANDBOX.name: "yes",
            **IN_A_HURRY,
        }
        with place(own, embedded=True) as here, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_demo(here, own, listener, Asked(address, started, referrals, once)))


async def _demo(here: Place, own: Mapping[str, str], listener: socket.socket, asked: Asked) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    catalogue, region = read_content(here.settings.pathways, here.settings.region)
    async with serving(here, region, listener) as service:
        second = second_api(
            {**own, DATABASE_URL.name: here.database_url}, here.settings.data_dir / SECOND_LOG
        )
        story = asyncio.create_task(_story(here, World(region, catalogue), service, second, asked))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({story, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not story.done():
            story.cancel()
            with suppress(asyncio.CancelledError):
                await story
            tell.say("\nGestopt voor het verhaal uit was.")
            return STOPPED_EARLY
        try:
            story.result()
        except NotAsExpected as error:
            for issue in error.issues:
                typer.echo(
                    f"\nDe demo is gestopt, want er ging iets anders dan verwacht.\n{issue.nl}", err=True
                )
            return 1
        if not asked.once:
            tell.say("\nDe dienst draait. Stoppen: Ctrl-C. De volgende demo begint weer leeg.")
            await stop.wait()
            tell.say("\nGestopt.")
        stopping.cancel()
    return 0


async def _story(
    here: Place, world: World, service: Service, second_api: AbstractContextManager[int], asked: Asked
) -> None:
    region, catalogue = world
    await keep_pace(here)
    tokens = tokens_of(here.settings, here.secret)
    with second_api as second, Exchange((urlsplit(asked.address).port or 0, second)) as exchange:
        lines = Lines(exchange, tokens, region.code)
        cases = make_cases(region, catalogue, PLAYS, PERIOD, asked.referrals)
        beside = [
            case for chain in CHAINS for case in make_chain_cases(chain, region, catalogue, cases, PERIOD)
        ]
        chains = ChainStory(region, catalogue, lines, PERIOD.today, set_out(beside))
        story = Story(region, catalogue, {play.pathway: play for play in PLAYS}, PERIOD, cases, lines, chains)
        tell.tell_begin(asked.referrals, asked.address, once=asked.once)
        progress = tell.Progress(asked.referrals)

        async def after_month(month: date, sent: int, done: int) -> None:
            progress.tell_month(month, sent, done)
            if month == CONNECTED_AFTER:
                await service.connect()

        await story.play(after_month)
        await divide(story, load_people(here.settings.pathways, region), service.worklist)
        steps = await tell.steps_now(story)
        if not await service.all_delivered() or any(each.wrong for each in service.receivers.values()):
            raise _not_heard(service)
        clients = {name: lines.of_caller(caller_for(region, name)) for name in region.clients}
        tell.tell_steps(story, steps)
        await tell_figures(story, clients["ketenteam-demo"])
        await tell_chains(story)
        tell.tell_what_else(story, service.receivers)
        await tell.tell_story(story)
        await tell.tell_clients(clients)
    tell.say(f"\nKlaar in {time.monotonic() - asked.started:.0f} seconden.")
    if not asked.once:
        issued = {name: tokens.issue(caller_for(region, name), TOKEN_LIFETIME) for name in region.clients}
        tell.tell_how_to_try(asked.address, issued, here.settings.pathways)


def _not_heard(service: Service) -> NotAsExpected:
    wrong = sorted({reason for each in service.receivers.values() for reason in each.wrong})
    reasons = "; ".join(wrong) or "er wachten er nog"
    return NotAsExpected(
        Issue(
            nl=f"Niet elk bericht kwam goed aan: {reasons}.",
            en=f"Not every notification arrived well: {reasons}.",
        )
    )
