"""`ketenzorg outbox` and `endpoint`: what people see of delivery, and do about it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import typer

from ketenzorg.access.outgoing import Outgoing
from ketenzorg.access.signing import in_text, new_secret
from ketenzorg.app import real_time, world_of
from ketenzorg.cli.operator import by_operator
from ketenzorg.cli.place import Place, place
from ketenzorg.coordination.hearing.subscribing import set_endpoint as set_endpoint_of
from ketenzorg.errors import Invalid, Issue, NotFound
from ketenzorg.pathway.content import read_content
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import URA
from ketenzorg.settings import Settings
from ketenzorg.store.audit import Access, Interaction
from ketenzorg.store.database import Database
from ketenzorg.store.outbox import Outbox, Undelivered

WAITS = {
    "new": "nieuw",
    "waiting": "om ",
    "queued": "wacht op een eerder bericht",
    "parked": "geparkeerd",
    "withdrawn": "toestemming ingetrokken: wordt niet verstuurd",
}


def list_outbox(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Print what has not arrived, one event a line."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        region = _region(here.settings)
        undelivered = asyncio.run(_state(here))
    for each in undelivered:
        typer.echo(_line(each, region))
    parked, withdrawn = (
        sum(each.state == state for each in undelivered) for state in ("parked", "withdrawn")
    )
    typer.echo(f"{len(undelivered) - parked - withdrawn} wachten, {parked} geparkeerd.")


def release(environ: Mapping[str, str], event: str, *, embedded: bool) -> None:
    """Send a parked event again. Raises NotFound when it is not there or not parked."""
    id_ = _event_id(event)
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_release(here, id_))
    typer.echo(f"{id_} wordt opnieuw verstuurd, en daarna wat erachter wachtte.")


def set_endpoint(environ: Mapping[str, str], organisation_ura: str, url: str, *, embedded: bool) -> None:
    """Register where an organisation hears of changes, with a new secret that is shown this once."""
    secret = new_secret()
    with place(environ, embedded=embedded, attach=embedded) as here:
        Outgoing(here.settings.outgoing_networks).check(url)
        organisation = _organisation(organisation_ura, here.settings)
        asyncio.run(_set_endpoint(here, organisation.id, url, secret))
    typer.echo(
        f"{organisation.name} hoort voortaan van wijzigingen op {url}, zodra dat adres heeft geantwoord."
    )
    typer.echo("Het geheim waarmee wij ondertekenen (https://www.standardwebhooks.com), alleen nu te zien:")
    typer.echo(in_text(secret))


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


async def _release(here: Place, event: UUID) -> None:
    async with _database(here) as database:
        outbox = Outbox(database, here.settings.region)
        if not await outbox.release(event, _on_record("resend"), now=real_time()):
            raise NotFound(
                Issue(
                    nl="Geen geparkeerd bericht heeft dit id; zie: ketenzorg outbox list.",
                    en="No parked event has this id; see: ketenzorg outbox list.",
                )
            )


async def _set_endpoint(here: Place, organisation: UUID, url: str, secret: bytes) -> None:
    async with _database(here) as database:
        world = world_of(here.settings, here.secret, database, real_time)
        await set_endpoint_of(organisation, url, secret, _on_record, world)


def _on_record(interaction: Interaction) -> Access:
    return by_operator(interaction, "ketenzorg endpoint, outbox", "keeps-the-service")


def _organisation(ura: str, settings: Settings) -> Organisation:
    organisation = _region(settings).by_identifier(URA, ura)
    if organisation is None:
        raise NotFound(
            Issue(
                nl="Geen organisatie in deze regio heeft dit URA-nummer.",
                en=f"No organisation of the region {settings.region} has this URA.",
            )
        )
    return organisation


def _region(settings: Settings) -> Region:
    return read_content(settings.pathways, settings.region).region


def _event_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            Issue(nl="Een bericht heeft een uuid als id.", en="The id of an event is a uuid.", code="value")
        ) from None


def _line(event: Undelivered, region: Region) -> str:
    organisation = region.by_id(event.receiver)
    when = event.run_at.isoformat(timespec="seconds") if event.state == "waiting" and event.run_at else ""
    return "  ".join(
        (
            str(event.id),
            organisation.name if organisation else str(event.receiver),
            f"{event.type}/{event.resource}/_history/{event.version}",
            f"pogingen {event.attempts}",
            event.last_error or "nog niet geprobeerd",
            WAITS[event.state] + when,
        )
    )
