"""The outbox behind the service, and a worker on it that is driven by hand, at a time that the test sets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from ketenzorg.access.outgoing import LOOPBACK, Outgoing
from ketenzorg.delivery.rest_hook import RestHook
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.serving import Tools
from ketenzorg.delivery.worker import Worker
from ketenzorg.store.database import Database
from ketenzorg.store.outbox import Outbox
from services import SETTINGS, Service


@dataclass
class Clock:
    """Real time, and what the test lets pass beside it."""

    passed: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def passes(self, **much: float) -> None:
        self.passed += timedelta(**much)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def outbox(service: Service) -> AsyncIterator[Outbox]:
    database = Database(service.database.app_url)
    yield Outbox(database, SETTINGS.region)
    await database.close()


@pytest.fixture
async def tools(service: Service, outbox: Outbox, clock: Clock) -> AsyncIterator[Tools]:
    world = service.app.litestar.state.world
    async with new_client(Outgoing(LOOPBACK)) as client:
        yield Tools(
            outbox=outbox,
            world=world,
            carriers={"rest-hook": RestHook(client, world.keyring, "http://test/fhir")},
            now=clock.now,
            chance=lambda: 0.5,
        )


@pytest.fixture
def worker(tools: Tools) -> Worker:
    return Worker(tools, asyncio.Event())
