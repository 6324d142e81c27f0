"""`ketenzorg worker`: sends what changed, looks at the clock, and keeps the throughput current."""

import asyncio
import random
import signal
from collections.abc import Mapping
from contextlib import suppress

import httpx
import uvloop

from ketenzorg.access.audit_chaining import Chainer
from ketenzorg.access.audit_seal import Seal
from ketenzorg.access.keys import Keys
from ketenzorg.access.outgoing import Outgoing
from ketenzorg.app import real_time, world_of
from ketenzorg.cli.place import Place, place
from ketenzorg.cli.scraping import Spot, expose
from ketenzorg.coordination.steps.watching import Watcher
from ketenzorg.coordination.world import World
from ketenzorg.delivery.forgetting import Forgetter
from ketenzorg.delivery.mail_carrier import MailCarrier
from ketenzorg.delivery.mailing import Mailer
from ketenzorg.delivery.measuring import keep_measured
from ketenzorg.delivery.rest_hook import RestHook
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.serving import Tools
from ketenzorg.delivery.warning import Warner
from ketenzorg.delivery.worker import Worker
from ketenzorg.errors import Unavailable
from ketenzorg.logs import STARTED, STOPPED, WORKER_STUMBLED, configure, log
from ketenzorg.settings import Settings
from ketenzorg.store.audit_chain import AuditChain
from ketenzorg.store.database import Database
from ketenzorg.store.doorbell import hear
from ketenzorg.store.lags import Lags
from ketenzorg.store.outbox import Outbox
from ketenzorg.store.warnings import Warnings
from ketenzorg.throughput.rollup import Rollup

COUNT_EVERY_S = 5.0  # seconds between two looks at the event log
PIECES = 5  # of events in one look
CHAIN_EVERY_S = 5.0  # so long a line of the audit log may stand unchained


def work(environ: Mapping[str, str], *, embedded: bool, metrics: Spot | None) -> None:
    """Deliver until SIGTERM or SIGINT."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        configure(here.settings.log_level)
        if metrics:
            expose(metrics)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(here))


async def deliver(
    here: Place, world: World, database: Database, outgoing: Outgoing, stop: asyncio.Event
) -> None:
    """Send what stands in the outbox of a database, until `stop`."""
    bell = asyncio.Event()
    async with new_client(outgoing) as client:
        worker = Worker(_tools(here.settings, world, database, client), bell)
        ear = asyncio.create_task(hear(here.database_url, here.settings.region, bell.set))
        try:
            await worker.run(stop)
        finally:
            ear.cancel()
            await asyncio.gather(ear, return_exceptions=True)


def _tools(settings: Settings, world: World, database: Database, client: httpx.AsyncClient) -> Tools:
    return Tools(
        outbox=Outbox(database, settings.region),
        world=world,
        carriers={
            "rest-hook": RestHook(client, world.keyring, f"{settings.base_url}/fhir"),
            "email": MailCarrier(_mailer(settings), world.region, settings.base_url),
        },
        now=world.real_now,
        chance=random.random,
    )


def _mailer(settings: Settings) -> Mailer:
    return Mailer(settings.mail_server, settings.mail_from)


def _warner(settings: Settings, world: World, database: Database) -> Warner:
    warnings = Warnings(database, settings.region)
    return Warner(warnings, _mailer(settings), settings.mail_operator, settings.base_url, world)


async def _work(here: Place) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database, settings = Database(here.database_url), here.settings
    try:
        world = world_of(settings, here.secret, database, real_time)
        log(STARTED, what="worker")
        async with asyncio.TaskGroup() as group:
            group.create_task(deliver(here, world, database, world.outgoing, stop))
            group.create_task(_warner(settings, world, database).run(stop))
            group.create_task(Forgetter(world, settings.event_days).run(stop))
            group.create_task(_count(world, database, stop))
            group.create_task(keep_chained(here, database, stop))
            group.create_task(keep_measured(Lags(database, settings.region), real_time, stop))
            if not settings.sandbox:  # its clock is moved, and looked at, in the API
                group.create_task(Watcher(world).run(stop))
    finally:
        await database.close()
    log(STOPPED, what="worker")


async def _count(world: World, database: Database, stop: asyncio.Event) -> None:
    """Keep the throughput current; what a page still misses it folds itself."""
    rollup = Rollup(database, world.region.code, world.catalogue)
    while not stop.is_set():
        try:
            await rollup.fold_until_current(PIECES)
        except Unavailable:
            log(WORKER_STUMBLED, error="throughput: no database")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), COUNT_EVERY_S)


async def keep_chained(here: Place, database: Database, stop: asyncio.Event) -> None:
    """Put the lines of the audit log in their chain, soon after they were written."""
    chain = AuditChain(database, here.settings.region)
    chainer = Chainer(chain, Seal(Keys.derive(here.secret).log), real_time)
    while not stop.is_set():
        try:
            await chainer.chain_until_current()
        except Unavailable:
            log(WORKER_STUMBLED, error="audit: no database")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHAIN_EVERY_S)
