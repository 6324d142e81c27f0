"""Browsers on the pages of the service, and people who have signed in."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from services import Service

from .browsers import ORIGIN, Browser


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Callable[[], Browser]]:
    """Opens one browser after the other."""
    async with AsyncExitStack() as stack:
        clients: list[httpx.AsyncClient] = []

        def new() -> Browser:
            transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
            clients.append(httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True))
            stack.push_async_callback(clients[-1].aclose)
            return Browser(clients[-1])

        yield new


@pytest.fixture
async def noor(browser: Callable[[], Browser]) -> Browser:
    """A coach of Stadsbreed, signed in."""
    return await browser().sign_in("Noor Bolt")


@pytest.fixture
async def sjoerd(browser: Callable[[], Browser]) -> Browser:
    """Her colleague."""
    return await browser().sign_in("Sjoerd Kamminga")


@pytest.fixture
async def hidde(browser: Callable[[], Browser]) -> Browser:
    """A coach of another organisation."""
    return await browser().sign_in("Hidde Wiersma")
