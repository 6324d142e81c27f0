"""Keeps the counts in step with the event log: a piece at a time, by whoever comes first, never twice.

Events are read in commit order, up to the oldest transaction that still runs. What a piece changes is what its
trajecten add now, less what they added up to the piece before: so late and corrected events need nothing special,
and counting along is the same as counting again.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg import events
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.store.database import Database
from ketenzorg.throughput.facts import FACTS, Fact, Rules, told

EVENTS = 2_000  # in one piece: a tenth of a second
TRAJECTEN = 500  # in one piece of counting again
BEHIND = 1_000  # from here on "how far behind" is only "far"
EVERYBODY = UUID(int=0)
COLUMNS = 12  # of a change, as add_counts takes them

_decoder = msgspec.json.Decoder(events.Event)
_Facts = Counter[tuple[str, UUID, UUID, str, Fact, bool]]  # pathway, requester, owner, municipality; first?


class Rollup:
    """The counts of one region."""

    def __init__(self, database: Database, region: str, catalogue: Catalogue) -> None:
        self._database = database
        self._region = region
        self._rules = {(each.name, each.version): Rules(each) for each in catalogue.versions()}
        definitions = [[*key, rules.stamp()] for key, rules in sorted(self._rules.items())]
        self._stamp = sha256(msgspec.json.encode([FACTS, definitions], order="sorted")).hexdigest()

    async def fold(self) -> int:
        """Count the next piece of the log; the number of events in it, 0 when there is none.

        Two at once: one of them counts it, the other one's work is dropped.
        """
        while _work_in(piece := await self._ask()):
            events_in_it = await self._fold(piece)
            if events_in_it:
                return events_in_it
        return 0

    async def fold_until_current(self, pieces: int | None = None) -> tuple[str, ...] | None:
        """Count until nothing is left, or at most so many pieces: who waits for a page does not wait for a year.

        What is counted then, as a name: the counts are the same for as long as the name is. None: not all is counted.
        """
        while pieces is None or pieces > 0:
            piece = await self._ask()
            if not _work_in(piece):
                return (str(piece["xid"]), str(piece["id"]), str(piece["stamp"]))
            await self._fold(piece)
            pieces = None if pieces is None else pieces - 1
        return None

    async def recount(self) -> None:
        """Count everything again from nothing. Until it is done, pages show what is counted so far, and say so."""
        await self._reset()
        await self.fold_until_current()

    async def behind(self) -> int:
        """How many events are not counted yet, at most BEHIND."""
        rows = await self._database.fetch("select counts_behind($1, $2) as n", self._region, BEHIND)
        return int(rows[0]["n"])

    async def _ask(self) -> Any:
        """The next piece of work, with nothing in it when everything is counted."""
        ask = "select * from next_counts($1, $2, $3)"
        rows = await self._database.fetch(ask, self._region, EVENTS, TRAJECTEN)
        if not rows or rows[0]["stamp"] != self._stamp:
            # Never counted, or counted with other definitions.
            await self._reset()
            rows = await self._database.fetch(ask, self._region, EVENTS, TRAJECTEN)
        return rows[0]

    async def _fold(self, piece: Any) -> int:
        logs = await self._database.fetch(
            "select * from logs_to_count($1, $2, $3, $4, $5, $6)",
            self._region,
            piece["trajecten"] or [],
            *(piece[name] for name in ("xid", "id", "next_xid", "next_id")),
        )
        sweeping = piece["sweep"] is not None
        await self._add(piece, self._change(logs, sweeping=sweeping))
        return len(logs) if sweeping else int(piece["events"])

    async def _reset(self) -> None:
        await self._database.fetch("select reset_counts($1, $2)", self._region, self._stamp)

    def _change(self, logs: Iterable[Any], *, sweeping: bool) -> _Facts:
        change: _Facts = Counter()
        for _, rows in groupby(logs, key=itemgetter("traject")):
            log = [(row["counted"], (row["seq"], _decoder.decode(row["body"]))) for row in rows]
            self._count([event for _, event in log], 1, change)
            if not sweeping:
                self._count([event for counted, event in log if counted], -1, change)
        return change

    def _count(self, log: list[tuple[int, events.Event]], sign: int, change: _Facts) -> None:
        received = next((event for _, event in log if isinstance(event, events.ReferralReceived)), None)
        rules = self._rules.get((received.pathway, received.version)) if received else None
        traject = told(log, rules) if rules else None
        if traject is not None:
            of = (traject.pathway, traject.requester, traject.owner, traject.municipality)
            for fact, first in traject.facts:
                change[*of, fact, first] += sign

    async def _add(self, piece: Any, change: _Facts) -> None:
        rows = [
            (*of, *fact, first, n) for (*of, fact, first), n in ((key, n) for key, n in change.items() if n)
        ]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * COLUMNS
        await self._database.fetch(
            "select add_counts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
            " $20)",
            self._region,
            *(piece[name] for name in ("xid", "id", "sweep", "stamp", "next_xid", "next_id", "next_sweep")),
            *columns,
        )


def _work_in(piece: Any) -> bool:
    return piece["trajecten"] is not None or piece["sweep"] is not None
