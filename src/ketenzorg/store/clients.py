"""The systems that may ask for tokens, as they are registered, and the assertions that they have used."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from ketenzorg.store.database import Database

Validation = Literal["strict", "liberal"]


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A registered system: for whom it may speak, how far, and by which keys we know it."""

    id: str
    organisations: tuple[UUID, ...]
    scopes: tuple[str, ...]
    jwks_url: str | None
    jwks: str | None
    added: datetime
    keys_since: datetime
    revoked: datetime | None
    liberal: bool = False  # what breaks a rule that nothing depends on is kept, with a warning


class Clients:
    """The clients of one region."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def epoch(self) -> int:
        """A number that grows with each change."""
        rows = await self._database.fetch("select current_client_epoch($1) as epoch", self._region)
        return int(rows[0]["epoch"])

    async def all(self) -> list[Client]:
        """Everybody who is or was registered."""
        rows = await self._database.fetch("select * from registered_clients($1)", self._region)
        found = await self._database.fetch("select liberal_clients($1) as id", self._region)
        liberal = {row["id"] for row in found}
        return [
            Client(
                **{**row, "organisations": tuple(row["organisations"]), "scopes": tuple(row["scopes"])},
                liberal=row["id"] in liberal,
            )
            for row in map(dict, rows)
        ]

    async def add(
        self,
        id_: str,
        organisations: tuple[UUID, ...],
        scopes: tuple[str, ...],
        *,
        jwks_url: str | None,
        jwks: str | None,
    ) -> bool:
        """Register a system. False: the id is or was somebody's."""
        return await self._done(
            "select add_client($1, $2, $3, $4, $5, $6) as done", id_, organisations, scopes, jwks_url, jwks
        )

    async def replace_keys(self, id_: str, *, jwks_url: str | None, jwks: str | None) -> bool:
        """Know a system by other keys from now on. False: it is not registered."""
        return await self._done("select replace_client_keys($1, $2, $3, $4) as done", id_, jwks_url, jwks)

    async def judge(self, id_: str, validation: Validation) -> bool:
        """Be strict or liberal about what a system sends, from now on. False: it is not registered."""
        return await self._done("select set_client_validation($1, $2, $3) as done", id_, validation)

    async def revoke(self, id_: str) -> bool:
        """End a registration for good. False: it is not registered."""
        return await self._done("select revoke_client($1, $2) as done", id_)

    async def claim_assertion(self, client: str, jti: bytes, expires: datetime) -> bool:
        """Use an assertion, by the digest of its jti. False: it was used before, here or at another process."""
        return await self._done("select claim_assertion($1, $2, $3, $4) as done", client, jti, expires)

    async def _done(self, statement: str, *arguments: object) -> bool:
        rows = await self._database.fetch(statement, self._region, *arguments)
        return bool(rows[0]["done"])
