"""Storing new referrals: one call of receive_referrals for all that wait."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.fhir.search_parameters import SearchRows
from ketenzorg.store.audit import Access
from ketenzorg.store.coalescer import Coalescer
from ketenzorg.store.data_keys import key_is_there
from ketenzorg.store.database import Database
from ketenzorg.store.doorbell import Doorbell
from ketenzorg.store.dues import Running


class SealedNumber(msgspec.Struct, frozen=True):
    """A personal number as the database keeps it."""

    token: UUID
    blind_index: bytes
    ciphertext: bytes
    key_id: str


class NewResource(msgspec.Struct, frozen=True):
    """A resource to store for the first time, who may see it, and by what it is found, and by whom."""

    type: str
    id: UUID
    parties: tuple[UUID, ...]
    body: bytes
    rows: SearchRows
    finders: Mapping[str, tuple[UUID, ...]]  # parameter -> parties


class NewReferral(msgspec.Struct, frozen=True, kw_only=True):
    """A referral with everything that is stored together with it."""

    organisation: UUID
    system: str
    value: str
    hash: str  # hex
    locations: tuple[str, ...]
    at: datetime
    traject: UUID
    pathway: str
    version: str
    step: str
    counts: dict[str, int]
    happened: dict[str, datetime]
    person: UUID
    pseudonym: UUID
    patient: UUID
    service_request: UUID
    care_plan: UUID
    task: UUID
    roles: dict[str, UUID]
    phases: dict[str, str]
    parties: tuple[UUID, ...]
    involved: tuple[UUID, ...] | None = None  # without who was only asked; none: all of them take part
    asides: dict[str, UUID] = {}  # the Tasks beside the one of the hand-over, by name
    consents: dict[UUID, UUID]  # organisation -> the Consent under which it takes part
    municipality: str
    dues: tuple[Running, ...]
    event_id: UUID
    event: str
    event_body: Any
    priority: str  # how soon others must hear of it
    access: Access
    knows: tuple[UUID, ...]  # who may know the personal numbers
    weighed: tuple[UUID, ...] = ()  # the patient's objections that were looked at


class Stored(msgspec.Struct, frozen=True):
    """What is stored under a referral's identifier: this one (`new`) or an earlier one.

    Nothing, without a hash, when the patient objected to something that was not weighed.
    """

    new: bool
    hash: bytes
    traject: UUID
    locations: tuple[str, ...]
    other_trajecten: tuple[UUID, ...]  # open ones of the same person and pathway, of the same organisation


class Package(msgspec.Struct, frozen=True):
    """A referral, its resources and the personal numbers in them."""

    referral: NewReferral
    resources: Sequence[NewResource]
    numbers: Sequence[SealedNumber]


CALL = (
    "select * from receive_referrals($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
    "$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)"
)


class Referrals:
    """Where new referrals are stored."""

    def __init__(self, database: Database, region: str, bell: Doorbell) -> None:
        self._database = database
        self._region = region
        self._bell = bell
        self._coalescer = Coalescer(self._store)

    async def receive(self, package: Package) -> Stored:
        """Store a referral, or tell what is stored under its identifier already; on disk when this returns."""
        return await self._coalescer.submit(package)

    async def _store(self, packages: Sequence[Package]) -> list[Stored]:
        with key_is_there():
            rows = await self._database.fetch(CALL, *arguments(self._region, packages))
        if any(row["told"] for row in rows):
            self._bell.ring()
        answers = {row["n"]: row for row in rows}
        return [_stored(answers[n]) if n in answers else HELD_BACK for n in range(len(packages))]


HELD_BACK = Stored(new=False, hash=b"", traject=UUID(int=0), locations=(), other_trajecten=())


def _stored(row: Any) -> Stored:
    return Stored(
        new=row["claimed"],
        hash=row["hash"],
        traject=row["traject"],
        locations=tuple(row["locations"]),
        other_trajecten=tuple(row["others"]),
    )


def arguments(region: str, packages: Sequence[Package]) -> tuple[Any, ...]:
    """The arguments of receive_referrals: what is one per referral as JSON, bodies and search rows as arrays."""
    callers = list({package.referral.organisation for package in packages})
    referrals = b",".join(
        b'{"n":%d,' % n + msgspec.json.encode(package.referral)[1:] for n, package in enumerate(packages)
    )
    resources = [(n, resource) for n, package in enumerate(packages) for resource in package.resources]
    audiences = _Places()
    tokens, references, dates = [], [], []
    for place, (_, resource) in enumerate(resources, 1):
        rows, finders = resource.rows, resource.finders
        tokens += [(place, audiences[finders[row.param]], *row) for row in rows.tokens if finders[row.param]]
        references += [
            (place, audiences[finders[row.param]], *row) for row in rows.references if finders[row.param]
        ]
        dates += [
            (place, audiences[finders[row.param]], row.param, *row.period)
            for row in rows.dates
            if finders[row.param]
        ]
    numbers = [
        (n, number.token, number.blind_index, number.key_id, number.ciphertext)
        for n, package in enumerate(packages)
        for number in package.numbers
    ]
    seen_by = [audiences[resource.parties] for _, resource in resources]
    return (
        region,
        callers,
        f"[{referrals.decode()}]",
        [id_array(parties) for parties in audiences],
        [n for n, _ in resources],
        [resource.type for _, resource in resources],
        [resource.id for _, resource in resources],
        seen_by,
        [resource.body for _, resource in resources],
        *columns(tokens, 5),
        *columns(references, 5),
        *columns(dates, 5),
        *columns(numbers, 5),
    )


class _Places(dict[tuple[UUID, ...], int]):
    """Where each of some sets of parties stands, from 1; those that come again share a place."""

    def __missing__(self, parties: tuple[UUID, ...]) -> int:
        self[parties] = place = len(self) + 1
        return place


def columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as the arrays that unnest takes; no rows are empty arrays."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


@lru_cache(maxsize=1024)  # the resources of a traject go to the same few parties
def id_array(ids: tuple[UUID, ...]) -> str:
    """A PostgreSQL array literal: arrays of arrays of different lengths do not exist."""
    return "{" + ",".join(map(str, ids)) + "}"
