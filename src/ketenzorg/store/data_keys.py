"""The data keys of a region as they rest, and moving what an older one sealed to the newest."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.store.database import Database

Kind = Literal["personal_number", "endpoint"]  # the tables that hold something sealed


class WrappedKey(msgspec.Struct, frozen=True):
    """A data key that only the key-encryption key `kek` can unwrap."""

    id: str
    kek: str
    wrapped: bytes
    created: datetime


class Sealed(msgspec.Struct, frozen=True):
    """What a data key sealed."""

    key_id: str
    ciphertext: bytes


class SealedRow(msgspec.Struct, frozen=True):
    """The same, with the row that it belongs to."""

    id: UUID
    key_id: str
    ciphertext: bytes


class Uses(msgspec.Struct, frozen=True):
    """How many rows of a table a key seals."""

    kind: Kind
    id: str
    uses: int


class KeyGone(Unavailable):
    """Something was sealed with a data key that was destroyed meanwhile; nothing was stored."""


@contextmanager
def key_is_there() -> Iterator[None]:
    """Around a write of something sealed: insist_on_data_keys() lets nothing in that nobody could open."""
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        raise KeyGone(
            Issue(
                nl="De sleutels zijn net vernieuwd. Er is niets opgeslagen; stuur hetzelfde over een minuut nog eens.",
                en="The keys were just renewed. Nothing was stored; send the same again in a minute.",
            ),
            headers={"Retry-After": "60"},
        ) from error


class DataKeys:
    """Where the data keys of one region are kept."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def all(self) -> list[WrappedKey]:
        """The newest first."""
        rows = await self._database.fetch("select * from data_keys($1)", self._region)
        return [WrappedKey(**row) for row in rows]

    async def add(self, id_: str, kek: str, wrapped: bytes, *, first: bool) -> None:
        """A new key, which is the newest from now on; `first`: only where there is none."""
        await self._database.fetch(
            "select add_data_key($1, $2, $3, $4, $5)", self._region, id_, kek, wrapped, first
        )

    async def rewrap(self, key: WrappedKey, kek: str, wrapped: bytes) -> bool:
        """Keep a key under another key-encryption key. False: somebody was first."""
        rows = await self._database.fetch(
            "select rewrap_data_key($1, $2, $3, $4, $5) as done",
            self._region,
            key.id,
            key.kek,
            kek,
            wrapped,
        )
        return bool(rows[0]["done"])

    async def uses(self) -> list[Uses]:
        """How much each key seals; a key that seals nothing is not listed."""
        rows = await self._database.fetch("select * from data_key_uses($1)", self._region)
        return [Uses(**row) for row in rows]

    async def sealed_otherwise(self, kind: Kind, newest: str, after: UUID, limit: int) -> list[SealedRow]:
        """Rows behind `after` that another key than the newest sealed, in the order of their ids."""
        rows = await self._database.fetch(
            "select * from sealed_otherwise($1, $2, $3, $4, $5)", self._region, kind, newest, after, limit
        )
        return [SealedRow(**row) for row in rows]

    async def seal_again(
        self, kind: Kind, newest: str, old: Sequence[SealedRow], ciphertexts: Sequence[bytes]
    ) -> int:
        """Put what was sealed again in its place; how many rows had not changed meanwhile."""
        with key_is_there():
            rows = await self._database.fetch(
                "select seal_again($1, $2, $3, $4, $5, $6) as changed",
                self._region,
                kind,
                newest,
                [row.id for row in old],
                [row.ciphertext for row in old],
                list(ciphertexts),
            )
        return int(rows[0]["changed"])

    async def destroy(self, id_: str) -> bool:
        """Forget a key. False: it seals something, is the newest, or is not there."""
        rows = await self._database.fetch("select destroy_data_key($1, $2) as done", self._region, id_)
        return bool(rows[0]["done"])
