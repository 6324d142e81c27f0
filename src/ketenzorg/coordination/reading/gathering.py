"""What matches a search where rows alone do not say it: looked up in a bounded number of bodies.

A resource is cut to what its reader sees before it is matched: nothing hidden can be searched on. What a chain or a
`_has` asks of others is searched in the same way, as the caller, before what refers to them is.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

import msgspec

from ketenzorg.access.personal_numbers import tokens_in
from ketenzorg.access.rules import permit
from ketenzorg.access.views import shown, sight_by_rule
from ketenzorg.coordination.reading.directory import organisation_resource
from ketenzorg.coordination.reading.matching import Looked
from ketenzorg.coordination.reading.wanted import UPDATED, Clause, Order, Place, Wanted
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, TooCostly
from ketenzorg.fhir import json
from ketenzorg.fhir.dates import Period
from ketenzorg.fhir.search_in_body import DECLARED, ORGANIZATION, has_rows
from ketenzorg.fhir.search_parameters import Moment
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.store.query import Query, ReferenceClause, TokenClause
from ketenzorg.store.reading import Found
from ketenzorg.store.searching import Look, Stands
from ketenzorg.store.walking import Spot, Way

MOST: Final = 500  # resources that one search looks into
MOST_COUNTED: Final = 10_000
INSTANT: Final = timedelta(microseconds=1)  # how long a moment lasts
# By what rows are kept in order, beside their change. A plan is put in order by its begin or its end: here.
DATED: Final = {"Task": "authored-on", "ServiceRequest": "authored"}
# What only a few resources of one party have in common. Of what an organisation is in there are very many.
RARE: Final = frozenset({"identifier", "patient", "focus", "based-on"})


class Held:
    """A match: as it is stored (an organisation is not), and as its reader sees it, when somebody looks."""

    def __init__(
        self, kind: str, id_: UUID, updated: datetime, found: Found | None, look: Callable[[], bytes]
    ) -> None:
        self.type, self.id, self.updated, self.found = kind, id_, updated, found
        self._look = look

    @cached_property
    def looked(self) -> Looked:
        """Cut, with personal numbers by token."""
        looked = Looked(json.read(self._look()))
        moment = Moment("", Period(self.updated, self.updated + INSTANT))
        looked.rows = looked.rows._replace(dates=looked.rows.dates | {moment})
        return looked


def _cut(found: Found, sight: Visibility) -> bytes:
    numbers = {token: f"bsn:{token}" for token in tokens_in(found.body)} if sight.bsn else {}
    return shown(found.body, found.type, sight, numbers)


def sight_on(found: Found | Stands, kind: str, does: str, visit: Visit, world: World) -> Visibility:
    """What a caller sees of a type of resource in the traject of this one."""
    pathway = world.catalogue.version(found.pathway, found.pathway_version)
    organisation = visit.caller.organisation
    return sight_by_rule(does, kind, organisation, pathway, found.standing, found.involved)


class Gathering:
    """One caller's look around."""

    def __init__(self, look: Look, visit: Visit, world: World) -> None:
        self._look = look
        self._visit = visit
        self._world = world

    async def settled(self, wanted: Wanted) -> Wanted | None:
        """With what its chains and `_has` found in their place; None when nothing can match.

        Raises TooCostly, and Forbidden for a type that the caller's token may not search.
        """
        for kind in wanted.kinds():
            permit(self._visit.caller, "search", kind)
        for chain in wanted.chains:
            others = tuple((each.type, each.id) for each in await self.all_of(chain.wanted))
            if not others:
                return None
            wanted = with_reference(wanted, ReferenceClause(chain.param, others))
        for has in wanted.has:
            ids = {
                UUID(each.target)
                for one in await self.all_of(has.wanted)
                for each in one.looked.rows.references
                if (each.param, each.type) == (has.param, wanted.query.type)
            }
            already = wanted.query.ids
            ids = ids if already is None else ids.intersection(already)
            if not ids:
                return None
            wanted = _replaced(wanted, ids=tuple(ids))
        return msgspec.structs.replace(wanted, chains=(), has=())

    async def all_of(self, wanted: Wanted) -> list[Held]:
        """Everything that matches, in its order."""
        settled = await self.settled(wanted)
        if settled is None:
            return []
        query = settled.query
        candidates = (
            self._organisations(query) if query.type == ORGANIZATION else await self._candidates(settled)
        )
        # Whatever the rows say, the view of now decides.
        clauses: tuple[Clause, ...] = (*settled.rest, *query.tokens, *query.references, *query.dates)
        matches = [each for each in candidates if each.looked.matches(clauses)]
        self._look.show(each.found for each in matches if each.found is not None)
        return sorted(matches, key=lambda each: _key(each, settled.order))

    async def _candidates(self, wanted: Wanted) -> list[Held]:
        """What may match, of what the caller sees. Raises TooCostly when that would be too much."""
        query = wanted.query
        ids = query.ids
        if ids is None and (lead := rare(query)) is not None:
            ids = tuple(await self._look.led_by(query.type, lead, MOST + 1))
        if ids is not None:
            found, more = (
                await self._look.by_key([(query.type, each) for each in ids[:MOST]]),
                len(ids) > MOST,
            )
        elif has_any_rows(query.type):
            found, spot = await self._look.find(msgspec.structs.replace(query, count=MOST))
            more = spot is not None
        else:
            found = await self._look.of_trajecten(query.type, _within(wanted), MOST + 1)
            more = len(found) > MOST
        if more:
            raise too_many(query.type)
        return self.held(found, "search")

    def held(self, found: Iterable[Found], does: str) -> list[Held]:
        """Those of which the caller sees something, as it sees them."""
        sights = ((each, self.sight(each, does)) for each in found)
        return [
            Held(each.type, each.id, each.updated, each, partial(_cut, each, sight))
            for each, sight in sights
            if sight.sees(each.type)
        ]

    def sight(self, found: Found, does: str) -> Visibility:
        """What the caller sees of one."""
        return sight_on(found, found.type, does, self._visit, self._world)

    def _organisations(self, query: Query) -> list[Held]:
        return [
            Held(ORGANIZATION, each.id, self._world.started, None, partial(organisation_resource, each))
            for each in self._world.region.organisations
            if query.ids is None or each.id in query.ids
        ]

    async def count(self, query: Query) -> int | None:
        """How many rows match of what the caller sees; None when there are more than can be counted."""
        standings = await self._look.standings(query, MOST_COUNTED)
        if standings is None:
            return None
        return sum(
            many
            for each, many in standings
            if sight_on(each, query.type, "search", self._visit, self._world).sees(query.type)
        )


def by_rows(wanted: Wanted) -> bool:
    """Whether a walk through the rows says what matches, page after page."""
    query = wanted.query
    in_bodies = (
        wanted.rest or query.ids is not None or rare(query) is not None or not has_any_rows(query.type)
    )
    return not in_bodies and _way(wanted) is not None


def _way(wanted: Wanted) -> Way | None:
    """In which order rows are kept, of those that are asked for; None: in that order they are not."""
    match [(each.param, each.down) for each in wanted.order]:
        case []:
            return "by id"
        case [(param, down)] if param == UPDATED:
            return "by last change" if down else "by change"
        case [(param, down)] if param == DATED.get(wanted.query.type):
            return "by last date" if down else "by date"
    return None


def rare(query: Query) -> TokenClause | ReferenceClause | None:
    """The first clause that names what few have: these are found by it, and by nothing else."""
    if not has_any_rows(query.type):
        return None
    tokens = (each for each in query.tokens if each.param in RARE and not each.none_of)
    whole = (each for each in tokens if all(code is not None for _, code in each.one_of))
    references = (each for each in query.references if each.param in RARE)
    return next(whole, None) or next(references, None)


async def walk(wanted: Wanted, look: Look) -> tuple[list[Found], Place | None]:
    """A page of what matches by rows, and where the next begins."""
    way = _way(wanted) or "by id"
    place = wanted.place
    moment = place.moments[0] if place is not None and place.moments else None
    after = None if place is None else Spot(moment or Period.EARLIEST, place.id)
    found, spot = await look.find(wanted.query, way, after)
    return found, None if spot is None else Place((spot.at,) if wanted.order else (), spot.id)


def has_any_rows(kind: str) -> bool:
    """Whether rows are kept of this type."""
    return any(has_rows(kind, each) for each in DECLARED[kind])


def after(matches: Sequence[Held], wanted: Wanted) -> list[Held]:
    """What comes after the place where the page before ended."""
    place, order = wanted.place, wanted.order
    if place is None:
        return list(matches)
    began = (*_moments(place.moments, order), _last(place.id, order))
    return [each for each in matches if _key(each, order) > began]


def place_of(held: Held, wanted: Wanted) -> Place:
    """Where a page ends."""
    return Place(tuple(_moment(held, each) for each in wanted.order), held.id)


def too_many(kind: str) -> TooCostly:
    """Why a search is not done, and what would be."""
    return TooCostly(
        Issue(
            nl=f"Meer dan {MOST} keer {kind} zou hiervoor moeten worden doorgekeken. Maak de vraag smaller: met _id, "
            "identifier, patient, owner, status of _lastUpdated.",
            en=f"More than {MOST} of {kind} would have to be looked into for this. Narrow the search: with _id, "
            "identifier, patient, owner, status or _lastUpdated.",
        )
    )


def _key(held: Held, order: Sequence[Order]) -> tuple[Any, ...]:
    return (*_moments([_moment(held, each) for each in order], order), _last(held.id, order))


def _last(id_: UUID, order: Sequence[Order]) -> int:
    """The end of every order, in the direction of the first."""
    return -id_.int if order and order[0].down else id_.int


def _moments(moments: Sequence[datetime | None], order: Sequence[Order]) -> list[tuple[bool, float]]:
    return [
        (True, 0.0) if moment is None else (False, -moment.timestamp() if each.down else moment.timestamp())
        for moment, each in zip(moments, order, strict=True)
    ]


def _moment(held: Held, order: Order) -> datetime | None:
    """The first of its dates, or the last when the order goes down."""
    if order.param == UPDATED:
        return held.updated
    dates = [each.period for each in held.looked.rows.dates if each.param == order.param]
    if not dates:
        return None
    return max(each.high for each in dates) if order.down else min(each.low for each in dates)


def with_reference(wanted: Wanted, clause: ReferenceClause) -> Wanted:
    """The same, of what refers to one of these: by rows where they are kept."""
    if has_rows(wanted.query.type, clause.param):
        return _replaced(wanted, references=(*wanted.query.references, clause))
    return msgspec.structs.replace(wanted, rest=(*wanted.rest, clause))


def _replaced(wanted: Wanted, **changes: Any) -> Wanted:
    return msgspec.structs.replace(wanted, query=msgspec.structs.replace(wanted.query, **changes))


def _within(wanted: Wanted) -> tuple[tuple[str, UUID], ...]:
    """What names the trajecten in which to look. Raises TooCostly when it would be all."""
    references = [each for each in wanted.rest if isinstance(each, ReferenceClause)]
    selective = next(filter(None, (ours(each) for each in references)), None)
    if selective is None:
        raise nowhere(wanted.query.type)
    return selective


def ours(clause: ReferenceClause) -> tuple[tuple[str, UUID], ...] | None:
    """What a reference names of a traject; None when it names an organisation, which has many."""
    if not clause.one_of or any(kind == ORGANIZATION for kind, _ in clause.one_of):
        return None
    kinds = sorted(DECLARED.keys() - {ORGANIZATION})
    return tuple(
        (each, id_) for kind, id_ in clause.one_of for each in ([kind] if kind is not None else kinds)
    )


def nowhere(kind: str) -> TooCostly:
    """Why a search without a traject is not done, and what would be."""
    names = [
        name
        for name, each in DECLARED[kind].items()
        if each.kind == "reference" and each.target != ORGANIZATION
    ]
    listed = ", ".join(["_id", *names])
    return TooCostly(
        Issue(
            nl=f"Zonder één van deze parameters zou alles moeten worden doorgekeken: {listed}. Een organisatie is daar "
            "niet genoeg voor.",
            en=f"Without one of these parameters everything would have to be looked into: {listed}. An organisation is "
            "not enough for that.",
        )
    )
