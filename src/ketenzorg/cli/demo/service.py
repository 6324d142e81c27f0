"""The service of the demo in one process: the API, the worker and the receivers, until asked to stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import uvicorn

from ketenzorg.access.outgoing import LOOPBACK, Outgoing
from ketenzorg.app import real_time, world_of
from ketenzorg.cli.demo.receivers import Receiver, Receivers
from ketenzorg.cli.listening import listen
from ketenzorg.cli.operator import by_operator
from ketenzorg.cli.place import Place
from ketenzorg.cli.serve import BACKLOG, application_at, options
from ketenzorg.cli.work import deliver, keep_chained
from ketenzorg.coordination.hearing.subscribing import set_endpoint
from ketenzorg.coordination.world import World
from ketenzorg.pathway.region import Region
from ketenzorg.settings import Settings
from ketenzorg.store.audit import Access, Interaction
from ketenzorg.store.database import Database
from ketenzorg.store.outbox import Outbox
from ketenzorg.store.worklist import Worklist

HOST = "127.0.0.1"
LOOK_S = 0.05
PATIENCE_S = 60.0  # what the last notifications get to arrive
LISTENERS = ("his-demo", "welzijn-demo")


@dataclass(frozen=True)
class Service:
    """What runs: who listens, what has not reached them yet, and what each organisation has to do."""

    receivers: dict[str, Receiver]
    outbox: Outbox
    world: World
    worklist: Worklist
    endpoints: dict[str, tuple[UUID, str]]  # name -> which organisation, at which address

    async def connect(self) -> None:
        """From now on the systems of two organisations hear of changes."""
        for name, (organisation, address) in self.endpoints.items():
            secret = self.receivers[name].secret
            await set_endpoint(organisation, address, secret, _on_record, self.world)

    async def all_delivered(self) -> bool:
        """Whether everything arrives within PATIENCE_S."""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            if all(event.state == "withdrawn" for event in await self.outbox.state()):
                return True
            await asyncio.sleep(LOOK_S)
        return False


def _on_record(interaction: Interaction) -> Access:
    return by_operator(interaction, "ketenzorg demo", "keeps-the-service")


class Server(uvicorn.Server):
    """Signals are the demo's own affair: it stops more than one server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def listen_here(port: int) -> socket.socket:
    """A socket on this machine only; port 0 takes any that is free. Raises PortInUse."""
    return listen(HOST, port, BACKLOG)


@asynccontextmanager
async def serving(here: Place, region: Region, listener: socket.socket) -> AsyncIterator[Service]:
    """Serve the place on the listener, with a worker, and with receivers for two organisations."""
    receivers = Receivers(LISTENERS)
    async with AsyncExitStack() as stack:
        database = Database(here.database_url)
        stack.push_async_callback(database.close)
        outbox = Outbox(database, here.settings.region)
        ear = stack.enter_context(listen_here(0))
        at = f"http://{HOST}:{ear.getsockname()[1]}"
        endpoints = {name: (region.of_client(name).id, f"{at}/{name}") for name in LISTENERS}
        await stack.enter_async_context(answering(receivers, ear, here.settings, lifespan="off"))
        await stack.enter_async_context(
            answering(application_at(here), listener, here.settings, lifespan="on")
        )
        world = world_of(here.settings, here.secret, database, real_time)
        await stack.enter_async_context(_worker(here, world, database))
        yield Service(receivers.by_name, outbox, world, world.worklist, endpoints)


@asynccontextmanager
async def answering(
    app: Callable[..., Any], listener: socket.socket, settings: Settings, *, lifespan: str
) -> AsyncIterator[None]:
    """An application behind a listener, for as long as the context lasts."""
    how: dict[str, Any] = {**options(settings), "lifespan": lifespan}
    server = Server(uvicorn.Config(app, **how))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():  # noqa: ASYNC110  (uvicorn tells it in no other way)
        await asyncio.sleep(LOOK_S / 5)
    if running.done():
        running.result()
        raise RuntimeError("the server of the demo did not start")
    try:
        yield
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def _worker(here: Place, world: World, database: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = [
        asyncio.create_task(deliver(here, world, database, Outgoing(LOOPBACK), stop)),
        asyncio.create_task(keep_chained(here, database, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*working)
