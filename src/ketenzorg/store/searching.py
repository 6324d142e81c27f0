"""Finding resources by their search rows, a page at a time: nothing is skipped or seen twice.

A search walks through the rows of the one who asks (`walking`), or is led to a few by what only few have: a patient, an
identifier, what it is about.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ketenzorg.errors import Issue, TooCostly
from ketenzorg.pathway.standing import Standing
from ketenzorg.store.audit import Access, note_looks
from ketenzorg.store.database import Database
from ketenzorg.store.query import NUMBER, Query, ReferenceClause
from ketenzorg.store.query import TokenClause as Tokens
from ketenzorg.store.reading import Found, standing_of
from ketenzorg.store.walking import COUNT, WALKS, Spot, Way, walk_of

LONGEST_LOOK_MS = 5_000  # of one statement
# Rows are read in the order in which they lie, and each is looked up by its key, whatever the planner thinks of how
# many there are of somebody's: behind row level security that is far off.
# https://www.postgresql.org/docs/18/runtime-config-query.html
IN_ORDER: Final = {
    "plan_cache_mode": "force_generic_plan", "jit": "off",
    **{f"enable_{each}": "off" for each in ("hashjoin", "mergejoin", "sort", "bitmapscan", "seqscan")},
}  # fmt: skip
_WITH_TRAJECT = """
    select r.type, r.id, r.version, r.updated, r.body, r.traject, t.pathway, t.version as pathway_version, t.step,
        t.roles, t.phases, coalesce(t.involved, t.parties) as involved
"""
_BY_KEY = text(f"""
    {_WITH_TRAJECT}
    from unnest(cast(:types as text[]), cast(:ids as uuid[])) as wanted(type, id)
    cross join lateral (
        select * from resource r
        where r.region = :region and r.type = wanted.type collate "C" and r.id = wanted.id
        limit 1
    ) r
    cross join lateral (select * from traject t where t.region = :region and t.id = r.traject limit 1) t
""")  # noqa: S608  (texts of ours)
_OF_TRAJECTEN = text(f"""
    {_WITH_TRAJECT}
    from (
        select distinct own.traject
        from unnest(cast(:types as text[]), cast(:ids as uuid[])) as named(type, id)
        cross join lateral (
            select r.traject from resource r
            where r.region = :region and r.type = named.type collate "C" and r.id = named.id
            limit 1
        ) own
    ) named
    cross join lateral (select * from resource r where r.region = :region and r.traject = named.traject offset 0) r
    cross join lateral (select * from traject t where t.region = :region and t.id = r.traject limit 1) t
    where r.type = :type
    limit :most
""")  # noqa: S608  (texts of ours)
_LED_BY_TOKENS = text("""
    select distinct led.id
    from unnest(cast(:params as text[]), cast(:systems as text[]), cast(:codes as text[])) as t(param, system, code)
    cross join lateral (
        select s.id from search_token s
        where s.region = :region and s.type = :type and s.param = t.param collate "C" and s.code = t.code collate "C"
            and s.system = coalesce(t.system, s.system)
        limit :most
    ) led
    limit :most
""")
_LED_BY_REFERENCES = text("""
    select distinct led.id
    from unnest(cast(:targets as uuid[]), cast(:types as text[])) as t(target, type)
    cross join lateral (
        select s.id from search_reference s
        where s.region = :region and s.type = :type and s.param = :param and s.target = t.target
            and s.target_type = coalesce(t.type, s.target_type)
        limit :most
    ) led
    limit :most
""")


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
        settings = {**IN_ORDER, "statement_timeout": str(LONGEST_LOOK_MS)}
        async with self._database.as_callers([access.organisation], settings) as connection:
            look = Look(connection, self._region, access.organisation)
            with _in_time():
                yield look
            await note_looks(connection, self._region, access, kind, look.trajecten)


class Look:
    """One look around, by one caller."""

    def __init__(self, connection: AsyncConnection, region: str, party: UUID) -> None:
        self._connection = connection
        self._region = region
        self._party = party
        self.trajecten: set[UUID] = set()  # whose data were shown
        self._traject: dict[tuple[str, UUID], UUID] = {}

    async def find(
        self, query: Query, way: Way = "by id", after: Spot | None = None
    ) -> tuple[list[Found], Spot | None]:
        """One page, and where the next begins: it may hold fewer than asked. Who shows these, says so."""
        walk = walk_of(query, way, after)
        rows = await self._rows(WALKS[way], **walk, type=query.type, party=self._party, most=query.count + 1)
        spot = None
        for place, row in enumerate(rows):
            if place == query.count:
                spot = Spot(rows[place - 1].at, rows[place - 1].id)
                rows = rows[:place]
                break
            if row.ends:
                spot = Spot(row.at, row.id)
                rows = rows[: place + 1]
                break
        return self._found([each for each in rows if each.matches]), spot

    async def standings(self, query: Query, most: int) -> list[tuple[Stands, int]] | None:
        """How many match, by what decides who sees them; None when there are more, or too many to look at."""
        walk = {**walk_of(query), "longest": most + 1}
        rows = await self._rows(COUNT, **walk, type=query.type, party=self._party, most=most + 1)
        if not rows[0].fits:
            return None
        return [
            (
                Stands(
                    row.pathway,
                    row.pathway_version,
                    standing_of(row.step, row.roles, row.phases),
                    frozenset(row.involved),
                ),
                row.many,
            )
            for row in rows
            if row.many
        ]

    async def led_by(self, kind: str, clause: Tokens | ReferenceClause, most: int) -> list[UUID]:
        """Which have one of these, up to `most`."""
        if isinstance(clause, ReferenceClause):
            types, targets = zip(*clause.one_of, strict=True)
            rows = await self._rows(
                _LED_BY_REFERENCES, type=kind, param=clause.param, types=list(types), targets=list(targets),
                most=most,
            )  # fmt: skip
        else:
            named = [(clause.param, *each) for each in clause.one_of]
            named += [(NUMBER, None, each) for each in clause.numbers]
            params, systems, codes = map(list, zip(*named, strict=True))
            rows = await self._rows(
                _LED_BY_TOKENS, type=kind, params=params, systems=systems, codes=codes, most=most
            )
        return [row.id for row in rows]

    async def of_trajecten(self, kind: str, ours: Sequence[tuple[str, UUID]], most: int) -> list[Found]:
        """Those of a type in the trajecten of these, as far as the caller sees them, up to `most`."""
        types, ids = map(list, zip(*ours, strict=True))
        rows = await self._rows(_OF_TRAJECTEN, type=kind, types=types, ids=ids, most=most)
        return self._found(rows)

    async def by_key(self, wanted: Sequence[tuple[str, UUID]]) -> list[Found]:
        """Those of the wanted (type, id) that the caller is a party to. Who shows these, says so."""
        if not wanted:
            return []
        types, ids = map(list, zip(*wanted, strict=True))
        # In an order of their own: how rows lie beside those of others says something of these.
        return sorted(
            self._found(await self._rows(_BY_KEY, types=types, ids=ids)),
            key=lambda each: (each.type, each.id),
        )

    async def by_id(self, wanted: Sequence[tuple[str, UUID]]) -> list[Found]:
        """The same, shown."""
        found = await self.by_key(wanted)
        self.show(found)
        return found

    def show(self, found: Iterable[Found]) -> None:
        """These are shown: it goes on record."""
        self.trajecten |= {self._traject[each.type, each.id] for each in found}

    async def _rows(self, statement: TextClause, **arguments: Any) -> Sequence[Row[Any]]:
        return (await self._connection.execute(statement, {"region": self._region, **arguments})).all()

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
