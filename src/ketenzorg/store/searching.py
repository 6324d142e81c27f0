"""Finding resources by their search rows, a page at a time, ordered by id: nothing is skipped or seen twice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.fhir.dates import Period
from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access, note_looks
from ketenzorg.store.database import Database
from ketenzorg.store.reading import Found, standing_of
from ketenzorg.store.tables import resource, search_date, search_reference, search_token, traject

NUMBER = (
    "bsn"  # the rows of personal numbers, by token: apart from other identifiers, for fewer may find them
)


class TokenClause(msgspec.Struct, frozen=True):
    """`param=system|code,…`: one of these; system None is any system, code None any code of the system.

    `numbers`: or one of these personal numbers, by token; None is any.
    """

    param: str
    one_of: tuple[tuple[str | None, str | None], ...]
    numbers: tuple[str | None, ...] = ()


class ReferenceClause(msgspec.Struct, frozen=True):
    """`param=Type/id,…`: one of these; type None is any type. `missing`: whether the reader sees none at all."""

    param: str
    one_of: tuple[tuple[str | None, UUID], ...] = ()
    missing: bool | None = None


class DateClause(msgspec.Struct, frozen=True):
    """`param=ge2026-01,…`: one of these comparisons; param "" is _lastUpdated."""

    param: str
    one_of: tuple[tuple[str, Period], ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A search: every clause must hold."""

    type: str
    tokens: tuple[TokenClause, ...] = ()
    references: tuple[ReferenceClause, ...] = ()
    dates: tuple[DateClause, ...] = ()
    ids: tuple[UUID, ...] | None = None
    after: UUID | None = None
    count: int

    @property
    def by_number(self) -> bool:
        """Whether it asks for a personal number."""
        return any(each.numbers for each in self.tokens)


class Stands(NamedTuple):
    """What of a traject decides who sees how much of it."""

    pathway: str
    pathway_version: str
    standing: Standing
    involved: frozenset[UUID]  # who takes part now


class Searching:
    """Where stored resources are found."""

    def __init__(self, database: Database, region: str) -> None:
        self._database = database
        self._region = region

    @asynccontextmanager
    async def look(self, kind: str, access: Access) -> AsyncIterator["Look"]:
        """Look around as one caller, in one transaction; at its end it is on record whose data were shown."""
        async with self._database.as_callers([access.organisation]) as connection:
            look = Look(connection, self._region)
            yield look
            await note_looks(connection, self._region, access, kind, look.trajecten)


class Look:
    """One look around, by one caller."""

    def __init__(self, connection: AsyncConnection, region: str) -> None:
        self._connection = connection
        self._region = region
        self.trajecten: set[UUID] = set()  # whose data were shown

    async def find(self, query: Query) -> tuple[list[Found], bool]:
        """One page, and whether there is more."""
        statement = self._select().where(resource.c.type == query.type, *self._conditions(query))
        rows = (
            await self._connection.execute(statement.order_by(resource.c.id).limit(query.count + 1))
        ).all()
        return self._shown(rows[: query.count]), len(rows) > query.count

    async def standings(self, query: Query) -> list[tuple["Stands", int]]:
        """How many match, by what decides how much of them the caller sees."""
        decides = (
            traject.c.pathway, traject.c.version, traject.c.step, traject.c.roles, traject.c.phases,
            func.coalesce(traject.c.involved, traject.c.parties).label("involved"),
        )  # fmt: skip
        statement = (
            select(*decides, func.count().label("many"))
            .select_from(resource)
            .join(traject, and_(traject.c.region == resource.c.region, traject.c.id == resource.c.traject))
            .where(resource.c.region == self._region, resource.c.type == query.type)
            .where(*self._conditions(query))
            .group_by(*decides)
        )
        return [
            (
                Stands(row[0], row[1], standing_of(row.step, row.roles, row.phases), frozenset(row.involved)),
                row.many,
            )
            for row in await self._connection.execute(statement)
        ]

    async def by_id(self, wanted: Sequence[tuple[str, UUID]]) -> list[Found]:
        """Those of the wanted (type, id) that the caller is a party to."""
        if not wanted:
            return []
        statement = self._select().where(tuple_(resource.c.type, resource.c.id).in_(wanted))
        # In an order of their own: how rows lie beside those of others says something of these.
        statement = statement.order_by(resource.c.type, resource.c.id)
        return self._shown((await self._connection.execute(statement)).all())

    def _select(self) -> Select[Any]:
        return (
            select(
                resource.c.type,
                resource.c.id,
                resource.c.version,
                resource.c.updated,
                resource.c.body,
                resource.c.traject,
                traject.c.pathway,
                traject.c.version.label("pathway_version"),
                traject.c.step,
                traject.c.roles,
                traject.c.phases,
                func.coalesce(traject.c.involved, traject.c.parties).label("involved"),
            )
            .join(traject, and_(traject.c.region == resource.c.region, traject.c.id == resource.c.traject))
            .where(resource.c.region == self._region)
        )

    def _shown(self, rows: Sequence[Row[Any]]) -> list[Found]:
        self.trajecten |= {row.traject for row in rows}
        return [
            Found(
                row.type,
                row.id,
                row.version,
                row.updated,
                row.body,
                row.pathway,
                row.pathway_version,
                standing_of(row.step, row.roles, row.phases),
                frozenset(row.involved),
            )
            for row in rows
        ]

    def _conditions(self, query: Query) -> list[ColumnElement[bool]]:
        conditions = [self._has(search_token, query, _token(each)) for each in query.tokens]
        for clause in query.references:
            found = self._has(search_reference, query, _reference(clause))
            conditions.append(~found if clause.missing else found)
        for each in query.dates:
            if each.param:
                conditions.append(self._has(search_date, query, _date(each)))
            else:
                conditions.append(or_(*(_updated(prefix, period) for prefix, period in each.one_of)))
        if query.ids is not None:
            conditions.append(resource.c.id.in_(query.ids))
        if query.after is not None:
            conditions.append(resource.c.id > query.after)
        return conditions

    def _has(self, table: Any, query: Query, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            table.c.region == self._region,
            table.c.type == query.type,
            table.c.id == resource.c.id,
            condition,
        )


def _token(clause: TokenClause) -> ColumnElement[bool]:
    column = search_token.c
    one_of = [(clause.param, system, code) for system, code in clause.one_of]
    one_of += [(NUMBER, None, code) for code in clause.numbers]
    return or_(
        *(
            and_(
                column.param == param,
                *([] if code is None else [column.code == code]),
                *([] if system is None else [column.system == system]),
            )
            for param, system, code in one_of
        ),
    )


def _reference(clause: ReferenceClause) -> ColumnElement[bool]:
    column = search_reference.c
    if clause.missing is not None:
        return column.param == clause.param
    one_of = (
        and_(column.target == target, *([] if type_ is None else [column.target_type == type_]))
        for type_, target in clause.one_of
    )
    return and_(column.param == clause.param, or_(*one_of))


def _date(clause: DateClause) -> ColumnElement[bool]:
    column = search_date.c
    return and_(
        column.param == clause.param,
        or_(*(_compare(column.low, column.high, *each) for each in clause.one_of)),
    )


def _updated(prefix: str, period: Period) -> ColumnElement[bool]:
    return _compare(resource.c.updated, resource.c.updated, prefix, period)


def _compare(low: Any, high: Any, prefix: str, period: Period) -> ColumnElement[bool]:
    """https://hl7.org/fhir/R4/search.html#prefix; `high` is the first instant after the period."""
    asked_low: datetime = period.low
    asked_high: datetime = period.high
    comparisons: dict[str, ColumnElement[bool]] = {
        "eq": and_(low >= asked_low, low < asked_high, high <= asked_high),
        "ne": or_(low < asked_low, high > asked_high),
        "gt": high > asked_high,
        "lt": low < asked_low,
        "ge": or_(high > asked_high, and_(low >= asked_low, high <= asked_high)),
        "le": or_(low < asked_low, and_(low >= asked_low, high <= asked_high)),
        "sa": low >= asked_high,
        "eb": high <= asked_low,
    }
    return comparisons[prefix]
