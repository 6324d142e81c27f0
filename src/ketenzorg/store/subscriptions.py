"""Subscriptions: what an organisation wants to hear of, and where, as the database keeps it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from ketenzorg.store.audit import Access
from ketenzorg.store.data_keys import Sealed, key_is_there
from ketenzorg.store.database import Database

Channel = Literal["rest-hook", "email", "polling"]
Content = Literal["empty", "id-only", "full-resource"]
Status = Literal["requested", "active", "error", "off"]


class Code(msgspec.Struct, frozen=True):
    """A value of a token parameter: system None is any system, code None any code of the system."""

    system: str | None
    code: str | None


class Clause(msgspec.Struct, frozen=True):
    """One search parameter of a filter: any of these values will do."""

    param: str
    codes: tuple[Code, ...] = ()
    targets: tuple[UUID, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a Subscription asks for, as far as we act on it."""

    type: str
    filter: tuple[Clause, ...] | None = None
    channel: Channel
    endpoint: str
    content: Content
    heartbeat_s: int | None = None
    timeout_s: int
    ends: datetime | None = None
    contact: str = ""


class Secret(msgspec.Struct, frozen=True):
    """What signs our messages to one receiver, as it rests; it was sealed for this id."""

    id: UUID
    sealed: Sealed


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription and how it stands."""

    id: UUID
    client: str
    version: int
    updated: datetime
    body: bytes
    type: str
    channel: Channel
    content: Content
    contact: str
    status: Status
    since: datetime
    error: str
    number: int
    rest_until: datetime | None


class Subscriptions:
    """The subscriptions of one region; each organisation reaches its own only."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def add(
        self,
        id_: UUID,
        organisation: UUID,
        client: str,
        asked: Asked,
        body: bytes,
        secret: Secret,
        now: datetime,
        most: int,
        access: Access,
    ) -> bool:
        """A new one. False: the organisation has `most` of them already."""
        with key_is_there():
            return await self._did(
                "select add_subscription($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) as done",
                organisation,
                client,
                id_,
                _json(asked),
                body,
                *_columns(secret),
                *_begins(asked),
                now,
                most,
                access.json,
            )

    async def change(
        self,
        id_: UUID,
        organisation: UUID,
        asked: Asked,
        body: bytes,
        *,
        off: bool,
        version: int | None,
        now: datetime,
        access: Access,
    ) -> bool:
        """Another wish under the same id. False: not there, not theirs, or no longer this version."""
        return await self._did(
            "select change_subscription($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as done",
            organisation,
            id_,
            version,
            _json(asked),
            body,
            *(("off", False) if off else _begins(asked)),
            now,
            access.json,
        )

    async def of(self, organisation: UUID, id_: UUID | None = None) -> list[Subscription]:
        """Those of an organisation, or one of them, in the order in which they were made."""
        rows = await self._database.fetch(
            "select * from subscriptions_of($1, $2, $3)", self._region, organisation, id_
        )
        return [Subscription(**row) for row in rows]

    async def rotate(
        self, id_: UUID, organisation: UUID, secret: Secret, until: datetime, access: Access
    ) -> bool:
        """A new secret; the one before it signs along until then."""
        with key_is_there():
            return await self._did(
                "select rotate_secret($1, $2, $3, $4, $5, $6, $7, $8) as done",
                organisation,
                id_,
                *_columns(secret),
                until,
                access.json,
            )

    async def drop(self, id_: UUID, access: Access) -> bool:
        """Leave nothing of it. False: not there, or not theirs."""
        statement = "select drop_subscription($1, $2, $3, $4) as done"
        return await self._did(statement, access.organisation, id_, access.json)

    async def _did(self, statement: str, *arguments: Any) -> bool:
        rows = await self._database.fetch(statement, self._region, *arguments)
        return bool(rows[0]["done"])


def _json(asked: Asked) -> str:
    return msgspec.json.encode(asked).decode()


def _columns(secret: Secret) -> tuple[UUID, str, bytes]:
    return secret.id, secret.sealed.key_id, secret.sealed.ciphertext


def _begins(asked: Asked) -> tuple[Status, bool]:
    """Who comes to us has no endpoint that must answer first."""
    return ("active", True) if asked.channel == "polling" else ("requested", False)
