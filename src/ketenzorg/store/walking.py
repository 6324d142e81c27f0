"""Walking through what one party may find: its own rows, in order, each looked at until there are enough.

One text for each order, whatever is asked: what differs goes along as arrays. https://www.postgresql.org/docs/18/indexes-ordering.html
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text

from ketenzorg.fhir.dates import Period
from ketenzorg.fhir.search_parameters import CODES, PARAMETERS
from ketenzorg.store.query import NUMBER, DateClause, Query, ReferenceClause, TokenClause, ends

Way = Literal["by id", "by change", "by last change", "by date", "by last date"]

LONGEST_WALK: Final = 10_000  # rows of each status that one page looks at,
LOOKING_UP: Final = 2_000  # and when something of each has to be looked up


class Spot(NamedTuple):
    """Where a page ended."""

    at: datetime  # of the change or the date that is in order
    id: UUID


FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)

# No clause fails. Each alternative is looked up by the key of its rows.
_HOLDS = """
    (cast(:owners as uuid[]) is null or f.owner = any (cast(:owners as uuid[])))
    and (cast(:unowned as boolean) is null or (f.owner is null) = cast(:unowned as boolean))
    and not exists (
        select from unnest(cast(:clauses as int[]), cast(:nevers as boolean[])) as clause(n, never)
        where clause.never = (exists (
            select from unnest(
                cast(:t_clause as int[]), cast(:t_param as text[]), cast(:t_system as text[]), cast(:t_code as text[])
            ) as t(clause, param, system, code)
            cross join lateral (
                select * from search_token s
                where s.region = :region and s.type = :type and s.id = f.id offset 0
            ) s
            where t.clause = clause.n and s.param = t.param and s.system = coalesce(t.system, s.system)
                and s.code = coalesce(t.code, s.code)
        ) or exists (
            select from unnest(
                cast(:r_clause as int[]), cast(:r_param as text[]), cast(:r_target as uuid[]), cast(:r_type as text[])
            ) as r(clause, param, target, type)
            cross join lateral (
                select from search_reference s
                where s.region = :region and s.type = :type and s.param = r.param and s.target = r.target
                    and s.target_type = coalesce(r.type, s.target_type) and s.id = f.id
                limit 1
            ) s
            where r.clause = clause.n
        ) or exists (
            select from unnest(
                cast(:d_clause as int[]), cast(:d_param as text[]), cast(:d_low as timestamptz[]),
                cast(:d_below as timestamptz[]), cast(:d_above as timestamptz[]), cast(:d_high as timestamptz[])
            ) as d(clause, param, low, below, above, high)
            where d.clause = clause.n and case d.param
                when '' then f.updated >= d.low and f.updated < d.below and f.updated >= d.above and f.updated < d.high
                else f.low >= d.low and f.low < d.below and f.high > d.above and f.high <= d.high
            end
        ))
    )
"""
# Each status by itself, for its rows lie in order; the last row that was looked at comes along, whatever it is: up to
# there everything was seen.
_WALKED = f"""
    select each.* from unnest(cast(:statuses as text[])) as this(status)
    cross join lateral (
        select walk.id, walk.updated, walk.high, walk.matches, walk.n = :longest as ends
        from (
            select f.id, f.updated, f.high, row_number() over () as n, {_HOLDS} as matches
            from (
                select f.id, f.updated, f.owner, f.low, f.high from findable f
                where f.region = :region and f.party = :party and f.type = :type
                    and f.status = this.status collate "C" and {{start}}
                order by {{order}}
                limit :longest
            ) f
        ) walk
        where walk.matches or walk.n = :longest
        limit :most
    ) each
    order by {{order}}
    limit :most
"""  # noqa: S608  (texts of ours)
_WAYS: Final[dict[Way, tuple[str, str]]] = {
    "by id": ("f.id > :after", "id"),
    "by change": ("(f.updated, f.id) > (:at, :after) and f.updated < :below", "updated, id"),
    "by last change": ("(f.updated, f.id) < (:at, :after) and f.updated >= :low", "updated desc, id desc"),
    "by date": ("(f.high, f.id) > (:at, :after)", "high, id"),
    "by last date": ("(f.high, f.id) < (:at, :after) and f.high > :above", "high desc, id desc"),
}
# By key: what the planner thinks of how much there is of somebody's is far off behind the wall.
_DECIDES = """
    cross join lateral (
        select * from resource r where r.region = :region and r.type = :type and r.id = walked.id limit 1
    ) r
    cross join lateral (
        select t.pathway, t.version as pathway_version, t.step, t.roles, t.phases,
            coalesce(t.involved, t.parties) as involved
        from traject t where t.region = :region and t.id = r.traject limit 1
    ) t
"""
WALKS: Final = {
    way: text(f"""
        with walked as materialized ({_WALKED.format(start=start, order=order)})
        select walked.matches, walked.ends, {"walked.high" if "high" in order else "walked.updated"} as at,
            r.type, r.id, r.version, r.updated, r.body, r.traject, t.*
        from walked {_DECIDES}
        order by {", ".join(f"walked.{each}" for each in order.split(", "))}
    """)  # noqa: S608  (texts of ours)
    for way, (start, order) in _WAYS.items()
}
# In groups only when there are fewer than `most`.
COUNT: Final = text(f"""
    with walked as materialized ({_WALKED.format(start="f.id > :after", order="id")}),
    size as (select count(*) < :most and not coalesce(bool_or(walked.ends), false) as fits from walked)
    select size.fits, groups.*
    from size left join lateral (
        select t.*, count(*) as many from walked {_DECIDES} where walked.matches
        group by t.pathway, t.pathway_version, t.step, t.roles, t.phases, t.involved
    ) groups on size.fits
""")  # noqa: S608  (texts of ours)


def walk_of(query: Query, way: Way = "by id", after: Spot | None = None) -> dict[str, Any]:
    """What a query asks, as the arguments of its walk from a spot. Of status and owner it asks the rows themselves."""
    tokens = [each for each in query.tokens if each.param != "status"]
    missing = {each.missing for each in query.references if each.missing is not None}
    named = [each for each in query.references if each.missing is None]
    owners = [each for each in named if _is_owner(each)][:1]
    references = [each for each in named if each not in owners]
    clauses = [*tokens, *references, *query.dates]
    low, below = _changed([each for each in query.dates if not each.param])
    above = max((_dated(each) for each in query.dates if each.param), default=Period.EARLIEST)
    begins: dict[Way, Spot] = {
        "by id": Spot(low, FIRST), "by change": Spot(low, FIRST), "by last change": Spot(below, FIRST),
        "by date": Spot(above, LAST), "by last date": Spot(Period.LATEST, LAST),
    }  # fmt: skip
    start = after or begins[way]
    return {
        "at": start.at,
        "after": start.id,
        "longest": LOOKING_UP if tokens or references else LONGEST_WALK,
        "statuses": sorted(_statuses(query)) if len(missing) <= 1 else [],  # nothing is there and is not
        "owners": [id_ for _, id_ in owners[0].one_of] if owners else None,
        "unowned": next(iter(missing), None),
        "clauses": [*range(len(clauses))],
        "nevers": [isinstance(each, TokenClause) and each.none_of for each in clauses],
        "low": low,
        "below": below,
        "above": above,
        **_columns("t", ("param", "system", "code"), _numbered(tokens, _tokens, 0)),
        **_columns("r", ("param", "target", "type"), _numbered(references, _references, len(tokens))),
        **_columns(
            "d",
            ("param", "low", "below", "above", "high"),
            _numbered(query.dates, _dates, len(tokens) + len(references)),
        ),
    }


def _is_owner(clause: ReferenceClause) -> bool:
    return clause.param == "owner" and all(kind in (None, "Organization") for kind, _ in clause.one_of)


def _statuses(query: Query) -> set[str]:
    """Those that may be looked at; "" is of who sees none."""
    system = next((each.system for each in PARAMETERS[query.type] if each.name == "status"), "")
    codes = set(CODES.get(system, ()))
    left = {*codes, ""}
    for clause in query.tokens:
        if clause.param != "status":
            continue
        asked: set[str] = set()
        for of_system, code in clause.one_of:
            if of_system in (None, system):
                asked |= codes if code is None else {code}
        left = left - asked if clause.none_of else left & asked
    return left


def _changed(clauses: Iterable[DateClause]) -> tuple[datetime, datetime]:
    """From when and before when it was changed, as far as one range says it; what holds is looked at for each row."""
    low, below = Period.EARLIEST, Period.LATEST
    for clause in clauses:
        ranges = [
            (max(each.low, each.above), min(each.below, each.high))
            for asked in clause.one_of
            for each in ends(*asked)
        ]
        low = max(low, min(begin for begin, _ in ranges))
        below = min(below, max(end for _, end in ranges))
    return low, below


def _dated(clause: DateClause) -> datetime:
    """After when a period that holds must end: what begins at a moment ends after it."""
    return min(max(each.low, each.above) for asked in clause.one_of for each in ends(*asked))


def _numbered(
    clauses: Sequence[Any], alternatives: Callable[[Any], Iterable[tuple[Any, ...]]], first: int
) -> list[tuple[Any, ...]]:
    return [(number, *each) for number, clause in enumerate(clauses, first) for each in alternatives(clause)]


def _columns(prefix: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * (len(names) + 1)
    return {
        f"{prefix}_{name}": list(column) for name, column in zip(("clause", *names), columns, strict=True)
    }


def _tokens(clause: TokenClause) -> Iterable[tuple[Any, ...]]:
    yield from ((clause.param, system, code) for system, code in clause.one_of)
    yield from ((NUMBER, None, token) for token in clause.numbers)


def _references(clause: ReferenceClause) -> Iterable[tuple[Any, ...]]:
    yield from ((clause.param, id_, kind) for kind, id_ in clause.one_of)


def _dates(clause: DateClause) -> Iterable[tuple[Any, ...]]:
    yield from ((clause.param, *each) for asked in clause.one_of for each in ends(*asked))
