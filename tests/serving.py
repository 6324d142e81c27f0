"""The service behind a real socket, as `serve` runs it, with the tests' own bounds where a test asks for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

import uvicorn

from ketenzorg.cli.demo.service import HOST, listen_here
from ketenzorg.cli.protocol import Bounds, Door, Protocol
from ketenzorg.cli.serve import options
from ketenzorg.cli.tls import Tls
from ketenzorg.settings import Settings
from services import SETTINGS


class Server(uvicorn.Server):
    """One that leaves Ctrl-C to pytest, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.capture_signals = nullcontext  # type: ignore[method-assign]

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def on_a_port(
    app: Any, bounds: Bounds | None = None, tls: Tls | None = None, settings: Settings = SETTINGS
) -> AsyncIterator[int]:
    """Serve; the port, for as long as the context lasts."""
    how: dict[str, Any] = {**options(settings), "lifespan": "off"}
    if bounds is not None:
        how["http"] = partial(Protocol, door=Door(bounds))
    if tls is not None:
        how |= tls.options(Door())
    server = Server(uvicorn.Config(app, **how))
    with listen_here(0) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait(
            {running, asyncio.create_task(server.listening.wait())}, return_when="FIRST_COMPLETED"
        )
        yield int(listener.getsockname()[1])
        server.should_exit = True
        await running


def at(port: int) -> str:
    """The address of what serves there."""
    return f"http://{HOST}:{port}"
