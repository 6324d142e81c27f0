"""Whatever a party asks of a shared database, the answer is that of a database which holds only what it may see."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from access.oracle import reduce
from access.questions import WAYS, difference
from access.regions import PARTIES, TODAY, a_copy
from databases import Database
from services import Service, serving
from spec.talking import call


class Both(NamedTuple):
    """The service on the shared database, and on the one that holds only what a party may see."""

    shared: Service
    own: Service
    party: UUID

    async def differs(self, question: str) -> str:
        """How the two answers differ; empty when they do not."""
        address, _, form = question.partition(" ")
        method = "POST" if form else "GET"
        one, other = [
            told(await call(each, self.party, method, address, form or None))
            for each in (self.shared, self.own)
        ]
        return "" if one == other else f"{question}: {difference(one, other)}"

    async def differing(self, questions: list[str]) -> list[str]:
        """All differences."""
        return [found for each in questions if (found := await self.differs(each))]


def told(response: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """All that an answer tells, without what is new in each."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    body = response.json() if "json" in response.headers.get("content-type", "") else response.text
    if (
        isinstance(body, dict) and body.get("type") == "history" and "timestamp" in body
    ):  # made for this answer
        made = body.pop("id"), body.pop("timestamp")
        body = json.loads(json.dumps(body).replace(made[0], "").replace(made[1], ""))
    return response.status_code, headers, body


@pytest.fixture(params=PARTIES)
async def both(request: Any, region: Database, shared: Service, postgres: str) -> AsyncIterator[Both]:
    """One party, before each of the two databases."""
    party = PARTIES[request.param]
    async with a_copy(region, postgres) as copy:
        await reduce(copy, party)
        async with serving(copy) as own:
            own.app.litestar.state.clock.set(TODAY)
            yield Both(shared, own, party)


async def test_s2_no_answer_tells_more_than_a_database_without_what_is_hidden(both: Both) -> None:
    differences = {way.__name__: await both.differing(await way(both.shared)) for way in WAYS}
    assert {way: found[:3] for way, found in differences.items() if found} == {}


async def test_nothing_is_lost_either_and_the_strangers_answers_are_empty(shared: Service) -> None:
    """Else two empty answers would be the same."""
    found = {}
    for name, party in PARTIES.items():
        answer = (await call(shared, party, "GET", "/fhir/Task?_count=200", None, 200)).json()
        found[name] = len(answer.get("entry", ()))
    assert found.pop("a stranger") == 0
    assert min(found.values()) >= 1, found
    assert found["practice"] > 20
