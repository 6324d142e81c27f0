"""What happens in the demo: every referral and every act on its day, over HTTP."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from random import Random
from typing import NamedTuple
from uuid import UUID

from ketenzorg.cli.demo.answers import location, notices, to_act
from ketenzorg.cli.demo.cases import Case, Period
from ketenzorg.cli.demo.chain_story import ChainStory
from ketenzorg.cli.demo.coaches import Said, act
from ketenzorg.cli.demo.courses import Act, Course, Way, pick_way
from ketenzorg.cli.demo.lines import Json, Lines, NotAsExpected, said
from ketenzorg.cli.demo.play import Play
from ketenzorg.cli.demo.referrals import SEED, bundle_of
from ketenzorg.errors import Issue
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Organisation, Region

SENT_TWICE, SENT_CHANGED, SENT_WITH_ALARM = 30, 31, 32
FEWEST = 40  # referrals: less is no story


@dataclass
class Running:
    """A referral that was sent: where it is and what happened to it."""

    case: Case
    owner: Organisation
    task: str
    step: str
    answer: Json
    happened: list[Act] = field(default_factory=list)
    seen: tuple[UUID, Json] | None = None  # who acted last, and what the Task was then


class Moment(NamedTuple):
    """Something that happens: an act on a referral, or (without one) the sending of it."""

    at: datetime
    number: int
    what: Act | None


@dataclass
class Story:
    """The world of the demo, and what happened in it."""

    region: Region
    catalogue: Catalogue
    plays: dict[str, Play]
    period: Period
    cases: list[Case]
    lines: Lines
    chains: ChainStory
    running: dict[int, Running] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    @cached_property
    def _waiting(self) -> dict[str, dict[int, Way]]:
        """By pathway: the referrals that wait for something today."""
        return {
            name: play.waiting([each for each in self.cases if each.pathway == name], self.period.today)
            for name, play in self.plays.items()
        }

    @property
    def hero(self) -> Case:
        """The referral that is told from beginning to end: the first of his-demo's practice that says why."""
        practice = self.region.of_client("his-demo").id
        return next(case for case in self.cases if case.practice.id == practice and "reden" in case.answers)

    def pathway(self, case: Case) -> Pathway:
        """The pathway that this referral is for."""
        return self.catalogue.current(case.pathway)

    async def play(self, after_month: Callable[[date, int, int], Awaitable[None]]) -> None:
        """Everything until today; `after_month` hears of each month: referrals sent and steps taken in it."""
        moments = sorted(self._moments(), key=lambda each: (each.at, each.number))
        for month, in_month in groupby(moments, key=lambda each: local_day(each.at).replace(day=1)):
            count: Counter[bool] = Counter()
            for _, on_day in groupby(in_month, key=lambda each: local_day(each.at)):
                together = list(on_day)
                await self._day(together)
                count.update(each.what is None for each in together)
            await after_month(month, count[True], count[False])
        await self._until(local_day(self.period.today))
        await self.lines.move_clock(self.period.today, self._keeper)

    @property
    def _keeper(self) -> Organisation:
        return self.region.of_client("ketenteam-demo")

    async def _day(self, together: list[Moment]) -> None:
        """What a day brings is written down at its end: all referrals at once, each in its own order."""
        day = local_day(together[-1].at)
        await self._until(day)
        beside = self.chains.due(day)
        await self.lines.move_clock(
            max([each.at for each in together] + [each.at for each in beside]), self._keeper
        )
        number = attrgetter("number")
        try:
            async with asyncio.TaskGroup() as group:
                for one in beside:
                    group.create_task(self.chains.go_on(one))
                for _, of_one in groupby(sorted(together, key=number), key=number):
                    group.create_task(self._in_order(list(of_one)))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _until(self, day: date) -> None:
        """The days before this one on which something happens in the other pathways only."""
        for together in self.chains.days_before(day):
            await self.lines.move_clock(max(each.at for each in together), self._keeper)
            for one in together:
                await self.chains.go_on(one)

    async def _in_order(self, of_one: list[Moment]) -> None:
        for each in of_one:
            if each.what is None:
                await self._refer(self.cases[each.number - 1])
            else:
                await self._act(self.running[each.number], each.what)

    def _moments(self) -> Iterator[Moment]:
        for case in self.cases:
            yield Moment(case.at, case.number, None)
            for what in self._course(case):
                if what.at <= self.period.today:
                    yield Moment(what.at, case.number, what)

    def _course(self, case: Case) -> list[Act]:
        chance = Random(f"{SEED} {case.number}")  # noqa: S311  (its own: what is added later changes no other)
        play, place = self.plays[case.pathway], case.practice.municipality
        usual = pick_way(play.ways_at(place), chance)
        known = {**play.certain, **self._waiting[case.pathway]}
        way = play.whole_way if case is self.hero else known.get(case.number, usual)
        role = self.pathway(case).role_of("owner")
        team = self.region.candidates(self.pathway(case), role, place)[0]
        course = Course(case, role, play.manner(team.ura, place), play.feedback, chance)
        way(course)
        return course.all_acts()

    async def _refer(self, case: Case) -> None:
        line = self.lines.of(case.practice)
        if case.number == SENT_WITH_ALARM:
            await self._refused_by_alarm(case)
        answer = await line.call("POST", "/fhir", self._bundle(case))
        owner = to_act(answer, self.region)
        if owner is None or "201" not in answer["entry"][0]["response"]["status"]:
            raise _odd("een nieuwe verwijzing", "a new referral")
        begins = self.pathway(case).file.begins
        self.running[case.number] = Running(case, owner, location(answer, "Task"), begins, answer)
        if case.number == SENT_TWICE:
            await self._sent_again(case, answer)
        if case.number == SENT_CHANGED:
            await self._sent_with_other_content(case)

    def _bundle(self, case: Case) -> Json:
        return bundle_of(case, self.plays[case.pathway], self.pathway(case))

    async def _act(self, running: Running, what: Act) -> None:
        pathway, play = self.pathway(running.case), self.plays[running.case.pathway]
        by_owner = what.by == pathway.role_of("owner")
        who = running.owner if by_owner else running.case.practice
        seen = running.seen[1] if running.seen and running.seen[0] == who.id else None
        status = play.statuses.get(what.event) if by_owner else None
        after = await act(self.lines.of(who), Said(running.task, what, status, seen), who, pathway)
        running.task, running.step = f"Task/{after['id']}", after["businessStatus"]["text"]
        running.seen = who.id, after
        running.happened.append(what)
        self.events[what.event] += 1

    async def _sent_again(self, case: Case, first: Json) -> None:
        """A system that did not hear the answer sends again."""
        again = await self.lines.of(case.practice).call("POST", "/fhir", self._bundle(case))
        if location(again, "Task") != location(first, "Task"):
            raise _odd("dezelfde verwijzing nog eens", "the same referral again")
        self.refusals["zelfde verwijzing nog eens"] = f"200  {notices(again)[0]}"

    async def _sent_with_other_content(self, case: Case) -> None:
        changed = self._bundle(case)
        changed["entry"][2]["resource"]["code"]["text"] = "eerder genoteerd, nu anders"
        answer = await self.lines.of(case.practice).call("POST", "/fhir", changed, expect=409)
        self.refusals["zelfde kenmerk, andere inhoud"] = f"409  {said(answer)[0]}"

    async def _refused_by_alarm(self, case: Case) -> None:
        """The same referral with danger in it: refused, and really not there. Without it, it is sent after."""
        line, bundle = self.lines.of(case.practice), self._bundle(case)
        answers = bundle["entry"][3]["resource"]["item"]
        next(each for each in answers if each["linkId"] == "gevaar")["answer"] = [{"valueBoolean": True}]
        answer = await line.call("POST", "/fhir", bundle, expect=422)
        found = await line.call("GET", f"/fhir/ServiceRequest?identifier={'|'.join(case.identifier)}")
        if found.get("entry"):
            raise _odd("een verwijzing met acuut gevaar", "a referral with acute danger")
        self.refusals["alarmvraag met ‘ja’"] = f"422  {said(answer)[0]}"


def notices_of(running: Running) -> list[str]:
    """What the answer to the referral told its sender."""
    return notices(running.answer)


def _odd(nl: str, en: str) -> NotAsExpected:
    return NotAsExpected(
        Issue(nl=f"Het antwoord op {nl} klopt niet.", en=f"The answer to {en} is not right.")
    )
