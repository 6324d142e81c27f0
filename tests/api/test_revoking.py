"""Who is registered counts, in every process and within a second; nobody else gets in outside the sandbox."""

import asyncio

from ketenzorg.access.registry import STALE_S, Registry
from ketenzorg.errors import Unavailable
from ketenzorg.store.clients import Clients
from ketenzorg.store.database import Database
from services import SETTINGS, Service, token_for
from systems import another_process, register, registered_clients, speaking


class Counted(Clients):
    """Counts how often the database is asked."""

    asked = 0

    async def epoch(self) -> int:
        self.asked += 1
        return await super().epoch()


class Slow(Counted):
    """A database that is asked, and in the end is not there."""

    def __init__(self, database: Database, region: str) -> None:
        super().__init__(database, region)
        self.began, self.fails = asyncio.Event(), asyncio.Event()

    async def epoch(self) -> int:
        self.asked += 1
        self.began.set()
        await self.fails.wait()
        raise Unavailable


async def test_a_token_that_is_still_valid_stops_working_within_a_second_of_the_revocation(
    service: Service,
) -> None:
    now = [1000.0]
    system = await register(service)
    async with another_process(service, seconds=lambda: now[0]) as app:
        token = await system.token()
        async with speaking(app, token) as client, registered_clients(service) as clients:
            assert (await client.get("/fhir/Task")).status_code == 200
            assert await clients.revoke(system.name)
            now[0] += STALE_S
            refused = await client.get("/fhir/Task")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (401, "login")
    assert "no longer, registered" in refused.json()["issue"][0]["diagnostics"]
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


async def test_the_price_is_one_look_a_second_and_none_a_request(service: Service) -> None:
    now = [0.0]
    system = await register(service)
    database = Database(service.database.app_url)
    clients = Counted(database, SETTINGS.region)
    registry = Registry(clients, clock=lambda: now[0], unregistered=False)
    for moment in range(50):
        now[0] = moment * STALE_S / 10
        await registry.admit(system.name)
    assert clients.asked == 5
    await database.close()


async def test_requests_that_come_together_wait_for_one_look_and_hear_of_its_failure(
    service: Service,
) -> None:
    database = Database(service.database.app_url)
    clients = Slow(database, SETTINGS.region)
    registry = Registry(clients, clock=lambda: 0.0, unregistered=True)
    waiting = [asyncio.create_task(registry.admit("his")) for _ in range(20)]
    await clients.began.wait()
    waiting[0].cancel()  # who goes away takes nothing from the others
    clients.fails.set()
    heard = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in heard] == [asyncio.CancelledError, *[Unavailable] * 19]
    assert clients.asked == 1
    await database.close()


async def test_a_revoked_client_gets_no_new_token_and_its_name_goes_to_nobody_else(service: Service) -> None:
    system = await register(service)
    async with registered_clients(service) as clients:
        assert await clients.revoke(system.name)
        assert not await clients.revoke(system.name)
        assert not await clients.replace_keys(system.name, jwks_url="https://his.example/jwks", jwks=None)
        [ended] = await clients.all()
        assert not await clients.add(
            system.name, ended.organisations, ended.scopes, jwks_url=None, jwks=ended.jwks
        )
    assert (await system.ask()).json()["error"] == "invalid_client"


async def test_outside_the_sandbox_a_token_that_was_made_by_hand_is_worth_nothing(service: Service) -> None:
    by_hand = token_for("his-demo")
    async with another_process(service) as app, speaking(app, by_hand) as client:
        assert (await client.get("/fhir/Task")).status_code == 401
    assert (await service.his.get("/fhir/Task")).status_code == 200
