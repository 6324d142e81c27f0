"""The watcher of the clock: what has run out is written down once, and who must act, or must know, is told.

The log knows what was told of which norm and when that was armed, so looking once more, or after weeks, tells nothing
twice: a row of the clock only says when to look. What happened while nobody looked is told in the order of its moments.
"""

import asyncio
from collections import defaultdict
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.coordination.steps.urgency import how_soon
from ketenzorg.coordination.world import World
from ketenzorg.events import NormEscalated, NormExceeded, NormReminded, OfNorm
from ketenzorg.logs import CLOCK_STUMBLED, log
from ketenzorg.pathway.clocks import URGENCY
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.telling import NAMES, Rung, rungs, told_by
from ketenzorg.store.dues import Looked, Past, Told

MOST = 200  # norms of one round: a flood goes in pieces, and no step waits long for one
EVERY_S = 2.0  # between two looks: the shortest norms are of hours
JUST_AFTER = timedelta(milliseconds=1)  # at the last moment itself a norm is still met
AGAIN = timedelta(hours=1)  # after one on which we stumbled


@dataclass(frozen=True, eq=False)
class Watcher:
    """Any number of these may run beside each other: the database decides who looks at what."""

    world: World

    async def look(self, now: datetime) -> int:
        """One round: tell what must be told at this moment, a bounded number; how many norms were looked at."""
        return await self.world.dues.tell(now, MOST, lambda past: self._decide(past, now))

    async def run(self, stop: asyncio.Event) -> None:
        """Round after round until `stop`."""
        while not stop.is_set():
            try:
                if await self.look(self.world.now()):
                    continue
            except Exception as error:
                log(CLOCK_STUMBLED, error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)

    async def pass_time(self, until: datetime) -> None:
        """In a sandbox time leaps: everything on the way happens at its own moment."""
        while (moment := await self.world.dues.next_look()) is not None and moment < until:
            if not await self.look(moment + JUST_AFTER):
                return

    def _decide(self, past: list[Past], now: datetime) -> tuple[list[Told], list[Looked]]:
        # What was not claimed may come before what follows later on what was.
        horizon = past[-1].look if len(past) == MOST else now
        found: list[_Due] = []
        looked = []
        # A norm that was past, stood still and is past again has two rows: what the one tells, the other need not.
        told: defaultdict[tuple[UUID, str, datetime, str], set[tuple[str, str]]] = defaultdict(set)
        for each in past:
            try:
                pathway = self._pathway(each)
                same = told[each.traject, each.norm, each.began, each.within]
                left = _left(each, now, pathway, same)
                here = [rung for rung in left if rung.at <= horizon]
                found += [_due(rung, each, pathway) for rung in here]
                same |= {(_tag(rung.kind), rung.after) for rung in here}
                again = next((rung.at for rung in left if rung.at > horizon), None)
            except Exception as error:  # one on which we stumble holds up no other
                log(CLOCK_STUMBLED, traject=str(each.traject), error=type(error).__name__)
                again = now + AGAIN
            looked.append(Looked(each.traject, each.norm, each.began, each.at, again))
        found.sort(key=lambda each: each.rung.at)
        ids = sorted(self.world.new_id() for _ in found)  # who follows the log follows ids
        return [self._told(*pair) for pair in zip(found, ids, strict=True)], looked

    def _told(self, due: "_Due", id_: UUID) -> Told:
        rung, past = due.rung, due.past
        return Told(
            traject=past.traject,
            id=id_,
            event=NAMES[rung.kind],
            at=rung.at,
            step=past.step,
            body=_event(due),
            parties=due.told if rung.kind is NormReminded else past.involved,
            told=due.told,
            task=past.task,
            priority=due.priority,
        )

    def _pathway(self, past: Past) -> Pathway:
        return self.world.catalogue.version(past.pathway, past.version).in_municipality(past.municipality)


class _Due(NamedTuple):
    """One thing to tell now: of what, whose turn it is, and who hears it."""

    rung: Rung
    past: Past
    role: str
    told: tuple[UUID, ...]
    priority: str  # how soon the message must arrive


def _due(rung: Rung, past: Past, pathway: Pathway) -> _Due:
    named = [past.roles.get(role) for role in told_by(rung, pathway, past.step)]
    here = tuple(dict.fromkeys(party for party in named if party in past.involved))
    # Where nobody has the part that should hear it, everybody does: no patient waits unseen.
    told = here or past.involved
    return _Due(rung, past, pathway.steps[past.step].owner, told, how_soon(pathway, past.counts))


def _left(past: Past, now: datetime, pathway: Pathway, told: Set[tuple[str, str]]) -> list[Rung]:
    """What was not told yet; a reminder of what is past reminds nobody."""
    ladder = rungs(pathway.clock(past.norm), past.began, past.at)
    known = {(each.kind, each.after or "") for each in past.told} | told
    done = [place for place, rung in enumerate(ladder) if (_tag(rung.kind), rung.after) in known]
    left = ladder[max(done, default=-1) + 1 :]
    if past.until is not None:
        return [rung for rung in left if rung.kind is NormExceeded]
    return [rung for rung in left if rung.kind is not NormReminded or past.at > now]


def _event(due: _Due) -> OfNorm:
    rung, past = due.rung, due.past
    urgencies = (name.removeprefix(f"{URGENCY}:") for name in past.counts if name.startswith(f"{URGENCY}:"))
    about: dict[str, Any] = {
        "norm": past.norm,
        "began": past.began,
        "within": past.within,
        "due": past.at,
        "at": rung.at,
        "step": past.step,
        "task": past.task,
        "role": due.role,
        "organisation": past.roles.get(due.role),
        "told": due.told,
        "urgency": next(urgencies, ""),
    }
    return NormEscalated(**about, after=rung.after) if rung.kind is NormEscalated else rung.kind(**about)


def _tag(kind: type[OfNorm]) -> str:
    return str(kind.__struct_config__.tag)
