"""What matches a search where rows alone do not say it: looked up in a bounded number of bodies.

A resource is cut to what its reader sees before it is matched: nothing hidden can be searched on. What a chain or a
`_has` asks of others is searched in the same way, as the caller, before what refers to them is.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
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
from ketenzorg.store.reading import Found
from ketenzorg.store.searching import Look, Query, ReferenceClause, Stands

MOST: Final = 500  # resources that one search looks into
MOST_COUNTED: Final = 10_000
NOWHERE: Final = UUID(int=0)


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
        if self.found is None:
            moment = Moment("", Period(self.updated, self.updated))
            looked.rows = looked.rows._replace(dates=frozenset({moment}))
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
        if query.type == ORGANIZATION:
            candidates = self._organisations(query)
        else:
            candidates = await self._candidates(_within(settled))
        # Who finds by a number knows it: whatever the rows say, the view of now decides.
        clauses: tuple[Clause, ...] = (*settled.rest, *(each for each in query.tokens if each.numbers))
        if query.type == ORGANIZATION:
            clauses += query.dates
        matches = [each for each in candidates if each.looked.matches(clauses)]
        self._look.show(each.found for each in matches if each.found is not None)
        return sorted(matches, key=lambda each: _key(each, settled.order))

    async def _candidates(self, query: Query) -> list[Held]:
        found, more = await self._look.find(msgspec.structs.replace(query, after=None, count=MOST))
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
        if sum(many for _, many in standings) > MOST_COUNTED:
            return None
        return sum(
            many
            for each, many in standings
            if sight_on(each, query.type, "search", self._visit, self._world).sees(query.type)
        )


def by_rows(wanted: Wanted) -> bool:
    """Whether rows say what matches, page after page."""
    return not (
        wanted.rest or wanted.order or wanted.place is not None or not has_any_rows(wanted.query.type)
    )


def has_any_rows(kind: str) -> bool:
    """Whether rows are kept of this type."""
    return any(has_rows(kind, each) for each in DECLARED[kind])


def after(matches: Sequence[Held], wanted: Wanted) -> list[Held]:
    """What comes after the place where the page before ended."""
    place = wanted.place
    if place is None and wanted.query.after is not None:
        place = Place((), wanted.query.after)
    if place is None:
        return list(matches)
    began = (*_moments(place.moments, wanted.order), place.id)
    return [each for each in matches if _key(each, wanted.order) > began]


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
    return (*_moments([_moment(held, each) for each in order], order), held.id)


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


def _within(wanted: Wanted) -> Query:
    """The query, with the trajecten in which to look when no rows are kept. Raises TooCostly when it would be all."""
    query = wanted.query
    if has_any_rows(query.type) or query.ids is not None:
        return query
    references = [each for each in wanted.rest if isinstance(each, ReferenceClause)]
    selective = next(filter(None, (ours(each) for each in references)), None)
    if selective is None:
        raise nowhere(query.type)
    return msgspec.structs.replace(query, within=selective)


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
