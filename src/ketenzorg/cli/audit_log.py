"""`ketenzorg audit`: whether the log is as it was written, a head to hand out, and what may go. On record itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import typer

from ketenzorg.access.audit_check import Finding, Walk
from ketenzorg.access.audit_purge import purge as purge_log
from ketenzorg.access.audit_review import Did, Notable, notable
from ketenzorg.access.audit_seal import Seal, is_signed, statement
from ketenzorg.access.keys import Keys
from ketenzorg.app import real_time
from ketenzorg.cli.operator import by_operator
from ketenzorg.cli.place import Place, place
from ketenzorg.errors import Invalid, Issue, NotFound
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.content import read_content
from ketenzorg.store.audit import Access, AuditLog, Interaction
from ketenzorg.store.audit_chain import START, AuditChain, Head
from ketenzorg.store.audit_chain import Place as Spot
from ketenzorg.store.database import Database

SHOWN = 100  # findings; of more only how many
WAITING = 1_000  # lines that are not chained yet are counted as far as this
WORDS = {
    "changed": "is veranderd",
    "removed": "is verwijderd",
    "put in": "is ertussen gezet",
    "hidden": "is niet meer te vinden bij de patiënt",
}


class Handed(msgspec.Struct, frozen=True):
    """A head as it leaves the house: whoever keeps it can show later that the log was not shortened."""

    region: str
    lines: int
    hash: str
    at: datetime
    last: UUID
    statement: str  # what was signed
    signature: str
    public_key: str  # Ed25519, hex


@dataclass(frozen=True)
class Log:
    """The log of a place, and by what it is sealed."""

    log: AuditLog
    chain: AuditChain
    seal: Seal


def verify(environ: Mapping[str, str], head: Path | None, *, embedded: bool) -> int:
    """Print what is wrong with the log; 1 when anything is."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        return asyncio.run(_verify(here, head))


def head(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Print the last signed head. Raises NotFound when nothing was chained yet."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        typer.echo(msgspec.json.format(msgspec.json.encode(asyncio.run(_head(here)))).decode())


def purge(environ: Mapping[str, str], before: datetime, *, embedded: bool) -> None:
    """Take away what is older; how much that was stands in the log."""
    with place(environ, embedded=embedded, attach=embedded) as here:
        gone = asyncio.run(_purge(here, before.replace(tzinfo=UTC)))
    typer.echo(f"{gone} regels verwijderd. De keten is vanaf daar te controleren: ketenzorg audit verify")


def review(environ: Mapping[str, str], week: str, *, embedded: bool) -> None:
    """Print what stands out in a week; that somebody looked is on record too."""
    start = monday_of(week)
    with place(environ, embedded=embedded, attach=embedded) as here:
        found = asyncio.run(_review(here, start))
        names = {
            each.id: each.name
            for each in read_content(here.settings.pathways, here.settings.region).region.organisations
        }
    for each in found:
        house = names.get(each.did.organisation, "de dienst zelf")
        typer.echo(f"{house}: {each.did.who} {each.why}.")
    typer.echo(
        f"Week {week}: {len(found)} dingen om naar te vragen. Een bevinding is een vraag, geen oordeel."
    )


def monday_of(week: str) -> datetime:
    """The first instant of an ISO week of Amsterdam, like 2026-W09. Raises Invalid."""
    try:
        return datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=AMSTERDAM)
    except ValueError:
        raise Invalid(
            Issue(nl="Een week is van de vorm 2026-W09.", en="A week has the form 2026-W09.", code="value")
        ) from None


async def _review(here: Place, start: datetime) -> list[Notable]:
    async with log_of(here) as log:
        rows = await log.log.did(start, start + timedelta(days=7))
        week = f"{start:%Y-%m-%d}"
        await log.log.note(_on_record("log-search"), f"AuditEvent?date=ge{week}")
    return notable(msgspec.convert(rows, list[Did]))


async def _verify(here: Place, handed_out: Path | None) -> int:
    async with log_of(here) as log:
        walk = Walk(log.chain, log.seal, _read(handed_out, log.seal) if handed_out else None)
        wrong = 0
        async for finding in walk.findings():
            wrong += 1
            if wrong <= SHOWN:
                typer.echo(in_words(finding))
        last = await log.chain.head()
        waiting = len(await log.chain.lines(last.place if last else START, WAITING))
    until = f", tot {walk.until:%d-%m-%Y %H.%M.%S} UTC" if walk.until else ""
    if wrong:
        typer.echo(f"NIET in orde: {wrong} bevindingen in {walk.lines} regels{until}.")
    else:
        typer.echo(f"in orde: {walk.lines} regels{until}.")
    if waiting:
        typer.echo(f"{waiting} regels staan nog niet in de keten; dat doet ketenzorg worker.")
    return 1 if wrong else 0


async def _head(here: Place) -> Handed:
    async with log_of(here) as log:
        last = await log.chain.head()
    if last is None:
        raise NotFound(
            Issue(
                nl="Er staat nog niets in de keten. Die maakt: ketenzorg worker.",
                en="Nothing was chained yet; ketenzorg worker does that.",
            )
        )
    return Handed(
        region=last.region,
        lines=last.n,
        hash=last.hash.hex(),
        at=last.at,
        last=last.place.id,
        statement=statement(last.kind, last.region, last.n, last.hash, last.at).decode(),
        signature=last.signature.hex(),
        public_key=log.seal.public.hex(),
    )


async def _purge(here: Place, before: datetime) -> int:
    years = here.settings.audit_years
    async with log_of(here) as log:
        gone = await purge_log(log.chain, log.seal, before, years=years, now=real_time())
        await log.log.note(_on_record("purge"), f"AuditEvent?date=lt{before:%Y-%m-%d}")
    return gone


@asynccontextmanager
async def log_of(here: Place) -> AsyncIterator[Log]:
    """The log of a place, on a pool of its own."""
    database = Database(here.database_url)
    region = here.settings.region
    try:
        yield Log(
            AuditLog(database, region), AuditChain(database, region), Seal(Keys.derive(here.secret).log)
        )
    finally:
        await database.close()


def _on_record(interaction: Interaction) -> Access:
    return by_operator(interaction, "ketenzorg audit", "keeps-the-log")


def in_words(finding: Finding) -> str:
    """A finding as a sentence that names the line."""
    when = f"{finding.at:%d-%m-%Y %H.%M.%S} UTC" if finding.at else ""
    if finding.what in WORDS:
        return f"regel {finding.id} (verzoek {finding.request}, {when}) {WORDS[finding.what]}"
    if finding.what == "links gone":
        return f"de schakels {finding.first} tot en met {finding.last} ontbreken"
    if finding.what == "cut off":
        return (
            f"het einde ontbreekt: de regels {finding.first} tot en met {finding.last}, "
            f"waarvan de laatste ({finding.id}) op {when} is ondertekend"
        )
    signed = f"wat op {when} voor de eerste {finding.last} regels is ondertekend,"
    if finding.what == "other key":
        return f"{signed} is met een andere sleutel gedaan"
    return f"{signed} klopt niet met wat er nu staat"


def _read(path: Path, seal: Seal) -> Head:
    """A head that was handed out. Raises Invalid for one that we did not sign."""
    wrong = Invalid(
        Issue(nl=f"{path} is geen door ons ondertekend hoofd.", en=f"{path} holds no head that we signed.")
    )
    try:
        handed = msgspec.json.decode(path.read_bytes(), type=Handed)
        head = Head(
            region=handed.region,
            n=handed.lines,
            kind="head",
            place=Spot(0, handed.last),
            hash=bytes.fromhex(handed.hash),
            at=handed.at,
            key=seal.key,
            signature=bytes.fromhex(handed.signature),
        )
    except (OSError, ValueError) as error:
        raise wrong from error
    said = statement(head.kind, head.region, head.n, head.hash, head.at)
    if not is_signed(said, head.signature, seal.public):
        raise wrong
    return head
