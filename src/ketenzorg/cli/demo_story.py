"""What happens in the demo: every referral and every act in the order of their dates, over HTTP."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from random import Random
from typing import NamedTuple
from uuid import UUID

from ketenzorg.cli.demo_coaches import act
from ketenzorg.cli.demo_courses import (
    Act,
    Way,
    all_the_way,
    course_of,
    crisis,
    never_reached,
    refused,
    reopened,
    usual_ways,
)
from ketenzorg.cli.demo_lines import Json, Lines, NotAsExpected, said
from ketenzorg.cli.demo_referrals import SEED, Case, Period, bundle_of
from ketenzorg.errors import Issue
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region

# By number: what must be seen once happens early enough to be over, whatever chance brings the others.
CERTAIN: dict[int, Way] = {17: refused, 21: reopened, 25: crisis, 29: never_reached, 62: refused}
NOON = 12
SENT_TWICE, SENT_CHANGED, SENT_WITH_ALARM = 30, 31, 32


@dataclass
class Running:
    """A referral that was sent: where it is and what happened to it."""

    case: Case
    owner: Organisation
    task: str
    step: str
    answer: Json
    happened: list[Act] = field(default_factory=list)


class Moment(NamedTuple):
    """Something that happens: an act on a referral, or (without one) the sending of it."""

    at: datetime
    number: int
    what: Act | None


@dataclass
class Story:
    """The world of the demo, and what happened in it."""

    region: Region
    pathway: Pathway
    period: Period
    cases: list[Case]
    lines: Lines
    running: dict[int, Running] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def hero(self) -> Case:
        """The referral that is told from beginning to end: the first of his-demo's practice that says why."""
        practice = self.region.of_client("his-demo").id
        return next(case for case in self.cases if case.practice.id == practice and "reden" in case.answers)

    async def play(self, tell: Callable[[date, int, int], None]) -> None:
        """Everything until today; `tell` hears of each month: referrals sent and steps taken in it."""
        moments = sorted(self._moments(), key=lambda each: (each.at, each.number))
        for month, in_month in groupby(moments, key=lambda each: each.at.date().replace(day=1)):
            count: Counter[bool] = Counter()
            for _, half_day in groupby(in_month, key=lambda each: (each.at.date(), each.at.hour < NOON)):
                together = list(half_day)
                await self._at(together[-1].at, together)
                count.update(each.what is None for each in together)
            tell(month, count[True], count[False])
        await self.lines.move_clock(self.period.today, self._keeper)

    @property
    def _keeper(self) -> Organisation:
        return self.region.of_client("ketenteam-demo")

    async def _at(self, moment: datetime, together: list[Moment]) -> None:
        """What a half day brings is written down at its end: that moves the clock half as often."""
        await self.lines.move_clock(moment, self._keeper)
        for each in together:
            if each.what is None:
                await self._refer(self.cases[each.number - 1])
            else:
                await self._act(self.running[each.number], each.what)

    def _moments(self) -> Iterator[Moment]:
        for case, usual in zip(self.cases, usual_ways(SEED), strict=False):
            yield Moment(case.at, case.number, None)
            for what in self._course(case, usual):
                if what.at <= self.period.today:
                    yield Moment(what.at, case.number, what)

    def _course(self, case: Case, usual: Way) -> list[Act]:
        chance = Random(f"{SEED} {case.number}")  # noqa: S311  (its own: what is added later changes no other)
        way = all_the_way if case is self.hero else CERTAIN.get(case.number, usual)
        return course_of(way, case, chance)

    async def _refer(self, case: Case) -> None:
        line = self.lines.of(case.practice)
        if case.number == SENT_WITH_ALARM:
            await self._refused_by_alarm(case)
        answer = await line.call("POST", "/fhir", bundle_of(case, self.pathway))
        task = _location(answer, "Task")
        seen = await line.call("GET", f"/fhir/{task}")
        owner = self.region.by_id(UUID(seen["owner"]["reference"].partition("/")[2]))
        if owner is None or "201" not in answer["entry"][0]["response"]["status"]:
            raise _odd("een nieuwe verwijzing", "a new referral")
        self.running[case.number] = Running(case, owner, task, seen["businessStatus"]["text"], answer)
        if case.number == SENT_TWICE:
            await self._sent_again(case, answer)
        if case.number == SENT_CHANGED:
            await self._sent_with_other_content(case)

    async def _act(self, running: Running, what: Act) -> None:
        by_coach = what.by == self.pathway.role_of("owner")
        organisation = running.owner if by_coach else running.case.practice
        line = self.lines.of(organisation)
        after = await act(line, running.task, what, organisation, self.pathway)
        running.task, running.step = f"Task/{after['id']}", after["businessStatus"]["text"]
        running.happened.append(what)
        self.events[what.event] += 1

    async def _sent_again(self, case: Case, first: Json) -> None:
        """A system that did not hear the answer sends again."""
        again = await self.lines.of(case.practice).call("POST", "/fhir", bundle_of(case, self.pathway))
        if _location(again, "Task") != _location(first, "Task"):
            raise _odd("dezelfde verwijzing nog eens", "the same referral again")
        self.refusals["zelfde verwijzing nog eens"] = f"200  {_notices(again)[0]}"

    async def _sent_with_other_content(self, case: Case) -> None:
        changed = bundle_of(case, self.pathway)
        changed["entry"][2]["resource"]["code"]["text"] = "eerder genoteerd, nu anders"
        answer = await self.lines.of(case.practice).call("POST", "/fhir", changed, expect=409)
        self.refusals["zelfde kenmerk, andere inhoud"] = f"409  {said(answer)[0]}"

    async def _refused_by_alarm(self, case: Case) -> None:
        """The same referral with danger in it: refused, and really not there. Without it, it is sent after."""
        line, bundle = self.lines.of(case.practice), bundle_of(case, self.pathway)
        answers = bundle["entry"][3]["resource"]["item"]
        next(each for each in answers if each["linkId"] == "gevaar")["answer"] = [{"valueBoolean": True}]
        answer = await line.call("POST", "/fhir", bundle, expect=422)
        found = await line.call("GET", f"/fhir/ServiceRequest?identifier={'|'.join(case.identifier)}")
        if found.get("entry"):
            raise _odd("een verwijzing met acuut gevaar", "a referral with acute danger")
        self.refusals["alarmvraag met ‘ja’"] = f"422  {said(answer)[0]}"


def notices_of(running: Running) -> list[str]:
    """What the answer to the referral told its sender."""
    return _notices(running.answer)


def _notices(answer: Json) -> list[str]:
    outcomes = (entry["response"].get("outcome", {}) for entry in answer["entry"])
    return [text for outcome in outcomes for text in said(outcome)]


def _location(answer: Json, kind: str) -> str:
    locations: Iterator[str] = (entry["response"]["location"] for entry in answer["entry"])
    return next(each for each in locations if each.startswith(f"{kind}/")).partition("/_history")[0]


def _odd(nl: str, en: str) -> NotAsExpected:
    return NotAsExpected(
        Issue(nl=f"Het antwoord op {nl} klopt niet.", en=f"The answer to {en} is not right.")
    )
