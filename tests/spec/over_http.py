"""The walks of <name>.md over HTTP: each event by whoever plays the role; all walks at once, day by day."""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from ketenzorg.cli.demo_people import numbers_for_tests
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.definition import Move
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.taking_part import bystanders, taking_part
from ketenzorg.pathway.words import ITSELF
from referrals import said
from services import REGION, SECRET, SETTINGS, Referral, Service
from spec.beginnings import BEGINNINGS, BESIDE, new_data
from spec.walks import COLUMNS, DAY_0, REFUSED, as_table, scripts

OPEN = "requested,received,accepted,in-progress,on-hold"
HOUSES = REGION.file.organisations
URAS = {key: each.ura for key, each in HOUSES.items()}
HOME = "GM0014"  # where the patients of the examples live
NO, NOT_YOURS = 409, 404  # the pathway refuses it; for who takes no part in it the Task is not there
PATCH = {"Content-Type": "application/json-patch+json"}
Option = dict[str, Any]  # one of $next: the parts by name, `by` and `needs` as lists


async def walk_all(service: Service, pathway: Pathway, tables: dict[str, str]) -> list["Walk"]:
    """Every walk of these tables, as it came out. They run beside each other, as trajecten do."""
    await service.rows(
        "insert into ketenzorg.endpoint select 'groningen', id::uuid, 'https://' || id, ''"
        f" from unnest(array{[str(each.id) for each in REGION.organisations]}) id"
    )
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
        self.request = ""
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
        self.request = referral["ServiceRequest"]
        await self._stands(self.roles[by], referral["Task"])
        assert self.task["requester"]["reference"] == f"Organization/{self.roles[by]}"
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
        option = next((each for each in self.next if each["event"] == event and by in each["by"]), None)
        who, before = self._organisation(by), self.task
        here = {*taking_part(self.pathway, self._step())}
        address = f"/fhir/Task/{before['id']}"
        if option is None:
            refused = await self._call(who, "POST", f"{address}/$event", said(event))
            await self._stands(self._seeing(), f"Task/{before['id']}")
            assert self.task == before, f"{event}: refused, and yet something changed"
            return REFUSED if refused.status_code in (NO, NOT_YOURS) else refused.text
        move = self._move(by, event, option["toStep"])
        if self._alone(option, by):
            self.by_status += 1
            operation = {"op": "replace", "path": "/status", "value": option["status"]}
            response = await self._call(who, "PATCH", address, [operation])
        else:
            body = said(event, **{need["name"]: need["code"] or "Tekst." for need in option["needs"]})
            response = await self._call(who, "POST", f"{address}/$event", body)
        if response.status_code != 200:
            return response.text
        task = response.json()
        heard = {f"Task/{before['id']}/{task['meta']['versionId']}"}
        if move.new_task:
            await self._handed_over(move, option, task, before)
            heard.add(f"Task/{self.task['id']}/1")
            here |= {*taking_part(self.pathway, move.to)}
        else:
            await self._stands(self._seeing(), f"Task/{task['id']}")
        ended = self.pathway.steps[move.to].ends
        if ended:
            self.ends.add((event, move.to, self.task["status"]))
        told = {self.roles[role] for role in {*move.tell} & here - {by} if role in self.roles}
        self.told.append((event, heard, told))
        if {*move.tell} != {*self.pathway.file.roles}:  # "iedereen" is everybody who takes part
            self.gone |= {(event, role) for role in {*move.tell} - here - {by} if role in self.roles}
        return ""

    async def _handed_over(
        self, move: Move, option: Option, task: dict[str, Any], before: dict[str, Any]
    ) -> None:
        """The Task that ran is closed as the file says; a new one is there for who performs now."""
        step = self.pathway.steps[move.to]
        if move.closes:
            assert (task["id"], task["status"]) == (before["id"], move.closes)
        offered = [UUID(each) for each in option["organisatie"]]
        performer = offered[0] if offered else self.roles[step.performer]
        self.roles[step.performer] = performer
        found = await self._call(performer, "GET", f"/fhir/Task?focus={self.request}&status={OPEN}")
        [new] = [entry["resource"] for entry in found.json().get("entry", ())]
        assert new["id"] != before["id"]
        await self._stands(performer, f"Task/{new['id']}")
        self._parties_are(step)

    def _parties_are(self, step: Any) -> None:
        """The Task names who asks and who performs; whoever had the role already keeps it."""
        for role, element in ((step.requester, "requester"), (step.performer, "owner")):
            party = UUID(self.task[element]["reference"].removeprefix("Organization/"))
            assert self.roles.setdefault(role, party) == party, f"{self.title}: {element} ({role})"

    async def _bring(self, event: str) -> str:
        """New data come in, and with them ketenzorg raises a signal by itself, or may not."""
        bundle = new_data(self.pathway.name, event, self.request)
        sender = self.roles[self.pathway.file.regie]
        response = await self._call(sender, "POST", "/fhir", bundle, 200)
        await self._stands(self._seeing(), f"Task/{self.task['id']}")
        return "" if f"‘{event}’" in response.text else REFUSED

    async def _stands(self, who: UUID, place: str) -> None:
        """Read the Task that runs now, what may happen next, and what is due first."""
        task = await self._call(who, "GET", f"/fhir/{place}", None, 200)
        following = await self._call(who, "GET", f"/fhir/{place}/$next", None, 200)
        self.task = task.json()
        parameters = following.json()["parameter"]
        self.next = [_option(each["part"]) for each in parameters if each["name"] == "next"]
        self.due = next((_due(each["part"]) for each in parameters if each["name"] == "due"), "-")

    def _row(self, day: str, by: str, event: str) -> None:
        self.rows.append([day, by, event, self._step(), self.task["status"], self.due])

    def _step(self) -> str:
        step: str = self.task["businessStatus"]["text"]
        return step

    def _move(self, by: str, event: str, to: str) -> Move:
        moves = self.pathway.steps[self._step()].moves
        return next(move for move in moves if move.event == event and by in move.by and move.to == to)

    def _alone(self, option: Option, by: str) -> bool:
        """Whether the status by itself says this event, and no other: then it is written so."""
        same = [each for each in self.next if each["status"] == option["status"] and by in each["by"]]
        new_round = self.pathway.steps[self._step()].ends
        return (
            same == [option]
            and option["status"] != self.task["status"]
            and not (option["needs"] or new_round)
        )

    def _seeing(self) -> UUID:
        """Who performs now."""
        return UUID(self.task["owner"]["reference"].removeprefix("Organization/"))

    def _organisation(self, role: str) -> UUID:
        """Who plays the role; before anybody does, somebody who could."""
        if role in self.roles:
            return self.roles[role]
        return REGION.candidates(self.pathway, role, HOME)[0].id

    async def _call(
        self, who: UUID, method: str, address: str, body: Any = None, expected: int | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {_token(who)}"} | (PATCH if method == "PATCH" else {})
        content = json.dumps(body).encode() if body is not None else None
        response = await self.service.stranger.request(method, address, content=content, headers=headers)
        assert expected in (None, response.status_code), (self.title, address, response.text)
        return response


_TOKENS: dict[UUID, str] = {}


def _token(organisation: UUID) -> str:
    """A token of an organisation's system."""
    if organisation not in _TOKENS:
        known = REGION.by_id(organisation)
        assert known is not None
        scopes = frozenset({"system/*.cruds"})
        caller = Caller(f"systeem-{known.ura}", organisation, known.kind, scopes, REGION.code)
        _TOKENS[organisation] = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    return _TOKENS[organisation]


def _option(parts: list[dict[str, Any]]) -> Option:
    """One thing that may happen next, as $next says it."""
    single = {part["name"]: _value(part) for part in parts if part["name"] in ("event", "toStep", "status")}
    return {
        **single,
        "by": [_value(part) for part in parts if part["name"] == "by"],
        "needs": [_need(part["part"]) for part in parts if part["name"] == "needs"],
        "organisatie": [
            part["valueReference"]["reference"].removeprefix("Organization/")
            for part in parts
            if part["name"] == "organisatie"
        ],
    }


def _need(parts: list[dict[str, Any]]) -> dict[str, str]:
    """What an answer is called, and its first code; none where words are wanted."""
    values = [(part["name"], _value(part)) for part in parts]
    return {
        "name": dict(values)["name"],
        "code": next((value for name, value in values if name == "code"), ""),
    }


def _value(part: dict[str, Any]) -> str:
    return next(str(value) for name, value in part.items() if name.startswith("value"))


def _due(parts: list[dict[str, Any]]) -> str:
    values = {part["name"]: _value(part) for part in parts}
    at = datetime.fromisoformat(values["at"]).astimezone(AMSTERDAM)
    return f"{(at.date() - DAY_0.date()).days} {values['norm']}"
