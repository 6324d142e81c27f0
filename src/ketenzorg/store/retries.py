"""The Idempotency-Keys of senders, and what was answered under them."""

from datetime import timedelta
from uuid import UUID

import msgspec

from ketenzorg.store.audit import Access
from ketenzorg.store.database import Database

KEPT = timedelta(days=30)  # at least: a sender that was off over a holiday tries again after it
UNDER_WAY = timedelta(seconds=60)  # so long a key is somebody's who works on it, or died over it


class Key(msgspec.Struct, frozen=True):
    """One sender's key and the request under it, both as keyed digests."""

    organisation: UUID
    key: bytes
    body: bytes


class Claimed(msgspec.Struct, frozen=True):
    """Ours to work on (`mine`), or what is known of it: whether the request is the `same`, and the answer."""

    mine: bool
    same: bool
    about: str | None
    answer: bytes | None


class Retries:
    """The keys of one region."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def claim(self, key: Key, claim: UUID, access: Access) -> Claimed:
        """Claim a key for a request; giving a known answer again goes on record."""
        rows = await self._database.fetch(
            "select * from claim_key($1, $2, $3, $4, $5, $6, $7, $8)",
            self._region,
            key.organisation,
            key.key,
            key.body,
            claim,
            access.json,
            KEPT.total_seconds(),
            UNDER_WAY.total_seconds(),
        )
        return Claimed(**rows[0])

    async def keep(self, key: Key, claim: UUID, about: str, answer: bytes) -> None:
        """What was answered, about which resource in the first place."""
        await self._database.fetch(
            "select keep_answer($1, $2, $3, $4, $5, $6)",
            self._region,
            key.organisation,
            key.key,
            claim,
            about,
            answer,
        )

    async def give_back(self, key: Key, claim: UUID) -> None:
        """Nothing came of it."""
        await self._database.fetch(
            "select give_key_back($1, $2, $3, $4)", self._region, key.organisation, key.key, claim
        )
