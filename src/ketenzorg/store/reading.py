"""Reading one resource, on record before it is answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access
from ketenzorg.store.coalescer import Coalescer
from ketenzorg.store.data_keys import Sealed
from ketenzorg.store.database import Database


class Found(msgspec.Struct, frozen=True):
    """A resource, and what decides how much of it the caller sees."""

    type: str
    id: UUID
    version: int
    updated: datetime
    body: bytes
    pathway: str
    pathway_version: str
    standing: Standing
    involved: frozenset[UUID]  # who takes part now


def standing_of(step: str, roles: Mapping[str, str], phases: Mapping[str, str]) -> Standing:
    """A traject's columns as what decides who sees what of it."""
    return Standing(step, msgspec.convert(roles, dict[str, UUID]), phases)


class _Wanted(NamedTuple):
    """One resource that somebody asks for."""

    kind: str
    id: UUID
    version: int | None
    access: Access


class Reading:
    """Where stored resources are read."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region
        self._coalescer = Coalescer(self._read)

    async def one(self, kind: str, id_: UUID, version: int | None, access: Access) -> Found | None:
        """One resource, in its latest version or the one named; None when it is not there or not for the asker."""
        return await self._coalescer.submit(_Wanted(kind, id_, version, access))

    async def _read(self, wanted: Sequence[_Wanted]) -> list[Found | None]:
        """Each for its own asker, on record together."""
        rows = await self._database.fetch(
            "select * from read_resources($1, $2, $3, $4, $5, $6)",
            self._region,
            [each.access.organisation for each in wanted],
            [each.kind for each in wanted],
            [each.id for each in wanted],
            [each.version for each in wanted],
            msgspec.json.encode([each.access for each in wanted]).decode(),
        )
        found = {row["n"]: _found(wanted[row["n"] - 1], row) for row in rows}
        return [found.get(n) for n in range(1, len(wanted) + 1)]

    async def numbers(self, tokens: Sequence[UUID], organisation: UUID) -> dict[UUID, Sealed]:
        """The personal numbers behind tokens, of those that the organisation may know."""
        rows = await self._database.fetch(
            "select token, key_id, ciphertext from personal_numbers($1, $2, $3)",
            self._region,
            [organisation],
            list(tokens),
        )
        return {row["token"]: Sealed(row["key_id"], row["ciphertext"]) for row in rows}


def _found(wanted: _Wanted, row: Any) -> Found:
    return Found(
        wanted.kind,
        wanted.id,
        row["version"],
        row["updated"],
        row["body"],
        row["pathway"],
        row["pathway_version"],
        standing_of(row["step"], row["roles"], row["phases"]),
        frozenset(row["involved"]),
    )
