"""The region of the differential tests: made once, copied for each party."""

from collections.abc import AsyncIterator

import pytest

from access.regions import TODAY, a_copy, a_region
from databases import Database, new_database
from services import Service, serving


@pytest.fixture(scope="session")
async def region(postgres: str, template: str) -> AsyncIterator[Database]:
    """Everything that happened; nobody is connected, so that it can be copied."""
    async with new_database(postgres, template) as whole:
        async with serving(whole) as service:
            await a_region(service)
            await service.app.litestar.state.throughput.rollup.fold_until_current()
        yield whole


@pytest.fixture(scope="session")
async def shared(region: Database, postgres: str) -> AsyncIterator[Service]:
    """The service on the database of all."""
    async with a_copy(region, postgres) as copy, serving(copy) as service:
        service.app.litestar.state.clock.set(TODAY)
        yield service
