"""What comes along with the matches of a search: what they refer to, and what refers to them, as their reader sees it.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from ketenzorg.access.rules import may
from ketenzorg.coordination.reading.gathering import Gathering, Held, with_reference
from ketenzorg.coordination.reading.wanted import Brings, Wanted
from ketenzorg.coordination.world import Visit
from ketenzorg.fhir.search_in_body import ORGANIZATION
from ketenzorg.store.query import Query, ReferenceClause
from ketenzorg.store.reading import Found
from ketenzorg.store.searching import Look

ROUNDS: Final = 3  # how far :iterate goes
MOST: Final = 500  # resources that come along
One = tuple[str, UUID]


class Along:
    """What came along so far."""

    def __init__(self, look: Look, gathering: Gathering, visit: Visit, matches: Sequence[Held]) -> None:
        self._look = look
        self._gathering = gathering
        self._visit = visit
        self._there = {(each.type, each.id) for each in matches}
        self.found: list[Found] = []
        self.organisations: list[UUID] = []
        self.more = False  # whether something had to be left behind

    async def bring(self, matches: Sequence[Held], brings: Sequence[Brings]) -> None:
        """All of it, round after round."""
        newest: Sequence[Held] = matches
        for turn in range(ROUNDS):
            asked = [each for each in brings if each.iterate or not turn]
            if not newest or not asked:
                return
            found = [*await self._referred(newest, asked), *await self._referring(newest, asked)]
            newest = self._gathering.held(found, "include")

    async def _referred(self, newest: Sequence[Held], asked: Iterable[Brings]) -> list[Found]:
        forward = {(each.kind, each.param, each.target) for each in asked if not each.reverse}
        wanted = sorted(
            {
                (row.type, UUID(row.target))
                for each in newest
                for row in each.looked.rows.references
                if {(each.type, row.param, ""), (each.type, row.param, row.type)} & forward
            }
        )
        wanted = self._new(wanted)
        self.organisations += [id_ for kind, id_ in wanted if kind == ORGANIZATION]
        found = await self._look.by_id([each for each in wanted if each[0] != ORGANIZATION])
        self.found += found
        return found

    async def _referring(self, newest: Sequence[Held], asked: Iterable[Brings]) -> list[Found]:
        referring: list[Found] = []
        for each in asked:
            to = tuple((one.type, one.id) for one in newest if each.target in ("", one.type))
            if each.reverse and to and may(self._visit.caller, "search", each.kind):
                wanted = Wanted(query=Query(type=each.kind, count=MOST))
                held = await self._gathering.all_of(with_reference(wanted, ReferenceClause(each.param, to)))
                new = set(self._new([(one.type, one.id) for one in held]))
                referring += [
                    one.found for one in held if one.found is not None and (one.type, one.id) in new
                ]
        self.found += referring
        return referring

    def _new(self, wanted: Iterable[One]) -> list[One]:
        """Those that are not there yet and that the token may read, as many as there is room for."""
        new = [
            each
            for each in dict.fromkeys(wanted)
            if each not in self._there and may(self._visit.caller, "include", each[0])
        ]
        room = MOST - len(self.found) - len(self.organisations)
        self.more = self.more or len(new) > room
        self._there.update(new[:room])
        return new[:room]
