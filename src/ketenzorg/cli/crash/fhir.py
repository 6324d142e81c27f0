"""What the parties find over HTTP after a crash test: the second of the three readers."""

import asyncio
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from ketenzorg.cli.bench.payloads import SYSTEM, body, identifier
from ketenzorg.cli.crash.stand import Stand

AT_ONCE = 8
TRIES = 5
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OTHERS = ("Condition/", "Observation/", "QuestionnaireResponse/")
PATHWAY = "welzijn-op-recept"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Of one key: its ServiceRequests, whether the content is what was sent, the versions of its Task."""

    total: int
    other: list[str] = []  # resources whose content is not what was sent
    versions: list[int] = []


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """All that was looked at."""

    found: dict[str, Found]  # by key
    numbers: dict[str, int]  # subscription -> events since its start
    open_now: dict[str, int | None]  # step -> trajecten in it, as the chain team sees it


class Looker:
    """Reads as the practice, the coach and the chain team."""

    def __init__(self, his: httpx.AsyncClient, coach: httpx.AsyncClient) -> None:
        self._his = his
        self._coach = coach
        self._room = asyncio.Semaphore(AT_ONCE)

    async def find(self, number: int, locations: Sequence[str]) -> Found:
        """By identifier; where it was acknowledged (`locations`) its content and its Task are read as well."""
        async with self._room:
            form = {"identifier": f"{SYSTEM}|{identifier(number)}", "_include": "ServiceRequest:patient"}
            answer = await _answered(
                self._his, "POST", "/fhir/ServiceRequest/_search", data=form, headers=FORM
            )
            shown = [entry["resource"] for entry in answer.raise_for_status().json().get("entry", ())]
            # Of the others one each: all would take longer than the run.
            others = [each for each in locations if each.startswith(OTHERS)]
            if others:
                shown.append(await self._read(others[number % len(others)]))
            task = next((each for each in locations if each.startswith("Task/")), None)
            return Found(
                total=sum(each["resourceType"] == "ServiceRequest" for each in shown),
                other=list(_other_than(sent(number), shown)) if locations else [],
                versions=await self._versions(task) if task else [],
            )

    async def _read(self, location: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await _answered(self._his, "GET", f"/fhir/{location}")).json()
        return answer

    async def _versions(self, task: str) -> list[int]:
        """As far as there are, back from the one that it says to have now."""
        answer = await _answered(self._coach, "GET", f"/fhir/{task}")
        if not answer.is_success:
            return []
        last = int(answer.json()["meta"]["versionId"])
        before = [
            await _answered(self._coach, "GET", f"/fhir/{task}/_history/{number}")
            for number in range(1, last)
        ]
        return [*(int(each.json()["meta"]["versionId"]) for each in before if each.is_success), last]


async def look(stand: Stand, keys: Mapping[int, list[str]], subscriptions: Mapping[str, str]) -> Seen:
    """Look for every number (with its locations where it was acknowledged), at the subscriptions and the figures."""
    async with (
        stand.line("his-demo") as his,
        stand.line("welzijn-demo") as coach,
        stand.line("ketenteam-demo") as team,
    ):
        looker = Looker(his, coach)
        found = await asyncio.gather(*(looker.find(number, at) for number, at in keys.items()))
        numbers = {
            id_: await _number(coach if ear.startswith("coach") else his, id_)
            for ear, id_ in subscriptions.items()
        }
        figures = (await _answered(team, "GET", f"/throughput/{PATHWAY}")).raise_for_status().json()
    return Seen(
        found={identifier(number): each for number, each in zip(keys, found, strict=True)},
        numbers=numbers,
        open_now={step["step"]: step["open_now"] for step in figures["steps"]},
    )


async def _answered(line: httpx.AsyncClient, method: str, path: str, **how: Any) -> httpx.Response:
    """The answer; who is told to come back later does so."""
    for _ in range(TRIES):
        answer = await line.request(method, path, **how)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(float(answer.headers["Retry-After"]))
    return answer


async def _number(line: httpx.AsyncClient, subscription: str) -> int:
    answer = await _answered(line, "GET", f"/fhir/Subscription/{subscription}/$status")
    told = answer.raise_for_status().json()["entry"][0]["resource"]["parameter"]
    return int(
        next(each["valueString"] for each in told if each["name"] == "events-since-subscription-start")
    )


def sent(number: int) -> set[bytes]:
    """The content of each resource of a referral."""
    return {canonical(entry["resource"]) for entry in msgspec.json.decode(body(number))["entry"]}


def _other_than(sent: Container[bytes], shown: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in shown:
        if canonical(each) not in sent:
            yield f"{each['resourceType']}/{each.get('id')}"


def canonical(resource: Mapping[str, Any]) -> bytes:
    """A digest of what a resource says, without what we add: its id, its version, where its references point."""
    said = {name: value for name, value in resource.items() if name not in ("id", "meta", "text")}
    return sha256(msgspec.json.encode(_without_addresses(said), order="sorted")).digest()


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_addresses(each) for name, each in value.items() if name != "reference"}
    if isinstance(value, list):
        return [_without_addresses(each) for each in value]
    return value
