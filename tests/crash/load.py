"""Clients that refer and accept while something is killed, and that remember exactly what they were promised.

Every attempt ends as promised (2xx that is ours), refused, or unknown; unknown is never counted as failed.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import asyncpg
import httpx

from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.settings import for_asyncpg
from referrals import a_referral, of, said
from services import REGION, Referral, token_for
from subscribed import listening

CLIENTS = 8
SEED = 20260112
HEARS = listening([REGION.of_client("welzijn-demo").id])


class Promises:
    """What the service said that it holds, and how many attempts ended otherwise."""

    def __init__(self) -> None:
        self.referred: dict[str, list[str]] = {}  # number of the referral -> locations
        self.accepted: set[str] = set()
        self.unknown = 0
        self.statuses: set[int] = set()
        self._grew = asyncio.Condition()

    def __len__(self) -> int:
        return len(self.referred) + len(self.accepted)

    async def keep(self, number: str, referral: Referral | None) -> None:
        async with self._grew:
            if referral is None:
                self.accepted.add(number)
            else:
                self.referred[number] = referral.locations
            self._grew.notify_all()

    async def reach(self, total: int) -> None:
        """Wait until there are this many."""
        async with self._grew:
            await self._grew.wait_for(lambda: len(self) >= total)


class Load:
    """Eight clients, each with a connection of its own; they wait while the service is known to be down."""

    def __init__(self, connect: Callable[[str], httpx.AsyncClient], total: int) -> None:
        self.promises = Promises()
        self.up = asyncio.Event()
        self.up.set()
        self._connect = connect
        self._numbers = iter([f"crash-{number:04}" for number in range(total)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The load, while the block runs; leaves when every referral has been promised."""
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(self._client())
            yield

    async def _client(self) -> None:
        async with self._connect("his-demo") as his, self._connect("welzijn-demo") as coach:
            for number in self._numbers:
                referral = Referral(await self._insist(his, "/fhir", bundle(number)))
                await self.promises.keep(number, referral)
                # Once: whether an answer that did not come was a yes is seen in the database.
                answer = await self._once(coach, f"/fhir/{referral['Task']}/$event", said("aannemen"))
                if answer is not None and answer.status_code == 200:
                    await self.promises.keep(number, None)

    async def _insist(self, client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
        while True:
            answer = await self._once(client, path, body)
            if answer is not None and answer.status_code == 200:
                return answer

    async def _once(self, client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response | None:
        await self.up.wait()
        try:
            answer = await client.post(path, json=body)
        except httpx.TransportError:
            self.promises.unknown += 1
            return None
        assert answer.headers["X-Request-Id"]
        self.promises.statuses.add(answer.status_code)
        if answer.status_code == 503:
            self.promises.unknown += 1
            assert answer.json()["resourceType"] == "OperationOutcome"
            assert answer.headers["Retry-After"]
        return answer


def headers(client: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_for(client)}", "Content-Type": "application/fhir+json"}


def bundle(number: str) -> dict[str, Any]:
    """A referral about a person of its own."""

    def person(posted: dict[str, Any]) -> None:
        first = 900_000_000 + 20 * int(number.rpartition("-")[2])
        of(posted, "Patient")["identifier"][0]["value"] = next(n for n in map(str, count(first)) if is_bsn(n))

    return a_referral(number, person)


def moments(kills: int, most: int) -> Iterator[int]:
    """After how many promises each kill comes: chance, but the same at every run."""
    chance, total = random.Random(SEED), 0
    for _ in range(kills):
        total += chance.randint(most // 3, most)
        yield total


TYPES = ["CarePlan", "Condition", "Consent", "Patient", "QuestionnaireResponse", "ServiceRequest", "Task"]
WHOLE = """
    select i.value as number, i.locations, t.seq, t.step,
        (select array_agg(r.type order by r.type) from ketenzorg.resource r where r.traject = t.id) as types,
        (select array_agg(r.type || r.version order by r.type) from ketenzorg.resource r
            where r.traject = t.id and r.version > 1) as changed,
        (select array_agg(r.type || r.version order by r.type) from ketenzorg.resource_history r
            where r.traject = t.id) as history,
        (select array_agg(e.event order by e.seq) from ketenzorg.event e where e.traject = t.id) as events,
        (select array_agg(o.version order by o.version) from ketenzorg.outbox o where o.resource = t.task) as told,
        (select array_agg(a.action order by a.action) from ketenzorg.audit a
            where t.id = any (a.trajecten) and a.action in ('C', 'U')) as audited,
        (select count(*) from ketenzorg.search_token s where s.id = t.task and s.param = 'status'
            and s.code = case t.seq when 1 then 'requested' else 'accepted' end) as found,
        (select count(*) from ketenzorg.search_token s where s.id = t.task and s.param = 'status') as statuses
    from ketenzorg.referral_identity i join ketenzorg.traject t on t.id = i.traject
"""
STRAY = """
    select (select count(*) from ketenzorg.traject) - (select count(*) from ketenzorg.referral_identity),
        (select count(*) from ketenzorg.resource) - 7 * (select count(*) from ketenzorg.traject),
        (select count(*) from ketenzorg.event e where not exists (
            select from ketenzorg.traject t where t.id = e.traject)),
        (select count(*) from ketenzorg.search_reference s where not exists (
            select from ketenzorg.resource r where r.id = s.id)),
        (select count(*) from ketenzorg.personal_number) - (select count(*) from ketenzorg.traject)
"""


def check(promises: Promises, rows: list[Any], stray: Any) -> None:
    """Every referral is there once with all its parts, a step is there with all of its own, and nothing is half."""
    stored = {row["number"]: row for row in rows}
    assert len(stored) == len(rows)
    assert stored.keys() == promises.referred.keys()
    assert {number for number, row in stored.items() if row["seq"] == 2} >= promises.accepted
    for number, row in stored.items():
        taken = row["seq"] == 2
        assert sorted(row["locations"]) == sorted(promises.referred[number])
        assert row["types"] == TYPES
        assert row["events"] == ["verwijzing ontvangen", "aannemen"][: row["seq"]]
        assert row["changed"] == (["CarePlan2", "Task2"] if taken else None)
        assert row["history"] == (["CarePlan1", "Task1"] if taken else None)
        assert row["told"] == [1, 2][: row["seq"]]
        # A referral whose answer was lost is on record as a creation, and its repetition as a look.
        assert row["audited"] == (["C", "U"] if taken else ["C"])
        assert row["step"] == ("contact zoeken" if taken else "aangemeld")
        assert (row["found"], row["statuses"]) == (1, 1)
    assert tuple(stray) == (0, 0, 0, 0, 0)


async def counted(url: str, promises: Promises) -> None:
    connection = await asyncpg.connect(for_asyncpg(url))
    check(promises, await connection.fetch(WHOLE), await connection.fetchrow(STRAY))
    await connection.close()


async def do(url: str, statement: str) -> None:
    connection = await asyncpg.connect(for_asyncpg(url))
    await connection.execute(statement)
    await connection.close()
