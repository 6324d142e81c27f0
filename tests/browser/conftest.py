"""The service on a port of its own, and people who look at it in a real browser."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from services import Service
from serving import at, on_a_port

from . import chromium
from .looks import WIDE
from .people import Person

HERE = Path(__file__).parent
Opens = Callable[..., Awaitable[Person]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium one skipped test stands for all of them: one line at the end says what was left out."""
    here = [item for item in items if item.path.is_relative_to(HERE)]
    if not here or chromium.find() is not None:
        return
    first, *rest = here
    first.add_marker(pytest.mark.skip(reason=f"{chromium.MISSING} ({len(here)} tests left out)"))
    items[:] = [item for item in items if item not in rest]
    config.hook.pytest_deselected(items=rest)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for the whole session."""
    program = chromium.find()
    assert program is not None, chromium.MISSING
    async with chromium.running(program) as found:
        yield found


@pytest.fixture
async def address(browser: Browser, service: Service) -> AsyncIterator[str]:
    """Where the service of this test is reached."""
    async with on_a_port(service.app) as port:
        yield at(port)


@pytest.fixture
async def somebody(browser: Browser, address: str) -> AsyncIterator[Opens]:
    """Opens a browser for one person after the other; what any of them complained of fails the test."""
    people: list[Person] = []

    async def opens(name: str = "", **how: Any) -> Person:
        wanted = {
            "viewport": dict(zip(("width", "height"), WIDE, strict=True)),
            "locale": "nl-NL",
            "reduced_motion": "reduce",
            **how,
        }
        person = await Person.at(await browser.new_context(**wanted), address)
        people.append(person)
        return await person.sign_in(name) if name else person

    yield opens
    for person in people:
        await person.page.context.close()
    assert [each for person in people for each in person.complaints] == []
