"""What the proofs of the promises say to the service."""

from typing import Any

import httpx

from ketenzorg.delivery.worker import Worker
from services import Service

PATCH = {"Content-Type": "application/json-patch+json"}


async def stored(service: Service) -> int:
    """How many referrals there are."""
    [row] = await service.rows("select count(*) as n from ketenzorg.traject")
    return int(row["n"])


async def accepting(service: Service, task: str, headers: dict[str, str]) -> httpx.Response:
    """The coach accepts by writing the status."""
    accepted = [{"op": "replace", "path": "/status", "value": "accepted"}]
    return await service.coach.patch(f"/fhir/{task}", json=accepted, headers=PATCH | headers)


async def all_of_it(worker: Worker) -> None:
    """Rounds until there is nothing left to send now."""
    while await worker.deliver_due():
        pass


def named(response: httpx.Response, name: str) -> Any:
    """A value of a Parameters resource."""
    [found] = [each for each in response.json()["parameter"] if each["name"] == name]
    return next(value for key, value in found.items() if key.startswith("value"))
