"""Whether "not there" and "not for you" take the same time: `python -m tests.benchmarks.absent_or_forbidden`.

10,000 looks of each, by turns, by an organisation without a part: at a resource that is there and at one that is not.
The two-sample Kolmogorov-Smirnov test says whether the times could be of one and the same answer. That the work is the
same is for a test to say: tests/access/test_absent_or_forbidden.py.
"""

# ruff: noqa: T201

import asyncio
import math
import statistics
import sys
import time
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, new_database, server
from ketenzorg.logs import configure
from ketenzorg.store.ids import uuid7
from ketenzorg.store.migrate import migrate
from services import REGION, Service, serving
from spec.talking import call

SAMPLES = 10_000
WARM = 200
STRANGER = next(each.id for each in REGION.organisations if each.kind == "fysiotherapie")


async def timed(service: Service, address: str) -> float:
    began = time.perf_counter()
    await call(service, STRANGER, "GET", address, None, 404)
    return (time.perf_counter() - began) * 1e6


async def measured(service: Service, kind: str, there: str) -> tuple[list[float], list[float]]:
    """Microseconds of what is hidden and of what is absent; which comes first changes each time."""
    hidden: list[float] = []
    absent: list[float] = []
    for number in range(SAMPLES + WARM):
        pair = [(hidden, there), (absent, str(uuid7()))]
        for times, id_ in pair if number % 2 else pair[::-1]:
            times.append(await timed(service, f"/fhir/{kind}/{UUID(id_)}"))
    return hidden[WARM:], absent[WARM:]


def kolmogorov_smirnov(one: list[float], other: list[float]) -> tuple[float, float]:
    """The greatest distance between the two distributions, and how likely one at least as great is by chance."""
    places = sorted([(each, 1 / len(one)) for each in one] + [(each, -1 / len(other)) for each in other])
    distance = along = 0.0
    for _, step in places:
        along += step
        distance = max(distance, abs(along))
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    reach = (size + 0.12 + 0.11 / size) * distance
    chance = 2 * sum((-1) ** (n - 1) * math.exp(-2 * n * n * reach * reach) for n in range(1, 101))
    return distance, min(1.0, max(0.0, chance))


async def main() -> None:
    configure("error")
    with server(None) as admin_url:
        async with new_database(admin_url) as database:
            await migrate(database.admin_url, app_password=APP_PASSWORD)
            async with serving(database) as service:
                referral = await service.refer()
                for kind in ("Task", "Patient"):
                    hidden, absent = await measured(service, kind, referral[kind].partition("/")[2])
                    distance, chance = kolmogorov_smirnov(hidden, absent)
                    medians = f"{statistics.median(hidden):.0f} and {statistics.median(absent):.0f}"
                    print(f"{kind}: median {medians} us, D = {distance:.4f}, p = {chance:.3f}")


if __name__ == "__main__":
    asyncio.run(main())
