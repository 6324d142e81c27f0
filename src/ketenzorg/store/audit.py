"""The audit log: who does what, on whose responsibility and by which rule. Every line stands with what it tells of.

NEN 7513 says what a line holds: of the data only which, of a search only by which parameters, never their values.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.store.database import Database

Action = Literal["C", "R", "U", "D", "E"]  # http://hl7.org/fhir/audit-event-action
Interaction = Literal[  # the interactions of access/rules.toml, and of pages which of them
    "create", "add", "ask", "book", "decide", "read", "vread", "history-instance", "history-type", "search", "overdue",
    "events", "next", "event", "undo", "update", "rebook", "patch", "delete", "note",
    "figures", "list", "page", "print", "purge", "document", "export",
    "log-read", "log-search", "who-looked", "validate",
    "subscribe", "resubscribe", "unsubscribe", "renew-secret", "resend", "messages",
]  # fmt: skip
DONE = "0"  # these two of http://terminology.hl7.org/CodeSystem/audit-event-outcome
REFUSED = "4"
ACTIONS: dict[Interaction, Action] = {
    "create": "C",
    "add": "C",
    "ask": "C",
    "book": "C",
    "decide": "C",
    "search": "E",
    "overdue": "E",
    "log-search": "E",
    "history-type": "E",
    "list": "E",
    "update": "U",
    "rebook": "U",
    "patch": "U",
    "delete": "D",
    "event": "U",
    "undo": "U",
    "note": "U",
    "purge": "D",
    "subscribe": "C",
    "resubscribe": "U",
    "unsubscribe": "D",
    "renew-secret": "U",
    "resend": "U",
    "messages": "E",
    "validate": "E",
}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what and why, for one audit line; what it is done to, the database adds."""

    id: UUID
    request: str
    correlation: str = ""
    address: str = ""
    client: str
    user_id: str = ""
    responsible: str = ""
    organisation: UUID
    purpose: str = "TREAT"
    interaction: Interaction
    action: Action
    rule: str
    rule_left: str  # where the organisation took part earlier and does so no longer
    rule_asked: str = ""  # where it was asked, and has not been chosen
    query: tuple[str, ...] = ()  # names of search parameters
    digest: str = ""  # hex, keyed, of the whole query

    @property
    def json(self) -> str:
        """As the functions of the database take it."""
        return msgspec.json.encode(self).decode()


async def note_looks(
    connection: AsyncConnection,
    region: str,
    access: Access,
    what: str,
    trajecten: Iterable[UUID],
    outcome: str = DONE,
) -> None:
    """Put on record whose data are shown, in the transaction that reads them."""
    await connection.execute(
        text("select note_looks(:region, :callers, cast(:access as jsonb), :what, :trajecten, :outcome)"),
        {
            "region": region,
            "callers": [access.organisation],
            "access": access.json,
            "what": what,
            "trajecten": list(trajecten),
            "outcome": outcome,
        },
    )


class AuditLog:
    """Where what people and systems do is noted that is not on record by itself."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def note(
        self, access: Access, what: str, trajecten: Iterable[UUID] = (), outcome: str = DONE
    ) -> None:
        """Put on record that something was shown, or refused."""
        await self._database.fetch(
            "select note_looks($1, $2, $3, $4, $5, $6)",
            self._region,
            [access.organisation],
            access.json,
            what,
            list(trajecten),
            outcome,
        )

    async def did(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """What each person or system of each organisation did in a period, in numbers."""
        rows = await self._database.fetch("select * from review_log($1, $2, $3)", self._region, start, end)
        return [dict(row) for row in rows]
