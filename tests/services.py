"""The service on a database of its own, in the test's own process, with a client for each party."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from content import CATALOGUE, CONTENT, REGION
from databases import Database
from ketenzorg.app import create_app, tokens_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.hearing.subscribing import set_endpoint
from ketenzorg.settings import DATA_DIR, IN_A_HURRY, OUTGOING_NETWORKS, Settings, for_asyncpg
from ketenzorg.store.audit import Access
from ketenzorg.store.ids import uuid7
from referrals import a_referral, said

__all__ = ["CATALOGUE", "REGION"]  # for who meets them with the service

SECRET = b"a secret for tests, long enough."
SHARED = b"shared by us and one receiver..."
# A folder in which what was proved of the pathways is kept: each app would prove it again.
DATA = TemporaryDirectory(prefix="ketenzorg-tests-")
SETTINGS = Settings.from_environ(
    {DATA_DIR.name: DATA.name, OUTGOING_NETWORKS.name: "127.0.0.0/8", **IN_A_HURRY}
)
START = datetime(2026, 1, 12, 9, 30, tzinfo=UTC)  # a Monday


@dataclass
class Referral:
    """A referral that was taken in: where its parts are."""

    response: httpx.Response
    locations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        entries = self.response.json()["entry"]
        self.locations = [entry["response"]["location"].partition("/_history")[0] for entry in entries]

    def __getitem__(self, kind: str) -> str:
        return next(location for location in self.locations if location.startswith(f"{kind}/"))


@dataclass
class Service:
    """The running service, a client per party, and the database behind it."""

    his: httpx.AsyncClient
    coach: httpx.AsyncClient
    hospital: httpx.AsyncClient
    team: httpx.AsyncClient
    stranger: httpx.AsyncClient  # without a token
    database: Database
    token: Callable[..., str]
    app: Any

    async def refer(self, bundle: dict[str, Any] | None = None) -> Referral:
        """Post a referral that must be taken."""
        response = await self.his.post("/fhir", json=bundle or a_referral())
        assert response.status_code == 200, response.text
        return Referral(response)

    async def happens(self, task: str, event: str, /, **given: str) -> dict[str, Any]:
        """The coach says that something happened, and may."""
        response = await self.coach.post(f"/fhir/{task}/$event", json=said(event, **given))
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    async def listens(self, organisation: UUID, url: str, secret: bytes = SHARED) -> None:
        """From now on an organisation hears of its Tasks there, and has answered the handshake."""
        world = self.app.litestar.state.world
        await set_endpoint(organisation, url, secret, lambda _: looks(organisation), world)
        await self.rows(
            "update ketenzorg.subscription set status = 'active', answered = true"
            f" where organisation = '{organisation}'"
        )

    async def rows(self, statement: str) -> list[Any]:
        """What stands in the database, past every wall."""
        connection = await asyncpg.connect(for_asyncpg(self.database.admin_url))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()


def looks(organisation: UUID) -> Access:
    """Somebody of an organisation looks at something."""
    return Access(
        id=uuid7(),
        request="test",
        client="test",
        organisation=organisation,
        interaction="list",
        action="E",
        rule="test",
        rule_left="test",
    )


def token_for(client: str, *, hours: float = 1, settings: Settings = SETTINGS, secret: bytes = SECRET) -> str:
    return tokens_of(settings, secret).issue(caller_for(REGION, client), timedelta(hours=hours))


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Service]:
    """The service at START on an empty database."""
    async with serving(database) as one:
        yield one


@asynccontextmanager
async def serving(database: Database, settings: Settings = SETTINGS) -> AsyncIterator[Service]:
    """One process of the service."""
    app = create_app(settings, SECRET, database.app_url, in_sandbox=True, content=CONTENT)
    app.litestar.state.clock.set(START)

    def client(name: str | None) -> httpx.AsyncClient:
        headers = {"Content-Type": "application/fhir+json"}
        if name:
            headers["Authorization"] = f"Bearer {token_for(name)}"
        # A crash must come out as the answer that a caller gets, not as an exception in the test.
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    async with (
        client("his-demo") as his,
        client("welzijn-demo") as coach,
        client("ziekenhuis-demo") as hospital,
        client("ketenteam-demo") as team,
        client(None) as stranger,
    ):
        yield Service(his, coach, hospital, team, stranger, database, token_for, app)
        await app.litestar.state.referee.close()
        await app.litestar.state.world.bell.close()
        await app.litestar.state.database.close()
