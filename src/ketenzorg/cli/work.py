"""`ketenzorg worker`, `outbox` and `endpoint`: sending what changed, and what people see and do about it."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import httpx
import typer

from ketenzorg.access.outgoing import Outgoing
from ketenzorg.app import keyring_of, real_time
from ketenzorg.cli.place import Place, place
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.signing import in_text, new_secret
from ketenzorg.delivery.worker import Worker
from ketenzorg.errors import Invalid, Issue, NotFound, Unavailable
from ketenzorg.logs import STARTED, STOPPED, WORKER_STUMBLED, configure, log
from ketenzorg.pathway.load import load
from ketenzorg.pathway.region import Region, load_region
from ketenzorg.pathway.region_file import URA
from ketenzorg.settings import Settings
from ketenzorg.store.database import Database
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Outbox, Undelivered
from ketenzorg.throughput.rollup import Rollup

COUNT_EVERY_S = 5.0  # seconds between two looks at the event log
PIECES = 5  # of events in one look


def work(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Deliver until SIGTERM or SIGINT."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        configure(here.settings.log_level)
        asyncio.run(_work(here))


def list_outbox(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Print what has not arrived, one message a line."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        region = _region(here.settings)
        messages = asyncio.run(_state(here))
    for message in messages:
        typer.echo(_line(message, region))
    parked = sum(message.state == "parked" for message in messages)
    typer.echo(f"{len(messages) - parked} wachten, {parked} geparkeerd.")


def release(environ: Mapping[str, str], message: str, *, embedded: bool) -> None:
    """Send a parked message again. Raises NotFound when it is not there or not parked."""
    id_ = _message_id(message)
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_release(here, id_))
    typer.echo(f"{id_} wordt opnieuw verstuurd, en daarna wat op dezelfde Task wachtte.")


def set_endpoint(environ: Mapping[str, str], organisation_ura: str, url: str, *, embedded: bool) -> None:
    """Register where an organisation hears of changes, with a new secret that is shown this once."""
    secret = new_secret()
    with place(environ, embedded=embedded, attach=embedded) as here:
        Outgoing(here.settings.outgoing_networks).check(url)
        organisation = _region(here.settings).by_identifier(URA, organisation_ura)
        if organisation is None:
            raise NotFound(
                Issue(
                    nl="Geen organisatie in deze regio heeft dit URA-nummer.",
                    en=f"No organisation of the region {here.settings.region} has this URA.",
                )
            )
        asyncio.run(_set_endpoint(here, organisation.id, url, secret))
    typer.echo(f"{organisation.name} hoort voortaan van wijzigingen op {url}")
    typer.echo("Het geheim waarmee wij ondertekenen (https://www.standardwebhooks.com), alleen nu te zien:")
    typer.echo(in_text(secret))


def worker_at(here: Place, database: Database, client: httpx.AsyncClient) -> Worker:
    """Who sends what stands in the outbox of a database."""
    return Worker(
        outbox=Outbox(database, here.settings.region),
        keyring=keyring_of(here.settings, here.secret, database),
        client=client,
        fhir_base=f"{here.settings.base_url}/fhir",
        now=real_time,
        chance=random.random,
        new_id=uuid7,
    )


async def _work(here: Place) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        _database(here) as database,
        new_client(Outgoing(here.settings.outgoing_networks)) as client,
    ):
        worker = worker_at(here, database, client)
        log(STARTED, what="worker")
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop))
            group.create_task(_count(here, stop))
    log(STOPPED, what="worker")


async def _count(here: Place, stop: asyncio.Event) -> None:
    """Keep the throughput current; what a page still misses it folds itself."""
    async with _database(here) as database:
        rollup = Rollup(database, here.settings.region, load(here.settings.pathways))
        while not stop.is_set():
            try:
                await rollup.fold_until_current(PIECES)
            except Unavailable:
                log(WORKER_STUMBLED, error="throughput: no database")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), COUNT_EVERY_S)


@asynccontextmanager
async def _database(here: Place) -> AsyncIterator[Database]:
    database = Database(here.database_url)
    try:
        yield database
    finally:
        await database.close()


async def _state(here: Place) -> list[Undelivered]:
    async with _database(here) as database:
        return await Outbox(database, here.settings.region).state()


async def _release(here: Place, message: UUID) -> None:
    async with _database(here) as database:
        if not await Outbox(database, here.settings.region).release(message):
            raise NotFound(
                Issue(
                    nl="Geen geparkeerd bericht heeft dit id; zie: ketenzorg outbox list.",
                    en="No parked message has this id; see: ketenzorg outbox list.",
                )
            )


async def _set_endpoint(here: Place, organisation: UUID, url: str, secret: bytes) -> None:
    async with _database(here) as database:
        keyring = keyring_of(here.settings, here.secret, database)
        sealed = await keyring.seal(secret, "endpoint", organisation)
        await Outbox(database, here.settings.region).set_endpoint(organisation, url, sealed)


def _region(settings: Settings) -> Region:
    return load_region(settings.pathways, settings.region, load(settings.pathways))


def _message_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            Issue(nl="Een bericht heeft een uuid als id.", en="The id of a message is a uuid.", code="value")
        ) from None


def _line(message: Undelivered, region: Region) -> str:
    organisation = region.by_id(message.receiver)
    when = message.run_at.isoformat(timespec="seconds") if message.state == "waiting" else "geparkeerd"
    return "  ".join(
        (
            str(message.id),
            organisation.name if organisation else str(message.receiver),
            f"Task/{message.task}/_history/{message.task_version}",
            f"pogingen {message.attempts}",
            message.last_error or "nog niet geprobeerd",
            when,
        )
    )
