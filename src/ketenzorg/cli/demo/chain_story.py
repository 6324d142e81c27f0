"""What happens in the demo's other pathways: whose turn it is asks what may happen, and does what is likely."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import NamedTuple
from uuid import UUID

from ketenzorg.cli.demo.answers import location, to_act
from ketenzorg.cli.demo.cases import working_days_later
from ketenzorg.cli.demo.chain import Next
from ketenzorg.cli.demo.chain_referrals import ChainCase, chain_bundle
from ketenzorg.cli.demo.chains import TEXTS
from ketenzorg.cli.demo.coaches import Said, say_event
from ketenzorg.cli.demo.courses import Act
from ketenzorg.cli.demo.lines import Json, Lines, NotAsExpected
from ketenzorg.cli.demo.referrals import SEED
from ketenzorg.coordination.steps.handing_over import capability_in
from ketenzorg.errors import Issue
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Organisation, Region

OPEN = "requested,received,accepted,in-progress,on-hold"
CLOSED = frozenset({"completed", "rejected", "failed", "cancelled"})
ASKED = " (informatie gevraagd)"  # ends the name of the side step in which the sender owes an answer
ANSWER = (Next("informatie gegeven", 1, (1, 4)),)


class Option(NamedTuple):
    """Something that may happen, as $next tells it."""

    event: str
    to_step: str
    needs: dict[str, tuple[str, ...]]  # what it must bring -> the codes to choose from, when there are
    performer: UUID | None  # who would get the work


@dataclass
class Travelling:
    """A referral on its way."""

    case: ChainCase
    chance: Random
    at: datetime  # of what comes next
    parties: dict[str, Organisation] = field(default_factory=dict)  # role -> who plays it
    request: str = ""
    task: str = ""
    turn: Organisation | None = None
    chosen: tuple[Act, Option] | None = None


@dataclass
class ChainStory:
    """Every referral of these pathways, and what happened."""

    region: Region
    catalogue: Catalogue
    lines: Lines
    today: datetime
    waiting: list[Travelling]
    sent: Counter[str] = field(default_factory=Counter)  # pathway -> referrals
    steps: Counter[str] = field(default_factory=Counter)  # pathway -> events
    houses: Counter[str] = field(default_factory=Counter)  # pathway -> hand-overs to another organisation

    def due(self, last: date) -> list[Travelling]:
        """What comes next until this day, in the order of time."""
        return sorted(
            (each for each in self.waiting if local_day(each.at) <= last),
            key=lambda each: (each.at, each.case.key),
        )

    def days_before(self, day: date) -> Iterator[list[Travelling]]:
        """Each earlier day on which something happens, as long as there is one."""
        while earlier := [each for each in self.waiting if local_day(each.at) < day]:
            yield self.due(min(local_day(each.at) for each in earlier))

    async def go_on(self, one: Travelling) -> None:
        """Send it, or do what comes next; then see what may happen after."""
        if one.chosen is None:
            await self._refer(one)
        else:
            await self._act(one, *one.chosen)
        await self._choose(one)
        if one.chosen is None:
            self.waiting.remove(one)
        else:
            one.at = one.chosen[0].at

    def _pathway(self, one: Travelling) -> Pathway:
        return self.catalogue.current(one.case.chain.pathway)

    async def _refer(self, one: Travelling) -> None:
        case, pathway = one.case, self._pathway(one)
        answer = await self.lines.of(case.sender).call("POST", "/fhir", chain_bundle(case, pathway))
        one.turn = to_act(answer, self.region) or case.sender
        one.task, one.request = location(answer, "Task"), location(answer, "ServiceRequest")
        self.sent[pathway.name] += 1
        self.houses[pathway.name] += one.turn != case.sender

    async def _choose(self, one: Travelling) -> None:
        """One of the likely events that may happen now; none when it rests, has ended, or takes until after today."""
        one.chosen = None
        if one.turn is None:
            return
        pathway = self._pathway(one)
        answer = await self.lines.of(one.turn).call("GET", f"/fhir/{one.task}/$next")
        step, options = _read(answer)
        self._note_parties(one, pathway, step)
        likely = ANSWER if step.endswith(ASKED) else one.case.chain.likely.get(step, ())
        able = [each for each in likely if each.event in options]
        if not able:
            return
        next_ = one.chance.choices(able, [each.weight for each in able])[0]
        option = options[next_.event]
        at = working_days_later(one.at, one.chance.randint(*next_.after), one.chance)
        given = {name: _given(name, codes, one) for name, codes in option.needs.items()}
        if at < self.today:
            one.chosen = Act(at, pathway.steps[step].owner, next_.event, given), option

    def _note_parties(self, one: Travelling, pathway: Pathway, name: str) -> None:
        step = pathway.steps[name]
        if one.turn is not None:
            one.parties[step.owner] = one.turn
        if not one.parties.keys() - {step.owner}:
            one.parties.setdefault(step.requester, one.case.sender)

    async def _act(self, one: Travelling, what: Act, option: Option) -> None:
        pathway, turn = self._pathway(one), one.turn
        if turn is None:
            raise _lost(one)
        task = await say_event(self.lines.of(turn), Said(one.task, what, None, None), pathway)
        self.steps[pathway.name] += 1
        after = pathway.steps[option.to_step]
        if after.ends:
            one.turn = None
        elif task["status"] in CLOSED:
            one.turn = self._next_party(one, after.performer, option, capability_in(what.given, pathway))
            one.task = await self._open_task(one)
            self.houses[pathway.name] += one.turn != turn
        else:
            one.turn = self._next_party(one, after.owner, option, "")

    def _next_party(self, one: Travelling, role: str, option: Option, able: str) -> Organisation:
        """Who can do what the answer asks for; else whom $next names, who plays the role already, or would get it."""
        pathway, practice = self._pathway(one), one.case.practice
        if able:
            now, nearest = (
                one.parties.get(role),
                self.region.candidates(pathway, role, practice.municipality, able),
            )
            return now if now and self.region.fits(now, pathway, role, able) else nearest[0]
        named = self.region.by_id(option.performer) if option.performer else None
        if named or role in one.parties:
            return named or one.parties[role]
        if practice.kind in pathway.file.roles[role].kinds:
            return practice
        return self.region.candidates(pathway, role, practice.municipality)[0]

    async def _open_task(self, one: Travelling) -> str:
        """The Task of the hand-over that has begun, as its new owner finds it."""
        if one.turn is None:
            raise _lost(one)
        query = f"focus={one.request}&owner=Organization/{one.turn.id}&status={OPEN}"
        found = await self.lines.of(one.turn).call("GET", f"/fhir/Task?{query}")
        tasks = [entry["resource"]["id"] for entry in found.get("entry", ())]
        if len(tasks) != 1:
            raise _lost(one)
        return f"Task/{tasks[0]}"


def set_out(cases: Iterable[ChainCase]) -> list[Travelling]:
    """Every referral before it is sent, with a chance of its own: what is added later changes no other."""
    return [Travelling(case, Random(f"{SEED} {case.key}"), case.at) for case in cases]  # noqa: S311


def _read(answer: Json) -> tuple[str, dict[str, Option]]:
    """The step, and what may happen in it, by event."""
    step = ""
    options: dict[str, Option] = {}
    for parameter in answer["parameter"]:
        if parameter["name"] == "step":
            step = parameter["valueCodeableConcept"]["text"]
        elif parameter["name"] == "next":
            option = _option(parameter["part"])
            options.setdefault(option.event, option)
    return step, options


def _option(parts: list[Json]) -> Option:
    said = {part["name"]: part.get("valueString", "") for part in parts}
    needs = [part["part"] for part in parts if part["name"] == "needs"]
    performers = [part["valueReference"]["reference"] for part in parts if part["name"] == "organisatie"]
    return Option(
        said["event"],
        said["toStep"],
        {need[0]["valueString"]: tuple(each["valueCode"] for each in need[2:]) for need in needs},
        UUID(performers[0].partition("/")[2]) if performers else None,
    )


def _given(name: str, codes: tuple[str, ...], one: Travelling) -> str:
    usual = one.case.chain.given.get(name) or TEXTS.get(name)
    fitting = [each for each in usual or () if not codes or each in codes]
    return one.chance.choice(fitting or codes or ("Zie het dossier.",))


def _lost(one: Travelling) -> NotAsExpected:
    return NotAsExpected(
        Issue(
            nl=f"{one.case.key}: niet te vinden wie er nu aan zet is.",
            en=f"{one.case.key}: cannot find whose turn it is.",
        )
    )
