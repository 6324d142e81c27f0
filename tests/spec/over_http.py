"""The walks of <name>.md over HTTP: each event by whoever plays the role; all walks at once, day by day."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from ketenzorg.cli.demo.people import numbers_for_tests
from ketenzorg.pathway.definition import Move
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.taking_part import bystanders, taking_part
from ketenzorg.pathway.words import ITSELF
from referrals import said
from services import REGION, Referral, Service
from spec.beginnings import BEGINNINGS, BESIDE, new_data
from spec.talking import Option, call, first_due, options_of, party
from spec.walks import COLUMNS, DAY_0, REFUSED, as_table, scripts
from subscribed import listening

OPEN = "requested,received,accepted,in-progress,on-hold"
HOUSES = REGION.file.organisations
URAS = {key: each.ura for key, each in HOUSES.items()}
HOME = "GM0014"  # where the patients of the examples live
NO, NOT_YOURS = 409, 404  # the pathway refuses it; for who takes no part in it the Task is not there


async def walk_all(service: Service, pathway: Pathway, tables: dict[str, str]) -> list["Walk"]:
    """Every walk of these tables, as it came out. They run beside each other, as trajecten do."""
    await service.rows(listening(each.id for each in REGION.organisations))
    numbers = numbers_for_tests()
    parts = [(title, script) for title, text in tables.items() for script in scripts(pathway, text)]
    walks = [
        Walk(service, pathway, title, script, number, next(numbers))
        for number, (title, script) in enumerate(parts)
    ]
    for day in sorted({int(row[0]) for walk in walks for row in walk.script}):
        service.app.litestar.state.clock.set(DAY_0 + timedelta(days=day))
        done = await asyncio.gather(*(walk.on(day) for walk in walks), return_exceptions=True)
        failed = [error for error in done if isinstance(error, Exception)]
        if failed:
            raise ExceptionGroup(f"day {day}", failed)
    return walks


def tables_of(walks: Iterable["Walk"]) -> dict[str, str]:
    """The tables as they came out, each under its heading."""
    rows: dict[str, list[list[str]]] = {}
    for walk in walks:
        rows.setdefault(walk.title, []).extend(walk.rows)
    return {title: as_table(COLUMNS, lines) for title, lines in rows.items()}


class Walk:
    """One traject: the lines that it must follow, where it is, who plays which role, and what was told to whom."""

    def __init__(
        self, service: Service, pathway: Pathway, title: str, script: list[list[str]], number: int, bsn: str
    ) -> None:
        self.service, self.pathway, self.title, self.script = service, pathway, title, script
        self.number, self.bsn = number, bsn
        self.rows: list[list[str]] = []
        self.roles: dict[str, UUID] = {}
        self.task: dict[str, Any] = {}
        self.next: list[Option] = []
        self.due = ""
        self.request = self.plan = ""
        self.told: list[tuple[str, set[str], set[UUID]]] = []  # the event; Task/version; who must hear of it
        self.gone: set[tuple[str, str]] = set()  # (event, role): named in `tell`, and takes no part any more
        self.ends: set[tuple[str, str, str]] = set()  # (event, step, Task.status) with which it ended
        self.by_status = 0  # how often the status alone said it

    async def on(self, day: int) -> None:
        """What happens on this day."""
        for row in self.script:
            if int(row[0]) == day:
                await (self._happens(*row[:3]) if self.rows else self._begins(*row[:4]))

    async def _begins(self, day: str, by: str, event: str, step: str) -> None:
        _, bracket, conditions = event.partition(" (")
        beginning = BEGINNINGS[self.pathway.name][f"{step}{bracket}{conditions}"]
        self.roles[by] = HOUSES[beginning.sender].id
        beside = self._beside(step)
        owner = beginning.owner or self._nearest(step)
        performers = [owner, *beside.values()] if beginning.owner or beside else []
        bundle = beginning.bundle(self.pathway.name, self.number, self.bsn, performers, URAS)
        referral = Referral(await self._call(self.roles[by], "POST", "/fhir", bundle, 200))
        self.roles |= {role: HOUSES[house].id for role, house in beside.items()}
        self.request, self.plan = referral["ServiceRequest"], referral["CarePlan"]
        await self._stands(self.roles[by], referral["Task"])
        self._parties_are(self.pathway.steps[self._step()])
        self._row(day, by, event)

    def _beside(self, step: str) -> dict[str, str]:
        """Who the referral names beside who acts first: whoever takes part and speaks, or holds the regie."""
        speaking = {row[1] for row in self.script} | {self.pathway.file.regie}
        return {
            role: house
            for role, house in BESIDE.get(self.pathway.name, {}).items()
            if role in speaking and role in bystanders(self.pathway, step)
        }

    def _nearest(self, step: str) -> str:
        here = self.pathway.steps[step]
        if here.performer == here.requester:
            chosen = self.roles[here.requester]
        else:
            chosen = REGION.candidates(self.pathway, here.performer, HOME)[0].id
        return next(key for key, each in HOUSES.items() if each.id == chosen)

    async def _happens(self, day: str, by: str, event: str) -> None:
        refusal = await (self._bring(event) if by == ITSELF else self._say(by, event))
        if refusal:
            self.rows.append([day, by, event, refusal, self.task["status"], self.due])
        else:
            self._row(day, by, event)

    async def _say(self, by: str, event: str) -> str:
        """One party says that it happened; the refusal, if it is refused."""
        option = next((each for each in self.next if each.event == event and by in each.by), None)
        if option is None:
            return await self._may_not(by, event)
        before, move = self.task, self._move(by, option)
        response = await self._send(by, option)
        if response.status_code != 200:
            return response.text
        versions = {f"Task/{before['id']}/{response.json()['meta']['versionId']}"}
        if move.new_task:
            await self._handed_over(move, option, response.json(), before)
            versions.add(f"Task/{self.task['id']}/1")
        else:
            await self._stands(self._performing(), f"Task/{before['id']}")
        self._is_told(before["businessStatus"]["text"], by, move, versions)
        if self.pathway.steps[move.to].ends:
            await self._has_ended(move)
        return ""

    async def _may_not(self, by: str, event: str) -> str:
        """Said all the same: it is refused, and nothing changes."""
        before, address = self.task, f"Task/{self.task['id']}"
        refused = await self._call(self._organisation(by), "POST", f"/fhir/{address}/$event", said(event))
        await self._stands(self._performing(), address)
        assert self.task == before, f"{self.title}: {event} is refused, and yet something changed"
        return REFUSED if refused.status_code in (NO, NOT_YOURS) else refused.text

    async def _send(self, by: str, option: Option) -> httpx.Response:
        """By the status alone where that says this event and no other, else by name."""
        who, address = self._organisation(by), f"/fhir/Task/{self.task['id']}"
        if self._alone(option, by):
            self.by_status += 1
            operation = {"op": "replace", "path": "/status", "value": option.status}
            return await self._call(who, "PATCH", address, [operation])
        return await self._call(who, "POST", f"{address}/$event", said(option.event, **option.needs))

    def _is_told(self, step: str, by: str, move: Move, versions: set[str]) -> None:
        """Who must hear of it: whoever the file names, of those who take part before or after it."""
        here = {*taking_part(self.pathway, step)}
        here |= {*taking_part(self.pathway, move.to)} if move.new_task else set()
        others = {role for role in move.tell if role != by and role in self.roles}
        self.told.append((move.event, versions, {self.roles[role] for role in others & here}))
        if {*move.tell} != {*self.pathway.file.roles}:  # "iedereen" is everybody who takes part
            self.gone |= {(move.event, role) for role in others - here}

    async def _has_ended(self, move: Move) -> None:
        """The request and the plan end as the file says."""
        step, who = self.pathway.steps[move.to], self._performing()
        for place, status in ((self.request, step.request), (self.plan, step.careplan)):
            resource = await self._call(who, "GET", f"/fhir/{place}", None, 200)
            assert resource.json()["status"] == status, f"{self.title}: {place} after {move.event}"
        self.ends.add((move.event, move.to, self.task["status"]))

    async def _handed_over(
        self, move: Move, option: Option, task: dict[str, Any], before: dict[str, Any]
    ) -> None:
        """The Task that ran is closed as the file says; a new one is there for who performs now."""
        step = self.pathway.steps[move.to]
        if move.closes:
            assert (task["id"], task["status"]) == (before["id"], move.closes)
        performer = next(iter(option.organisations), None) or self.roles[step.performer]
        self.roles[step.performer] = performer
        found = await self._call(performer, "GET", f"/fhir/Task?focus={self.request}&status={OPEN}")
        [new] = [entry["resource"] for entry in found.json().get("entry", ())]
        assert new["id"] != before["id"]
        await self._stands(performer, f"Task/{new['id']}")
        self._parties_are(step)

    def _parties_are(self, step: Any) -> None:
        """The Task names who asks and who performs; whoever had the role already keeps it."""
        for role, element in ((step.requester, "requester"), (step.performer, "owner")):
            named = party(self.task, element)
            assert self.roles.setdefault(role, named) == named, f"{self.title}: {element} ({role})"

    async def _bring(self, event: str) -> str:
        """New data come in, and with them ketenzorg raises a signal by itself, or may not."""
        bundle = new_data(self.pathway.name, event, self.request)
        sender = self.roles[self.pathway.file.regie]
        response = await self._call(sender, "POST", "/fhir", bundle, 200)
        await self._stands(self._performing(), f"Task/{self.task['id']}")
        return "" if f"‘{event}’" in response.text else REFUSED

    async def _stands(self, who: UUID, place: str) -> None:
        """Read the Task that runs now, what may happen next, and what is due first."""
        task = await self._call(who, "GET", f"/fhir/{place}", None, 200)
        following = await self._call(who, "GET", f"/fhir/{place}/$next", None, 200)
        self.task = task.json()
        parameters = following.json()["parameter"]
        self.next, self.due = options_of(parameters), first_due(parameters)

    def _row(self, day: str, by: str, event: str) -> None:
        self.rows.append([day, by, event, self._step(), self.task["status"], self.due])

    def _step(self) -> str:
        step: str = self.task["businessStatus"]["text"]
        return step

    def _move(self, by: str, option: Option) -> Move:
        moves = self.pathway.steps[self._step()].moves
        return next(
            move for move in moves if move.event == option.event and by in move.by and move.to == option.to
        )

    def _alone(self, option: Option, by: str) -> bool:
        same = [each for each in self.next if each.status == option.status and by in each.by]
        changes = option.status != self.task["status"] and not self.pathway.steps[self._step()].ends
        return same == [option] and changes and not option.needs

    def _performing(self) -> UUID:
        return party(self.task, "owner")

    def _organisation(self, role: str) -> UUID:
        """Who plays the role; before anybody does, somebody who could."""
        if role in self.roles:
            return self.roles[role]
        return REGION.candidates(self.pathway, role, HOME)[0].id

    async def _call(
        self, who: UUID, method: str, address: str, body: Any = None, expected: int | None = None
    ) -> httpx.Response:
        return await call(self.service, who, method, address, body, expected)
