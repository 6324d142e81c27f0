"""The versions of resources, the newest first, behind the same wall as what they are now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from ketenzorg.store.audit import DONE, REFUSED, Access, note_looks
from ketenzorg.store.database import Database
from ketenzorg.store.reading import Found, standing_of


class Spot(NamedTuple):
    """A version: where the next page goes on."""

    updated: datetime
    id: UUID
    version: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions of a type, or (`id`) of one resource of it."""

    type: str
    id: UUID | None = None
    since: datetime | None = None  # updated then or later
    current: tuple[datetime, datetime] | None = (
        None  # what it was at some moment from the first up to the second
    )
    after: Spot | None = None
    most: int


# One resource by its key. Of a type: what hangs on the trajecten in which the asker has a part, or performs or could
# claim a Task; the whole type is never read for it.
_OF_ONE = """
    select r.id, r.version, r.updated, r.traject, r.body from resource r
    where r.region = :region and r.type = :type and r.id = :id
    union all
    select h.id, h.version, h.updated, h.traject, h.body from resource_history h
    where h.region = :region and h.type = :type and h.id = :id
"""
_OF_TYPE = """
    select v.id, v.version, v.updated, v.traject, v.body
    from (
        select traject from part where region = :region and organisation = any (:callers)
        union
        select r.traject from search_reference o
        join resource r on r.region = :region and r.type = 'Task' and r.id = o.id
        where o.region = :region and o.type = 'Task' and o.param = 'owner' and o.target = any (:callers)
        union
        select r.traject from search_token o
        join resource r on r.region = :region and r.type = 'Task' and r.id = o.id
        where o.region = :region and o.type = 'Task' and o.param = 'status' and o.code = 'requested'
    ) own
    cross join lateral (
        select * from resource r where r.region = :region and r.traject = own.traject and r.type = :type
    ) now
    cross join lateral (
        select now.id, now.version, now.updated, now.traject, now.body
        union all
        select h.id, h.version, h.updated, h.traject, h.body from resource_history h
        where h.region = :region and h.type = :type and h.id = now.id
    ) v
"""
_PAGE = """
    select v.*, t.pathway, t.version as pathway_version, t.step, t.roles, t.phases,
        coalesce(t.involved, t.parties) as involved
    from (select v.*, lead(v.updated) over (partition by v.id order by v.version) as until from ({versions}) v) v
    join traject t on t.region = :region and t.id = v.traject
    where (cast(:since as timestamptz) is null or v.updated >= :since)
        and (cast(:low as timestamptz) is null or v.updated < :high and coalesce(v.until > :low, true))
        and (cast(:after as timestamptz) is null or (v.updated, v.id, v.version) < (:after, :after_id, :after_version))
    order by v.updated desc, v.id desc, v.version desc
    limit :most
"""


class History:
    """Where earlier versions are read."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    async def page(self, asked: Asked, access: Access) -> tuple[list[Found], bool] | None:
        """A page of versions, and whether there is more; on record before it is shown. None: no such resource."""
        low, high = asked.current or (None, None)
        after = asked.after or Spot(datetime.max, UUID(int=0), 0)
        statement = text(_PAGE.format(versions=_OF_ONE if asked.id else _OF_TYPE))
        arguments = {
            "region": self._region, "type": asked.type, "id": asked.id, "callers": [access.organisation],
            "since": asked.since, "low": low, "high": high, "most": asked.most + 1,
            "after": after.updated if asked.after else None, "after_id": after.id, "after_version": after.version,
        }  # fmt: skip
        async with self._database.as_callers([access.organisation]) as connection:
            rows = (await connection.execute(statement, arguments)).all()
            if asked.id and not rows:
                there = await connection.scalar(text(f"select exists ({_OF_ONE})"), arguments)
                outcome = DONE if there else REFUSED
            else:
                there, outcome = True, DONE
            what = f"{asked.type}/{asked.id}" if asked.id else asked.type
            shown = {row.traject for row in rows[: asked.most]}
            await note_looks(connection, self._region, access, what, shown, outcome)
        if not there:
            return None
        return _found(asked.type, rows[: asked.most]), len(rows) > asked.most


def _found(kind: str, rows: Sequence[Any]) -> list[Found]:
    return [
        Found(
            kind, row.id, row.version, row.updated, row.body, row.pathway, row.pathway_version,
            standing_of(row.step, row.roles, row.phases), frozenset(row.involved),
        )
        for row in rows
    ]  # fmt: skip
