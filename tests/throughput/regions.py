"""Small invented regions: event logs in the database, written as the service writes them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import asyncpg
import msgspec

from databases import Database
from ketenzorg import events
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.replay import replay
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.ids import uuid7
from services import REGION

BEGIN = datetime(2025, 1, 6, 9, tzinfo=UTC)  # a Monday
INSERT = (
    "insert into ketenzorg.event"
    " (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)
Entry = tuple[int, events.Event]


def organisations(kind: str) -> list[UUID]:
    return [each.id for each in REGION.organisations if each.kind == kind]


PRACTICES, TEAMS = organisations("huisartspraktijk"), organisations("welzijnsorganisatie")


class Walker:
    """Walks trajecten by the rules of the pathway, with everything that can go wrong in writing them down."""

    def __init__(self, pathway: Pathway, chance: random.Random, ending: float = 0.2) -> None:
        self.pathway = pathway
        self.chance = chance
        self.ending = ending  # the part of all steps in which a traject ends, where it can
        self._options: dict[tuple[str, tuple[tuple[str, int], ...]], list[engine.Option]] = {}

    def received(self, at: datetime) -> events.ReferralReceived:
        municipality = self.chance.choice(list(REGION.municipalities))
        return events.ReferralReceived(
            pathway=self.pathway.name,
            version=self.pathway.version,
            event=self.pathway.file.begins_with,
            step=self.pathway.file.begins,
            at=at,
            requester=self.chance.choice(PRACTICES),
            owner=self.chance.choice(TEAMS),
            service_request=uuid7(),
            task=uuid7(),
            municipality=municipality,
        )

    def walk(self, begin: datetime, until: datetime, *, days: int = 20, most: int = 25) -> list[Entry]:
        """One traject from `begin`, as far as it is at `until`: each step some days after the one before."""
        received = self.received(begin)
        log: list[Entry] = [(1, received)]
        state, now = engine.start(self.pathway, begin), begin
        for seq in count(2):
            now += timedelta(hours=self.chance.randint(1, days * 24))
            options = self._allowed(state)
            if now > until or seq > most or not options:
                return log
            if seq > 2 and isinstance(log[-1][1], events.StepTaken) and self.chance.random() < 0.08:
                log.append((seq, self._corrected(log[-1][0], log[-1][1], now)))
                state = replay(self.pathway, log)
                continue
            option = self._choose(options)
            # One in four is written down late: it happened at any moment since the beginning.
            at = now if self.chance.random() < 0.75 else begin + (now - begin) * self.chance.random()
            step, state = self._taken(state, option, at, received)
            log.append((seq, step))
        raise AssertionError

    def follow(
        self, received: events.ReferralReceived, meant: Sequence[tuple[str, datetime]], until: datetime
    ) -> list[Entry]:
        """One traject to which exactly these events happen, as far as it is at `until`."""
        log: list[Entry] = [(1, received)]
        state = engine.start(self.pathway, received.at)
        for event, at in meant:
            if at > until:
                break
            option = next(each for each in engine.allowed(self.pathway, state) if each.event == event)
            step, state = self._taken(state, option, at, received)
            log.append((len(log) + 1, step))
        return log

    def _choose(self, options: list[engine.Option]) -> engine.Option:
        endings = [option for option in options if self.pathway.steps[option.to_step].ends]
        others = [option for option in options if option not in endings]
        if endings and (not others or self.chance.random() < self.ending):
            return self.chance.choice(endings)
        return self.chance.choice(others)

    def _allowed(self, state: engine.State) -> list[engine.Option]:
        key = (state.step, tuple(sorted(state.counts.items())))
        if key not in self._options:
            self._options[key] = engine.allowed(self.pathway, state)
        return self._options[key]

    def _taken(
        self, state: engine.State, option: engine.Option, at: datetime, received: events.ReferralReceived
    ) -> tuple[events.StepTaken, engine.State]:
        needs = self.pathway.file.needs
        given = {name: self.chance.choice(needs[name].codes or ["-"]) for name in option.needs}
        given |= {
            name: self.chance.choice(needs[name].codes or ["-"])
            for name in option.may
            if self.chance.random() < 0.5
        }
        taken = engine.advance(self.pathway, state, option.event, self.chance.choice(option.by), at, given)
        event = events.StepTaken(
            event=taken.event,
            from_step=taken.from_step,
            to_step=taken.to_step,
            at=at,
            by=taken.by,
            organisation=received.owner,
            task=received.task,
            task_status=taken.task,
            reason=taken.reason.code if taken.reason else None,
            exit=taken.exit or None,
            codes={name: value for name, value in given.items() if needs[name].codes},
            outputs=taken.output,
        )
        return event, taken.state

    def _corrected(self, seq: int, mistake: events.StepTaken, at: datetime) -> events.StepCorrected:
        return events.StepCorrected(
            corrects=seq,
            from_step=mistake.to_step,
            to_step=mistake.from_step,
            at=at,
            by=mistake.by,
            organisation=mistake.organisation,
            task=mistake.task,
            task_status="requested",
        )


def region(
    pathway: Pathway, seed: int, trajecten: int, weeks: int, *, until: datetime, ending: float = 0.2
) -> list[list[Entry]]:
    """The logs of so many trajecten that began in the weeks before `until`."""
    walker = Walker(pathway, random.Random(seed), ending)
    span = timedelta(weeks=weeks)
    return [walker.walk(until - span * walker.chance.random(), until) for _ in range(trajecten)]


def rows_of(
    logs: Sequence[tuple[UUID, Sequence[Entry]]], code: str = REGION.code
) -> Iterator[tuple[object, ...]]:
    """The rows of the event table, without the transaction that the database fills in."""
    for traject, log in logs:
        for seq, event in log:
            at = event.at
            yield (
                code,
                traject,
                seq,
                uuid7(),
                getattr(event, "event", "hersteld"),
                at,
                at,
                getattr(event, "from_step", ""),
                getattr(event, "to_step", ""),
                msgspec.json.encode(event).decode(),
                [],
            )


async def write(
    to: Database | asyncpg.Connection, logs: Sequence[tuple[UUID, Sequence[Entry]]], code: str = REGION.code
) -> None:
    """Put events into the log of a region; in one transaction, or in that of this connection."""
    connection = await asyncpg.connect(for_asyncpg(to.admin_url)) if isinstance(to, Database) else to
    try:
        await connection.executemany(INSERT, rows_of(logs, code))
    finally:
        if isinstance(to, Database):
            await connection.close()
