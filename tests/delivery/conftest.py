"""The outbox behind the service, and a worker on it that is driven by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from ketenzorg.access.outgoing import Outgoing
from ketenzorg.delivery.sending import new_client
from ketenzorg.delivery.worker import Worker
from ketenzorg.settings import LOOPBACK
from ketenzorg.store.database import Database
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Outbox
from services import SETTINGS, Service


@pytest.fixture
async def outbox(service: Service) -> AsyncIterator[Outbox]:
    database = Database(service.database.app_url)
    yield Outbox(database, SETTINGS.region)
    await database.close()


@pytest.fixture
async def worker(service: Service, outbox: Outbox) -> AsyncIterator[Worker]:
    async with new_client(Outgoing(LOOPBACK)) as client:
        yield Worker(
            outbox=outbox,
            keyring=service.app.litestar.state.world.keyring,
            client=client,
            fhir_base="http://test/fhir",
            now=lambda: datetime.now(UTC),
            chance=lambda: 0.5,
            new_id=uuid7,
        )
