"""The chain over the audit log: lines in the order of commits, the links over them, and what was signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.store.database import Database


class Place(NamedTuple):
    """A place in the order of commits."""

    xid: int
    id: UUID


START = Place(0, UUID(int=0))


class Line(NamedTuple):
    """A line of the log as it stands there: column -> value, as JSON has it."""

    place: Place
    values: dict[str, Any]
    found: bool  # the table by traject leads to it


class Link(NamedTuple):
    """What the chain keeps of a line."""

    n: int
    place: Place
    at: datetime
    request: str
    hash: bytes


class Head(msgspec.Struct, frozen=True):
    """What was signed: the chain had `n` links, the last of them with this hash; or all up to there was purged."""

    region: str
    n: int
    kind: Literal["head", "purge"]
    place: Place
    hash: bytes
    at: datetime
    key: str
    signature: bytes


class AuditChain:
    """The chain of one region."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self.region = region

    async def head(self) -> Head | None:
        """The last thing signed."""
        rows = await self._database.fetch("select * from audit_head_now($1)", self.region)
        return _head(rows[0]) if rows else None

    async def lines(self, after: Place, most: int, *, to: Place | None = None) -> list[Line]:
        """The next lines of the log; without `to` as far as nothing earlier can still come."""
        rows = await self._database.fetch(
            "select * from audit_lines($1, $2, $3, $4, $5, $6)",
            self.region,
            str(after.xid),
            after.id,
            None if to is None else str(to.xid),
            None if to is None else to.id,
            most,
        )
        return [_line(row) for row in rows]

    async def add(self, n: int, links: Sequence[Link], at: datetime, key: str, signature: bytes) -> bool:
        """Go on from link `n`. False: somebody else did, and nothing was written."""
        rows = await self._database.fetch(
            "select add_to_chain($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as added",
            self.region,
            n,
            [str(link.place.xid) for link in links],
            [link.place.id for link in links],
            [link.at for link in links],
            [link.request for link in links],
            [link.hash for link in links],
            at,
            key,
            signature,
        )
        return bool(rows[0]["added"])

    async def links(self, after: int, most: int) -> list[Link]:
        """The next links."""
        rows = await self._database.fetch("select * from audit_links($1, $2, $3)", self.region, after, most)
        return [
            Link(row["n"], Place(int(row["xid"]), row["id"]), row["at"], row["request"], row["hash"])
            for row in rows
        ]

    async def heads(self, after: int, most: int) -> list[Head]:
        """The next things signed."""
        rows = await self._database.fetch("select * from audit_heads($1, $2, $3)", self.region, after, most)
        return [_head(row) for row in rows]

    async def may_go(self, before: datetime) -> Head | None:
        """Up to where a purge of what is older may go."""
        rows = await self._database.fetch("select * from audit_may_go($1, $2)", self.region, before)
        return _head(rows[0]) if rows else None

    async def purged(self) -> Head | None:
        """Up to where everything was purged."""
        rows = await self._database.fetch("select * from audit_purge_now($1)", self.region)
        return _head(rows[0]) if rows else None

    async def sign_purge(self, n: int, at: datetime, key: str, signature: bytes) -> None:
        """From here on the chain begins after link `n`."""
        await self._database.fetch(
            "select sign_purge($1, $2, $3, $4, $5)", self.region, n, at, key, signature
        )

    async def sweep(self, most: int) -> int:
        """Take away some of what was purged; how many lines went, 0 when nothing is left of it."""
        rows = await self._database.fetch("select sweep_audit($1, $2) as gone", self.region, most)
        return int(rows[0]["gone"])


def _line(row: Any) -> Line:
    values = msgspec.json.decode(row["line"])
    return Line(Place(int(values["xid"]), UUID(values["id"])), values, row["found"])


def _head(row: Any) -> Head:
    return Head(
        region=row["region"],
        n=row["n"],
        kind=row["kind"],
        place=Place(int(row["xid"]), row["id"]),
        hash=row["hash"],
        at=row["at"],
        key=row["key"],
        signature=row["signature"],
    )
