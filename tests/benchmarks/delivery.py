"""How long a change takes to arrive, how many a second, and what a dead receiver costs the others; not a test.

`python -m tests.benchmarks.delivery`. The worker and the receiver are processes of their own; the API runs in this one.
From commit to arrival is from the row in the outbox (written just before the commit) to the receiver's clock.
"""

# ruff: noqa: T201

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, Database, execute, new_database, server
from ketenzorg.access.outgoing import LOOPBACK, Outgoing
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.serving import AT_ONCE
from ketenzorg.logs import configure
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.migrate import migrate
from referrals import a_referral
from services import REGION, SECRET, Service, serving
from subscribed import listening

COACH = REGION.of_client("welzijn-demo").id
PRACTICE = REGION.of_client("his-demo").id
CHANGES = 300
TURNS = 5
BURST = 2_000
WAITING = 10_000
HERE = Path(__file__).parent
# As many Tasks as events, so that none waits for another.
COPIES = """
    insert into ketenzorg.resource
    select region, type, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, updated, traject, source,
        parties, body
    from ketenzorg.resource, generate_series({first}, {last}) n where id = '{task}'
"""
EVENTS = """
    insert into ketenzorg.outbox (region, id, subscription, type, resource, version, traject, priority, created,
        owed_since)
    select 'groningen', gen_random_uuid(), s.id, 'Task', t.id, 1, t.traject, 'routine', clock_timestamp(),
        clock_timestamp()
    from ketenzorg.subscription s, ketenzorg.resource t
    where s.organisation = '{who}' and t.type = 'Task' and t.id::text like '00000000-0000-7000-8000-%'
        and t.id between '00000000-0000-7000-8000-{first:012}' and '00000000-0000-7000-8000-{last:012}'
"""


async def main() -> None:
    """Print a line for each figure."""
    configure("error")
    with server(None) as url, receiving() as (receiver, address):
        async with new_database(url) as database:
            await migrate(database.admin_url, app_password=APP_PASSWORD)
            async with serving(database) as service:
                await service.listens(PRACTICE, address)
                await service.refer(a_referral("first"))
                await prepared(database)
                await figures(service, database, receiver, address)


async def figures(service: Service, database: Database, receiver: str, address: str) -> None:
    """One after the other, on the same data."""
    async with httpx.AsyncClient(base_url=receiver) as asking:
        turns = []
        for _ in range(TURNS):  # side by side, so that both meet the same machine
            bare = max([await bare_rate(address, at_once) for at_once in (1, AT_ONCE)])
            await asking.get("/")
            ours = await delivery_rate(database, asking)
            turns.append((ours, bare, ours / bare))
            print(f"{ours:.0f} deliveries/s; the bare client to the same receiver {bare:.0f}/s")
        ours, bare, ratio = (statistics.median(column) for column in zip(*turns, strict=True))
        print(f"medians: {ours:.0f} deliveries/s, bare {bare:.0f}/s, ratio {ratio:.2f}")
        with working(database):
            await arrivals(service, database, asking)  # warm
            print("from commit to arrival:", shown(await arrivals(service, database, asking)))
            await dead_receiver(database)
            await arrivals(service, database, asking)
            waiting = shown(await arrivals(service, database, asking))
            print(f"while {WAITING:,} wait for a dead receiver:", waiting)
            await execute(database.admin_url, PARK)
            parked = shown(await arrivals(service, database, asking))
            print(f"while {WAITING:,} are parked for it:", parked)


PARK = f"""
    update ketenzorg.outbox set state = 'parked' where state <> 'delivered' and subscription in (
        select id from ketenzorg.subscription where organisation = '{COACH}')
"""


async def prepared(database: Database) -> None:
    """Tasks to tell of."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    task = await connection.fetchval("select id from ketenzorg.resource where type = 'Task'")
    await connection.execute(COPIES.format(first=1, last=WAITING, task=task))
    await connection.execute("delete from ketenzorg.outbox")
    await connection.execute("vacuum analyze")
    await connection.close()


async def dead_receiver(database: Database) -> None:
    """Ten thousand events, each of a Task of its own, for a receiver that is not there."""
    await execute(database.admin_url, listening([COACH]))
    await execute(
        database.admin_url,
        f"update ketenzorg.subscription set endpoint = 'http://127.0.0.1:9/' where organisation = '{COACH}'",
    )
    await execute(database.admin_url, EVENTS.format(who=COACH, first=1, last=WAITING))


async def delivery_rate(database: Database, asking: httpx.AsyncClient) -> float:
    """Events a second, from the first arrival to the last one, of those that lay there when the worker began."""
    await execute(database.admin_url, EVENTS.format(who=PRACTICE, first=1, last=BURST))
    with working(database):
        came: list[float] = []
        while len(came) < BURST:
            await asyncio.sleep(0.5)
            came += [at for _, at in (await asking.get("/")).json()]
    await execute(database.admin_url, "delete from ketenzorg.outbox")
    return (len(came) - 1) / (max(came) - min(came))


async def bare_rate(address: str, at_once: int) -> float:
    """Posts a second of the same client, of a body as long as a notification, with so many at once."""
    body = b"x" * 1300
    async with new_client(Outgoing(LOOPBACK)) as client:

        async def many() -> None:
            for _ in range(BURST // at_once):
                response = await client.post(address, content=body)
                assert response.status_code == 204

        began = time.perf_counter()
        await asyncio.gather(*(many() for _ in range(at_once)))
        return BURST / (time.perf_counter() - began)


async def arrivals(service: Service, database: Database, asking: httpx.AsyncClient) -> list[float]:
    """Milliseconds from commit to arrival, of changes one after the other."""
    await asking.get("/")
    for number in range(CHANGES // 2):
        referral = await service.refer(a_referral(f"{time.time_ns()}-{number}"))
        await service.happens(referral["Task"], "aannemen")
    came: dict[str, float] = {}
    for _ in range(40):
        await asyncio.sleep(0.1)
        came |= dict((await asking.get("/")).json())
        if len(came) >= CHANGES:
            break
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    rows = await connection.fetch(
        "select id, extract(epoch from created)::float8 as at from ketenzorg.outbox where id = any($1)",
        [UUID(id_) for id_ in came],
    )
    await connection.close()
    return [(came[str(row["id"])] - row["at"]) * 1000 for row in rows]


def shown(times: list[float]) -> str:
    """The figures of a list of milliseconds."""
    ordered = sorted(times)
    return (
        f"median {statistics.median(ordered):.0f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.0f} ms"
        f" of {len(ordered)} changes"
    )


@contextlib.contextmanager
def receiving() -> Iterator[tuple[str, str]]:
    """A receiver: where it tells, and where it takes."""
    process = subprocess.Popen([sys.executable, str(HERE / "taking.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        at = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        yield at, f"{at}/hook"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def working(database: Database) -> Iterator[None]:
    """A worker process."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret.key"
        secret.write_bytes(SECRET)
        environ = {
            "KETENZORG_DATABASE_URL": database.app_url,
            "KETENZORG_SECRET_FILE": str(secret),
            "KETENZORG_OUTGOING_NETWORKS": "127.0.0.0/8",
            "KETENZORG_LOG_LEVEL": "error",
            "KETENZORG_DATA_DIR": folder,
        }
        process = subprocess.Popen([sys.executable, "-m", "ketenzorg", "worker"], env=os.environ | environ)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
