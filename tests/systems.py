"""A system of somebody else: with keys of its own, an assertion for each token, and whatever it may do wrong."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from content import CONTENT
from ketenzorg.access.granting import ASSERTION_TYPE
from ketenzorg.api.auth import FORM
from ketenzorg.app import create_app
from ketenzorg.store.clients import Clients
from ketenzorg.store.database import Database
from services import REGION, SECRET, SETTINGS, Service

TOKEN_URL = f"{SETTINGS.base_url}/auth/token"
PRACTICE, COACH = REGION.of_client("his-demo"), REGION.of_client("welzijn-demo")
Key = RSAKey | ECKey
UNKNOWN = "is not of a client that we know"  # whatever it is that we do not know


@cache
def rsa(kid: str = "rsa-1", bits: int = 2048) -> RSAKey:
    """Making one takes a while: each test has the same."""
    return RSAKey.generate_key(bits, {"kid": kid})


@cache
def ec(kid: str = "ec-1", curve: str = "P-384") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


def key_set(*keys: Key) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


@dataclass
class System:
    """A registered client and what it signs with."""

    service: Service
    name: str
    key: Key

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What an assertion says; `None` leaves a claim out."""
        now = int(time.time())
        claims = {"iss": self.name, "sub": self.name, "aud": TOKEN_URL, "exp": now + 240, "jti": uuid4().hex}
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def signed(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """An assertion."""
        alg = "RS384" if isinstance(self.key, RSAKey) else "ES384"
        head = {"alg": alg, "typ": "JWT", "kid": self.key.kid} | (header or {})
        return jws.serialize_compact(head, json.dumps(self.claims(**changed)), self.key, algorithms=[alg])

    def form(self, assertion: str | None = None, **changed: str | None) -> dict[str, str]:
        """What is posted to the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "scope": "system/*.rs",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.signed(),
        }
        return {name: value for name, value in (form | changed).items() if value is not None}

    async def ask(self, assertion: str | None = None, **changed: str | None) -> httpx.Response:
        """Ask for a token."""
        return await ask(self.service, self.form(assertion, **changed))

    async def token(self, assertion: str | None = None, **changed: str | None) -> str:
        """A token that must be given."""
        response = await self.ask(assertion, **changed)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])


async def ask(service: Service, form: dict[str, str] | bytes, **headers: str) -> httpx.Response:
    """Ask for a token, as anybody can."""
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    sent = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await service.stranger.post("/auth/token", headers=sent, content=body)


def speaking(app: Any, token: str | None = None) -> httpx.AsyncClient:
    """A client of an application in this process."""
    headers = {"Content-Type": "application/fhir+json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


@asynccontextmanager
async def another_process(
    service: Service, *, seconds: Callable[[], float] = time.monotonic
) -> AsyncIterator[Any]:
    """The same installation once more, not in the sandbox: what it knows it has from the database."""
    app = create_app(SETTINGS, SECRET, service.database.app_url, seconds=seconds, content=CONTENT)
    try:
        yield app
    finally:
        await app.litestar.state.world.bell.close()
        await app.litestar.state.database.close()


@asynccontextmanager
async def registered_clients(service: Service) -> AsyncIterator[Clients]:
    """The registry of the service's database, as the command line has it."""
    database = Database(service.database.app_url)
    try:
        yield Clients(database, SETTINGS.region)
    finally:
        await database.close()


async def register(
    service: Service,
    name: str = "his-a",
    key: Key | None = None,
    *,
    keys: str | None = None,
    url: str | None = None,
    scopes: tuple[str, ...] = ("system/*.crus",),
    organisations: Any = (PRACTICE,),
) -> System:
    """A system that may ask for tokens from now on."""
    key = key or rsa()
    jwks = None if url else keys or key_set(key)
    ids = tuple(each.id for each in organisations)
    async with registered_clients(service) as clients:
        assert await clients.add(name, ids, scopes, jwks_url=url, jwks=jwks)
    return System(service, name, key)


@dataclass
class Publisher:
    """Publishes a key set, and counts who looks."""

    body: bytes
    headers: tuple[str, ...] = ()
    status: int = 200
    looks: int = 0
    promised: int = 0  # bytes more than it sends
    url: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.looks += 1
            await self.open.wait()
            head = [
                f"HTTP/1.1 {self.status} X",
                *self.headers,
                f"Content-Length: {len(self.body) + self.promised}",
            ]
            writer.write("\r\n".join([*head, "Connection: close", "", ""]).encode() + self.body)
            await writer.drain()
            if self.promised:
                await reader.read()  # until we are left
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def publisher(body: str, *headers: str) -> AsyncIterator[Publisher]:
    one = Publisher(body.encode(), headers)
    one.open.set()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    try:
        yield one
    finally:
        one.open.set()
        server.close()


def refusal(response: httpx.Response, error: str, says: str) -> None:
    """What a refusal by the token endpoint looks like, whatever was wrong."""
    assert (response.status_code, response.json()["error"]) == (400, error), response.text
    assert says in response.json()["error_description"], response.text
    assert set(response.json()) == {"error", "error_description"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


def whys(lines: list[dict[str, Any]]) -> list[str]:
    """What our log says of the assertions that were refused."""
    return [line["why"] for line in lines if line["event"] == "KZ-AUT-002"]
