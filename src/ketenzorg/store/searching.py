"""Finding resources by their search rows, a page at a time, ordered by id: nothing is skipped or seen twice."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, exists, false, func, or_, select, text, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.errors import Issue, TooCostly
from ketenzorg.fhir.dates import Period
from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access, note_looks
from ketenzorg.store.database import Database
from ketenzorg.store.reading import Found, standing_of
from ketenzorg.store.tables import resource, search_date, search_reference, search_token, traject

LONGEST_LOOK_MS = 5_000  # of one statement
# https://www.postgresql.org/docs/18/runtime-config-query.html
IN_ORDER, ANY_PLAN = (
    "select "
    + ", ".join(
        f"set_config('enable_{each}', '{value}', true)"
        for each in ("hashjoin", "mergejoin", "sort", "bitmapscan")
    )
    for value in ("off", "on")
)
NUMBER = (
    "bsn"  # the rows of personal numbers, by token: apart from other identifiers, for fewer may find them
)


class TokenClause(msgspec.Struct, frozen=True):
    """`param=system|code,…`: one of these; system None is any system, code None any code of the system.

    `numbers`: or one of these personal numbers, by token; None is any. `none_of`: the reader sees none of these.
    """

    param: str
    one_of: tuple[tuple[str | None, str | None], ...]
    numbers: tuple[str | None, ...] = ()
    none_of: bool = False


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
    within: tuple[tuple[str, UUID], ...] | None = None  # of the trajecten of one of these
    after: UUID | None = None
    count: int

    @property
    def by_number(self) -> bool:
        """Whether it asks for a personal number."""
        return any(each.numbers for each in self.tokens)


@contextmanager
def _in_time() -> Iterator[None]:
    """What PostgreSQL stopped is no failure of it: another question can be answered."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, asyncpg.QueryCanceledError):
            raise TooCostly(
                Issue(
                    nl="Deze vraag duurde te lang: maak haar smaller, met owner, patient, identifier of _id.",
                    en="This search took too long: narrow it, with owner, patient, identifier or _id.",
                )
            ) from error
        raise


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
        async with self._database.as_callers([access.organisation], LONGEST_LOOK_MS) as connection:
            look = Look(connection, self._region)
            with _in_time():
                yield look
            await note_looks(connection, self._region, access, kind, look.trajecten)


class Look:
    """One look around, by one caller."""

    def __init__(self, connection: AsyncConnection, region: str) -> None:
        self._connection = connection
        self._region = region
        self.trajecten: set[UUID] = set()  # whose data were shown
        self._planned = ANY_PLAN
        self._traject: dict[tuple[str, UUID], UUID] = {}

    async def find(self, query: Query) -> tuple[list[Found], bool]:
        """One page, and whether there is more. Who shows these, says so."""
        statement = self._select().where(resource.c.type == query.type, *self._conditions(query))
        if by_key(query):
            # The rows of the first clause are read in their order, and each is looked up by key: what the planner
            # thinks of how many there are of somebody's is far off behind row level security.
            await self._plan(IN_ORDER)
            statement = self._led(statement, query)
        else:
            await self._plan(ANY_PLAN)
            statement = statement.order_by(resource.c.id)
        rows = (await self._connection.execute(statement.limit(query.count + 1))).all()
        return self._found(rows[: query.count]), len(rows) > query.count

    async def _plan(self, how: str) -> None:
        if how != self._planned:
            await self._connection.execute(text(how))
            self._planned = how

    def _led(self, statement: Select[Any], query: Query) -> Select[Any]:
        """By the rows of the first clause that has one value; they lie in the order of their ids."""
        references, tokens = search_reference.alias(), search_token.alias()
        leads = [
            (references, _references(references.c, each)[0])
            for each in query.references
            if len(each.one_of) == 1
        ]
        leads += [
            (tokens, _tokens(tokens.c, each)[0])
            for each in query.tokens
            if len(each.one_of) == 1 and not each.none_of
        ]
        if query.ids is not None or not leads:
            return statement.order_by(resource.c.id)
        table, condition = leads[0]
        after = [] if query.after is None else [table.c.id > query.after]
        of_resource = and_(
            table.c.region == self._region, table.c.type == query.type, table.c.id == resource.c.id
        )
        return statement.join(table, and_(of_resource, condition, *after)).order_by(table.c.id)

    def show(self, found: Iterable[Found]) -> None:
        """These are shown: it goes on record."""
        self.trajecten |= {self._traject[each.type, each.id] for each in found}

    async def standings(self, query: Query, most: int) -> list[tuple[Stands, int]]:
        """How many match, by what decides who sees them; of more than `most` only that there are more."""
        decides = (
            traject.c.pathway,
            traject.c.version,
            traject.c.step,
            traject.c.roles,
            traject.c.phases,
            func.coalesce(traject.c.involved, traject.c.parties).label("involved"),
        )
        matching = (
            select(*decides)
            .select_from(resource)
            .join(traject, and_(traject.c.region == resource.c.region, traject.c.id == resource.c.traject))
            .where(resource.c.region == self._region, resource.c.type == query.type)
            .where(*self._conditions(query))
            .limit(most + 1)
            .subquery()
        )
        rows = await self._connection.execute(
            select(matching, func.count().label("many")).group_by(*matching.c)
        )
        return [
            (
                Stands(
                    row.pathway,
                    row.version,
                    standing_of(row.step, row.roles, row.phases),
                    frozenset(row.involved),
                ),
                row.many,
            )
            for row in rows
        ]

    async def by_id(self, wanted: Sequence[tuple[str, UUID]]) -> list[Found]:
        """Those of the wanted (type, id) that the caller is a party to."""
        if not wanted:
            return []
        statement = self._select().where(tuple_(resource.c.type, resource.c.id).in_(wanted))
        # In an order of their own: how rows lie beside those of others says something of these.
        statement = statement.order_by(resource.c.type, resource.c.id)
        found = self._found((await self._connection.execute(statement)).all())
        self.show(found)
        return found

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

    def _found(self, rows: Sequence[Row[Any]]) -> list[Found]:
        self._traject |= {(row.type, row.id): row.traject for row in rows}
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
        conditions = []
        has = self._looked_up if by_key(query) else self._has
        for token in query.tokens:
            found = has(search_token, query, _tokens(search_token.c, token))
            conditions.append(~found if token.none_of else found)
        for clause in query.references:
            found = has(search_reference, query, _references(search_reference.c, clause))
            conditions.append(~found if clause.missing else found)
        for each in query.dates:
            if each.param:
                conditions.append(self._dated(query, _date(each)))
            else:
                conditions.append(or_(*(_updated(prefix, period) for prefix, period in each.one_of)))
        if query.ids is not None:
            conditions.append(resource.c.id.in_(query.ids))
        if query.within is not None:
            conditions.append(resource.c.traject.in_(self._trajecten_of(query.within)))
        if query.after is not None:
            conditions.append(resource.c.id > query.after)
        return conditions

    def _trajecten_of(self, ours: Sequence[tuple[str, UUID]]) -> Select[Any]:
        """Of these, as far as the caller sees them."""
        one = resource.alias()
        return select(one.c.traject).where(
            one.c.region == self._region, tuple_(one.c.type, one.c.id).in_(ours)
        )

    def _has(self, table: Any, query: Query, one_of: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
        return exists().where(
            table.c.region == self._region,
            table.c.type == query.type,
            table.c.id == resource.c.id,
            or_(*one_of),
        )

    def _dated(self, query: Query, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """Among all of these dates, found once: what stands in a coalesce is never joined, row by row."""
        dated = select(search_date.c.id).where(
            search_date.c.region == self._region, search_date.c.type == query.type, condition
        )
        return func.coalesce(resource.c.id.in_(dated), false())

    def _looked_up(
        self, table: Any, query: Query, one_of: Sequence[ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """The same, each value by its key: what is scalar is never joined."""
        return or_(
            *(
                select(table.c.id)
                .where(
                    table.c.region == self._region,
                    table.c.type == query.type,
                    table.c.id == resource.c.id,
                    each,
                )
                .limit(1)
                .scalar_subquery()
                .is_not(None)
                for each in one_of
            )
        )


def by_key(query: Query) -> bool:
    """Whether every clause names whole keys of its rows; dates do when something else leads."""
    leads = query.ids is not None or query.references or query.tokens
    return (
        (bool(leads) or not query.dates)
        and query.within is None
        and all(
            system is not None and code is not None
            for each in query.tokens
            for system, code in [*each.one_of, *((None, None) for _ in each.numbers)]
        )
        and all(
            each.missing is None and all(kind is not None for kind, _ in each.one_of)
            for each in query.references
        )
    )


def _tokens(column: Any, clause: TokenClause) -> list[ColumnElement[bool]]:
    one_of = [(clause.param, system, code) for system, code in clause.one_of]
    one_of += [(NUMBER, None, code) for code in clause.numbers]
    return [
        and_(
            column.param == param,
            *([] if code is None else [column.code == code]),
            *([] if system is None else [column.system == system]),
        )
        for param, system, code in one_of
    ]


def _references(column: Any, clause: ReferenceClause) -> list[ColumnElement[bool]]:
    if clause.missing is not None:
        return [column.param == clause.param]
    return [
        and_(
            column.param == clause.param,
            column.target == target,
            *([] if type_ is None else [column.target_type == type_]),
        )
        for type_, target in clause.one_of
    ]


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
