"""`ketenzorg client`: which systems may ask for tokens, for whom, how far and by which keys."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from ketenzorg.access.key_sets import KeySetUnusable, fetch
from ketenzorg.access.outgoing import Outgoing
from ketenzorg.access.public_keys import PublicKey, check_keys, usable_keys
from ketenzorg.access.scopes import read_scopes
from ketenzorg.cli.place import Place, place
from ketenzorg.errors import Conflict, Invalid, Issue, NotFound
from ketenzorg.pathway.content import read_content
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import URA
from ketenzorg.store.clients import Client, Clients, Validation
from ketenzorg.store.database import Database

_IN_DUTCH: dict[Validation, str] = {"strict": "streng", "liberal": "ruim"}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")


def add(
    environ: Mapping[str, str],
    name: str,
    uras: Sequence[str],
    scope: str,
    jwks: Path | None,
    jwks_url: str | None,
    *,
    validation: Validation = "strict",
    embedded: bool,
) -> None:
    """Register a system. Raises Invalid with what is wrong, or Conflict: a name belongs to one system for ever."""
    if not NAME.match(name):
        raise Invalid(
            Issue(
                nl="Een naam heeft kleine letters, cijfers, punten en streepjes, hoogstens 63.",
                en="A name has lower-case letters, digits, dots and hyphens, at most 63.",
            )
        )
    scopes = tuple(sorted(set(read_scopes(scope))))
    with place(environ, embedded=embedded, attach=embedded) as here:
        organisations = _organisations(_region(here), uras)
        asyncio.run(_add(here, name, organisations, scopes, jwks, jwks_url))
        if validation != "strict":
            asyncio.run(_judge(here, name, validation))
    typer.echo(f"{name} mag tokens vragen voor: {', '.join(each.name for each in organisations)}")


def rotate(
    environ: Mapping[str, str], name: str, jwks: Path | None, jwks_url: str | None, *, embedded: bool
) -> None:
    """Know a system by other keys from now on. Raises NotFound."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_rotate(here, name, jwks, jwks_url))
    typer.echo(f"{name} tekent voortaan met deze sleutels; de vorige tellen niet meer.")


def judge(environ: Mapping[str, str], name: str, validation: Validation, *, embedded: bool) -> None:
    """Be strict or liberal about what a system sends, from now on. Raises NotFound."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_judge(here, name, validation))
    typer.echo(f"Wat {name} stuurt, wordt binnen een seconde {_IN_DUTCH[validation]} nagekeken.")


def revoke(environ: Mapping[str, str], name: str, *, embedded: bool) -> None:
    """End a registration for good. Raises NotFound."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        asyncio.run(_revoke(here, name))
    typer.echo(f"{name} krijgt geen tokens meer; die er nog zijn, gelden binnen een seconde niet meer.")


def list_clients(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Print one client a line."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        region, clients = _region(here), asyncio.run(_all(here))
    for client in clients:
        typer.echo(_line(client, region))
    typer.echo(
        f"{sum(client.revoked is None for client in clients)} geregistreerd, {len(clients)} in totaal."
    )


async def _add(
    here: Place,
    name: str,
    organisations: Sequence[Organisation],
    scopes: tuple[str, ...],
    jwks: Path | None,
    jwks_url: str | None,
) -> None:
    keys = await _keys(here, jwks, jwks_url)
    async with _clients(here) as clients:
        ids = tuple(each.id for each in organisations)
        if not await clients.add(name, ids, scopes, jwks_url=jwks_url, jwks=keys):
            raise Conflict(
                Issue(
                    nl=f"{name} is of was al van een systeem; kies een andere naam, of: ketenzorg client rotate.",
                    en=f"{name} is or was a system's already; choose another name, or: ketenzorg client rotate.",
                )
            )


async def _rotate(here: Place, name: str, jwks: Path | None, jwks_url: str | None) -> None:
    keys = await _keys(here, jwks, jwks_url)
    async with _clients(here) as clients:
        if not await clients.replace_keys(name, jwks_url=jwks_url, jwks=keys):
            raise _not_registered(name)


async def _judge(here: Place, name: str, validation: Validation) -> None:
    async with _clients(here) as clients:
        if not await clients.judge(name, validation):
            raise _not_registered(name)


async def _revoke(here: Place, name: str) -> None:
    async with _clients(here) as clients:
        if not await clients.revoke(name):
            raise _not_registered(name)


async def _all(here: Place) -> list[Client]:
    async with _clients(here) as clients:
        return await clients.all()


@asynccontextmanager
async def _clients(here: Place) -> AsyncIterator[Clients]:
    database = Database(here.database_url)
    try:
        yield Clients(database, here.settings.region)
    finally:
        await database.close()


async def _keys(here: Place, jwks: Path | None, jwks_url: str | None) -> str | None:
    """The set of the file, checked; what is at an address is only looked at, so that a mistake shows now."""
    if (jwks is None) == (jwks_url is None):
        raise Invalid(Issue(nl="Geef --jwks of --jwks-url.", en="Give --jwks or --jwks-url."))
    raw = _from_file(jwks) if jwks else b""
    for key in check_keys(raw) if jwks else await _published(here, jwks_url or ""):
        typer.echo(f"  sleutel {key.kid}: {key.key_type}, {key.thumbprint()}")
    return raw.decode() if jwks else None


async def _published(here: Place, url: str) -> list[PublicKey]:
    outgoing = Outgoing(here.settings.outgoing_networks)
    outgoing.check(url)
    try:
        raw, _ = await fetch(outgoing, url)
        keys = usable_keys(raw)
    except (KeySetUnusable, ValueError) as error:
        keys, why = [], str(error)
    else:
        why = "no RSA key, and no EC key on P-384"
    if not keys:
        raise Invalid(
            Issue(
                nl=f"Op dit adres staat geen sleutelset waar we iets aan hebben ({why}).",
                en=f"There is no key set that we can use at this address ({why}).",
            )
        )
    return keys


def _from_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(Issue(nl=f"{path} kan niet worden gelezen.", en=f"{path} cannot be read.")) from error


def _organisations(region: Region, uras: Sequence[str]) -> list[Organisation]:
    found = [region.by_identifier(URA, ura) for ura in dict.fromkeys(uras)]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        raise NotFound(
            Issue(
                nl="Niet elk URA-nummer is van een organisatie in deze regio.",
                en=f"Not every URA is of an organisation of the region {region.code}.",
            )
        )
    return known


def _region(here: Place) -> Region:
    settings = here.settings
    return read_content(settings.pathways, settings.region).region


def _line(client: Client, region: Region) -> str:
    names = [found.name if (found := region.by_id(each)) else str(each) for each in client.organisations]
    ended = f"ingetrokken {client.revoked:%Y-%m-%d %H:%M}" if client.revoked else "geregistreerd"
    keys = client.jwks_url or f"sleutels sinds {client.keys_since:%Y-%m-%d}"
    judged = "liberal" if client.liberal else "strict"
    return "  ".join((client.id, ended, ", ".join(names), " ".join(client.scopes), judged, keys))


def _not_registered(name: str) -> NotFound:
    return NotFound(
        Issue(
            nl=f"{name} is niet geregistreerd; zie: ketenzorg client list.",
            en=f"{name} is not registered; see: ketenzorg client list.",
        )
    )
