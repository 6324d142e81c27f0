"""kill -9 of the workers that chain the audit log: no line is lost, none stands in the chain twice, none by half."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from audits import chained, walked
from referrals import a_referral
from services import Service

TESTS = Path(__file__).parents[1]
WORKERS, KILLS, LINES_BETWEEN = 2, 6, 12


def a_worker(service: Service) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crash.chaining", service.database.app_url]
    return subprocess.Popen(command, cwd=TESTS, env=os.environ | {"PYTHONPATH": str(TESTS)})


async def links(service: Service) -> int:
    return int((await service.rows("select count(*) from ketenzorg.audit_chain"))[0][0])


async def test_a_chain_whose_workers_are_killed_loses_nothing(service: Service) -> None:
    workers = [a_worker(service) for _ in range(WORKERS)]
    try:
        for kill in range(KILLS):
            before = await links(service)
            for number in range(LINES_BETWEEN):
                await service.refer(a_referral(f"k-{kill}-{number}"))
            async with asyncio.timeout(60):
                while await links(service) == before:  # until this round's workers are at work
                    await asyncio.sleep(0.01)
            await asyncio.gather(*(service.refer(a_referral(f"l-{kill}-{number}")) for number in range(4)))
            workers[kill % WORKERS].kill()
            workers[kill % WORKERS].wait()
            workers[kill % WORKERS] = a_worker(service)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    await chained(service)
    lines = KILLS * (LINES_BETWEEN + 4)
    assert await walked(service) == ([], lines)
    assert await links(service) == lines
