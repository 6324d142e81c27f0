"""The service on a port of its own, and people who look at it in a real browser."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser

from ketenzorg.cli.demo_service import HOST, listen_here
from ketenzorg.cli.serve import options
from services import Service

from . import chromium
from .looks import WIDE
from .people import Person

HERE = Path(__file__).parent
Opens = Callable[..., Awaitable[Person]]


class Server(uvicorn.Server):
    """One that leaves Ctrl-C to pytest, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.capture_signals = nullcontext  # type: ignore[method-assign]

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


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
    how: dict[str, Any] = {**options(), "lifespan": "off"}
    server = Server(uvicorn.Config(service.app, **how))
    with listen_here(0) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait(
            {running, asyncio.create_task(server.listening.wait())}, return_when="FIRST_COMPLETED"
        )
        yield f"http://{HOST}:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


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
