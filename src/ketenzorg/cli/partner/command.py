"""`ketenzorg partner`: somebody else's system, to try a sandbox with: it subscribes, hears, and works on Tasks.

It talks to the service over HTTP alone, as a real partner would, under the token of a client of the sandbox.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import typer
import uvicorn

from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from ketenzorg.cli.demo.folder import NAME as DEMO
from ketenzorg.cli.demo.service import HOST, Server, listen_here
from ketenzorg.cli.partner.ear import Behaviour, Ear, Switch
from ketenzorg.cli.partner.hand import Hand
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.cli.serve import options
from ketenzorg.coordination.hearing.notification import TOPICS
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.fhir import json
from ketenzorg.pathway.content import read_content
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.secret_file import read_secret
from ketenzorg.settings import BASE_URL, Settings

CLIENTS = {
    "hospital": "ziekenhuis-demo",
    "pharmacy": "apotheek-demo",
    "coach": "welzijn-demo",
    "eloc": "eloc-demo",
}
LIFETIME = timedelta(hours=24)
CONTENT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
PATIENCE_S = 20.0


class NotTaken(KetenzorgError):
    """The service does not take our subscription."""


def partner(
    environ: Mapping[str, str], kind: str, behaviour: Behaviour, port: int, service_port: int
) -> None:
    """Play a partner until Ctrl-C; its switch listens one port higher."""
    base = f"http://{HOST}:{service_port}"
    settings = Settings.from_environ({BASE_URL.name: base, **environ})
    catalogue, region = read_content(settings.pathways, settings.region)
    caller = caller_for(region, CLIENTS[kind])
    # The demo keeps a folder, and so a secret, of its own.
    demo = settings.data_dir / DEMO / settings.secret_file.name
    secret = read_secret(demo if demo.exists() else settings.secret_file)
    token = tokens_of(settings, secret).issue(caller, LIFETIME)
    asyncio.run(_play(caller, token, f"{settings.base_url}/fhir/", behaviour, port, catalogue))


async def _play(
    caller: Caller, token: str, fhir: str, behaviour: Behaviour, port: int, catalogue: Catalogue
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(base_url=fhir, headers=headers, timeout=PATIENCE_S, trust_env=False) as line:
        hand = Hand(line, caller.role, roles_of_kinds(catalogue))
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def hear(body: bytes) -> None:
            for task in tasks_in(body):
                heard.put_nowait(task)

        ear = Ear(behaviour, hear)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with AsyncExitStack() as stack:
            door = _Door(ear, port)
            stack.push_async_callback(door.shut)
            switch = _Door(Switch(ear, door.follow), port + 1)
            stack.push_async_callback(switch.shut)
            await switch.open()
            await door.open()
            await _subscribe(line, f"http://{HOST}:{port}/")
            await door.follow()
            typer.echo(f"{caller.client} ({behaviour}) luistert op {HOST}:{port}")
            typer.echo(f"Omzetten: curl -d down http://{HOST}:{port + 1}/   ({', '.join(Behaviour)})")
            working = asyncio.create_task(_work(heard, hand, ear))
            await stop.wait()
            working.cancel()


class _Door:
    """A port with an application behind it; shut means that nobody listens there."""

    def __init__(self, app: Callable[..., Awaitable[None]], port: int) -> None:
        self._app = app
        self._port = port
        self._server: Server | None = None
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen. Raises PortInUse."""
        if self._server is None:
            listener = listen_here(self._port)
            self._server = Server(uvicorn.Config(self._app, lifespan="off", **options()))
            self._running = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def shut(self) -> None:
        """Stop listening."""
        if self._server is not None and self._running is not None:
            self._server.should_exit = True
            await self._running
            self._server = None

    async def follow(self) -> None:
        """Open or shut, as the behaviour of the ear says."""
        down = isinstance(self._app, Ear) and self._app.behaviour is Behaviour.DOWN
        await (self.shut() if down else self.open())


async def _subscribe(line: httpx.AsyncClient, address: str) -> None:
    """Ask to hear of Tasks at this address; what an earlier run asked there goes first."""
    found = (await line.get("Subscription")).json()
    for entry in found.get("entry", ()):
        if entry["resource"]["channel"].get("endpoint") == address:
            await line.delete(f"Subscription/{entry['resource']['id']}")
    await subscribed(line, "Subscription", wish("Task", address, "partner of the sandbox"))


async def subscribed(line: httpx.AsyncClient, at: str, wished: Mapping[str, Any]) -> dict[str, Any]:
    """The Subscription as it was taken, with its secret. Raises NotTaken."""
    answer = await line.post(at, content=json.write(wished))
    if answer.status_code != httpx.codes.CREATED:
        raise NotTaken(
            Issue(
                nl=f"Het abonnement is niet aangenomen: {answer.status_code}.",
                en=f"The subscription was not taken: {answer.status_code} {answer.text[:400]}",
            )
        )
    made: dict[str, Any] = answer.json()
    return made


def wish(kind: str, address: str, reason: str) -> dict[str, Any]:
    """The Subscription of who wants to hear of new versions of a type, by their address only."""
    content = {"extension": [{"url": CONTENT, "valueCode": "id-only"}]}
    channel = {
        "type": "rest-hook",
        "endpoint": address,
        "payload": "application/fhir+json",
        "_payload": content,
    }
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": reason,
        "criteria": TOPICS[kind],
        "channel": channel,
    }


async def _work(heard: "asyncio.Queue[str]", hand: Hand, ear: Ear) -> None:
    while True:
        task = await heard.get()
        try:
            typer.echo(await hand.work_on(task, ear.behaviour))
        except httpx.HTTPError as error:
            typer.echo(f"{task}: {type(error).__name__}")


def tasks_in(body: bytes) -> list[str]:
    """The Tasks ("Task/<id>") that a notification speaks of; none in a handshake, a heartbeat or nonsense."""
    try:
        entries = json.read(body).get("entry", ())
    except ValueError:
        return []
    addresses = [entry.get("fullUrl", "") for entry in entries]
    return [f"Task/{address.rpartition('/')[2]}" for address in addresses if "/Task/" in address]


def roles_of_kinds(catalogue: Catalogue) -> dict[str, set[str]]:
    """Kind of organisation -> the roles that it may play, in any pathway."""
    found: dict[str, set[str]] = {}
    for pathway in catalogue.versions():
        for name, role in pathway.file.roles.items():
            for kind in role.kinds:
                found.setdefault(kind, set()).add(name)
    return found
