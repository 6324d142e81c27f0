"""Browsers on the pages of the service, and people who have signed in."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from ketenzorg.access.keys import Keys
from ketenzorg.app import real_time
from ketenzorg.pages.refusals import HANDLERS
from ketenzorg.pages.routes import ROUTES
from ketenzorg.pages.site import make_site
from services import SECRET, SETTINGS, Service

from .browsers import ORIGIN, Browser


def pages_of(service: Service) -> Any:
    """The pages of this service."""
    if getattr(service.app.litestar.state, "site", None) is not None:
        return service.app
    world = service.app.litestar.state.world
    site = make_site(SETTINGS, Keys.derive(SECRET), world.region, real_time)
    return Litestar(
        ROUTES, state=State({"world": world, "site": site}), exception_handlers=HANDLERS, openapi_config=None
    )


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Callable[[], Browser]]:
    """Opens one browser after the other."""
    app = pages_of(service)
    async with AsyncExitStack() as stack:
        clients: list[httpx.AsyncClient] = []

        def new() -> Browser:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
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
