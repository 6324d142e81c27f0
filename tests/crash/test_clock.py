"""kill -9 of workers in a flood of norms that are past: nothing is lost, nothing is told twice."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

from services import SECRET, Service

COPIES = 2_000
KILLS = 4
# Thousands of trajecten beside the first, each with its own norms, and all of those past.
FLOOD = f"""
    with copied as (
        insert into ketenzorg.traject
        select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*
        from ketenzorg.traject t, generate_series(1, {COPIES}) returning region, id)
    insert into ketenzorg.due
    select (jsonb_populate_record(d, jsonb_build_object('traject', c.id))).*
    from ketenzorg.due d, copied c
"""
TOLD = "select count(*) as n from ketenzorg.event where body ->> 'kind' = 'norm-exceeded'"
LEFT = "select count(*) as n from ketenzorg.due where look < now()"
TWICE = """
    select traject, body ->> 'kind', body ->> 'norm' from ketenzorg.event where body ? 'norm'
    group by 1, 2, 3 having count(*) > 1
"""
HOLES = """
    select t.id from ketenzorg.traject t join ketenzorg.event e on e.traject = t.id and e.seq > 1
    group by t.id, t.seq having array_agg(e.seq order by e.seq) <> array(select generate_series(2, t.seq))
"""


async def count(service: Service, statement: str) -> int:
    return int((await service.rows(statement))[0]["n"])


async def reach(service: Service, told: int) -> None:
    """Until so many were told; the machine may be slow, so time says nothing."""
    async with asyncio.timeout(120):
        while await count(service, TOLD) < told:
            await asyncio.sleep(0.05)


async def test_workers_that_are_killed_tell_everything_once(service: Service, tmp_path: Path) -> None:
    await service.refer()
    await service.rows(FLOOD)
    (tmp_path / "secret.key").write_bytes(SECRET)
    environ = os.environ | {
        "KETENZORG_DATABASE_URL": service.database.app_url,
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret.key"),
        "KETENZORG_DATA_DIR": str(tmp_path),
    }

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "ketenzorg", "worker"]
            return subprocess.Popen(command, env=environ, stdout=log, stderr=log)

    norms = await count(service, "select count(*) as n from ketenzorg.due")
    workers = [start(), start()]
    try:
        chance = random.Random(1)
        for _ in range(KILLS):
            await reach(service, min(norms, await count(service, TOLD) + chance.randint(1, norms // 8)))
            victim = workers.pop(0)
            victim.kill()
            victim.wait()
            assert await count(service, LEFT) > 0, "the kills came after the work, and prove nothing"
            workers.append(start())
        await reach(service, norms)
        async with asyncio.timeout(60):
            while await count(service, LEFT):
                await asyncio.sleep(0.05)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    assert await count(service, TOLD) == norms
    assert await service.rows(TWICE) == []
    assert await service.rows(HOLES) == []
