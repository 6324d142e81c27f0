"""The clients of a crash test: a practice that refers, a coach that works on it; both write down every answer.

Many ask twice at one moment, some ask what must be refused, and what is unknown is asked again: at once, or at the end.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from ketenzorg.cli.bench.payloads import body, identifier
from ketenzorg.cli.crash.stand import Stand
from ketenzorg.cli.crash.truth import Attempt, Did, LogFile, Outcome, Settled
from ketenzorg.cli.partner.hand import Choice, said

CLIENTS = 6
THINK_S = 0.3  # at most, between two requests of one client: the machine is for the blows too
AGAIN_S = 0.2  # after an answer that did not come
PATIENCE_S = 180.0  # for all that is unknown at the end
REFUSED, TWICE, LEFT_OPEN = 0.05, 0.15, 0.5  # of referrals; of all that is asked; of what is unknown
WAY = (
    "ontvangst bevestigen",
    "aannemen",
    "eerste contact",
    "kennismaking gehouden",
    "gesprek gehouden",
    "plan gemaakt",
)
NOT_NOW = (408, 425, 429)  # of the 4xx, those that say nothing about the request
DANGER = {"linkId": "gevaar", "answer": [{"valueBoolean": True}]}


class Step(msgspec.Struct, frozen=True):
    """An event on a Task as it stood."""

    key: str
    task: str  # "Task/<id>"
    event: str
    base: int


class Clients:
    """All that ask, over HTTP alone. What they do is chance, but the same chance for the same seed."""

    def __init__(self, stand: Stand, truth: LogFile, seed: int) -> None:
        self._truth = truth
        self._seed = seed
        self._numbers = itertools.count()
        self._his = stand.line("his-demo")
        self._coach = stand.line("welzijn-demo")
        self._open_referrals: list[tuple[int, bool]] = []
        self._open_steps: list[Step] = []
        self.acknowledged = 0

    async def ask(self, stop: asyncio.Event) -> None:
        """Until `stop`; whatever has begun then is ended."""
        async with asyncio.TaskGroup() as group:
            for client in range(CLIENTS):
                chance = Random(f"{self._seed} client {client}")  # noqa: S311
                group.create_task(self._client(chance, stop))

    async def close_all(self) -> None:
        """Ask everything that is unknown again, until it is not. What stays unknown, the log shows."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                for number, danger in self._open_referrals:
                    await _known(partial(self._refer, number, danger=danger))
                for step in self._open_steps:
                    await self._settle(step)
        except TimeoutError:
            pass

    async def hang_up(self) -> None:
        """Nothing more is asked."""
        await self._his.aclose()
        await self._coach.aclose()

    async def _client(self, chance: Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            number = next(self._numbers)
            if chance.random() < REFUSED:
                await self._be_refused(number)
            elif task := await self._referred(number, chance):
                await self._work(identifier(number), task, chance, stop)
            await asyncio.sleep(chance.uniform(0, THINK_S))

    # Referring

    async def _referred(self, number: int, chance: Random) -> str | None:
        """The Task that came of it; None: nobody knows, and it is left for the end."""
        ended = await asyncio.gather(*(self._refer(number) for _ in range(_times(chance))))
        while not (taken := [each for each in ended if each.outcome == "ack"]):
            await asyncio.sleep(AGAIN_S)
            if chance.random() < LEFT_OPEN:
                self._open_referrals.append((number, False))
                return None
            ended = [await self._refer(number)]
        return next((each for each in taken[0].locations if each.startswith("Task/")), None)

    async def _be_refused(self, number: int) -> None:
        """Somebody is in danger: nothing of it may be stored."""
        if (await self._refer(number, danger=True)).outcome == "unknown":
            self._open_referrals.append((number, True))

    async def _refer(self, number: int, *, danger: bool = False) -> Attempt:
        sent = in_danger(body(number)) if danger else body(number)
        return await self._attempt(self._his, "/fhir", sent, {}, did="refer", key=identifier(number))

    # Working on it

    async def _work(self, key: str, task: str, chance: Random, stop: asyncio.Event) -> None:
        for base, event in enumerate(WAY[: chance.randint(0, len(WAY))], 1):
            await asyncio.sleep(chance.uniform(0, THINK_S))
            if stop.is_set():
                return
            step = Step(key, task, event, base)
            ended = await asyncio.gather(*(self._step(step) for _ in range(_times(chance))))
            if all(each.outcome != "ack" for each in ended):
                if chance.random() < LEFT_OPEN:
                    self._open_steps.append(step)
                    return
                await self._settle(step)

    async def _step(self, step: Step) -> Attempt:
        return await self._attempt(
            self._coach,
            f"/fhir/{step.task}/$event",
            said(Choice(step.event, "", "", {})),
            {"If-Match": f'W/"{step.base}"'},
            did="step",
            key=step.key,
            task=step.task,
            event=step.event,
            base=step.base,
        )

    async def _settle(self, step: Step) -> None:
        """Ask again; who is refused now was heard before, and looks at what came of it."""
        again = await _known(partial(self._step, step))
        if again.outcome == "nack":
            version = await self._version(step.task)
            self._truth.write(Settled(task=step.task, base=step.base, version=version, at=time.time()))

    async def _version(self, task: str) -> int:
        while True:
            with suppress(httpx.TransportError):
                found = await self._coach.get(f"/fhir/{task}")
                if not found.is_server_error:
                    return version_in(found) if found.is_success else 0
            await asyncio.sleep(AGAIN_S)

    # Asking

    async def _attempt(
        self, line: httpx.AsyncClient, path: str, sent: bytes, headers: dict[str, str], **facts: Any
    ) -> Attempt:
        did: Did = facts["did"]
        request, began = str(uuid4()), time.time()
        came: dict[str, Any] = {}
        try:
            answer = await line.post(path, content=sent, headers={"X-Request-Id": request, **headers})
            came = _understood(answer, request, did)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            came = {"outcome": "unknown", "why": type(error).__name__}
        attempt = Attempt(
            request=request,
            sent=began,
            ended=time.time(),
            digest=sha256(sent).hexdigest(),
            **facts,
            **came,
        )
        self._truth.write(attempt)
        self.acknowledged += attempt.outcome == "ack"
        return attempt


async def _known(ask: Callable[[], Awaitable[Attempt]]) -> Attempt:
    """Ask until it is known how it ended."""
    while (attempt := await ask()).outcome == "unknown":  # noqa: ASYNC110  (what we wait for tells nobody)
        await asyncio.sleep(AGAIN_S)
    return attempt


def outcome_of(answer: httpx.Response, request: str) -> Outcome:
    """An answer without our request id, or an error that is not ours, is a word of somebody in between."""
    if answer.headers.get("X-Request-Id") != request:
        return "unknown"
    if answer.is_success:
        return "ack"
    ours = answer.is_client_error and answer.json().get("resourceType") == "OperationOutcome"
    return "nack" if ours and answer.status_code not in NOT_NOW else "unknown"


def version_in(answer: httpx.Response) -> int:
    """Of the resource in an answer."""
    return int(answer.headers["ETag"].removeprefix('W/"').rstrip('"'))


def in_danger(bundle: bytes) -> bytes:
    """The same referral, with an alarm question answered so that nothing may be sent."""
    asked = msgspec.json.decode(bundle)
    answers = next(e["resource"] for e in asked["entry"] if "questionnaire" in e["resource"])
    answers["item"] = [DANGER if item["linkId"] == "gevaar" else item for item in answers["item"]]
    return msgspec.json.encode(asked)


def _understood(answer: httpx.Response, request: str, did: Did) -> dict[str, Any]:
    outcome = outcome_of(answer, request)
    came: dict[str, Any] = {"outcome": outcome, "status": answer.status_code}
    if outcome != "ack":
        return came
    whole = answer.json()
    if did == "step":
        return came | {"version": version_in(answer)}
    locations = [entry["response"]["location"].partition("/_history")[0] for entry in whole["entry"]]
    return came | {"locations": locations}


def _times(chance: Random) -> int:
    return 2 if chance.random() < TWICE else 1
