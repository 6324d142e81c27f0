"""The fixtures of every test: a `postgres` server, its migrated `template`, a `database` per test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from databases import APP_PASSWORD, Database, new_database, server, wanted_versions
from services import service
from workers import pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

# A fixture that lives beside its clients, and how tests are shared out.
__all__ = ["pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler", "service"]


def _servers() -> list[object]:
    return [
        pytest.param(major, id=f"pg{major}" if major else pytest.HIDDEN_PARAM) for major in wanted_versions()
    ]


@pytest.fixture(scope="session", params=_servers())
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The admin's URL of a PostgreSQL that lives as long as the session."""
    with server(request.param) as admin_url:
        yield admin_url


@pytest.fixture(scope="session")
async def template(postgres: str) -> AsyncIterator[str]:
    """The name of a migrated database without rows, to be copied by each test."""
    from ketenzorg.store.migrate import migrate  # noqa: PLC0415  (only tests that take a database pay for it)

    async with new_database(postgres) as database:
        await migrate(database.admin_url, app_password=APP_PASSWORD)
        yield database.name


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncIterator[Database]:
    """A migrated database for this test alone."""
    async with new_database(postgres, template) as fresh:
        yield fresh
