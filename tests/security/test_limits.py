"""Nobody can use up what is there for all: who asks too much is told when to come back; others notice nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from databases import Database
from ketenzorg.access import limits
from ketenzorg.access.limits import BURST_S, Limiter
from ketenzorg.api.health import Look
from ketenzorg.environment import networks
from ketenzorg.errors import TooMany, Unavailable
from ketenzorg.settings import Settings
from pages.browsers import Browser
from referrals import a_referral
from services import SETTINGS, Service, serving
from serving import on_a_port

from .wire import wire

RATE = 1  # per second: no machine is so slow that it cannot ask more
TRIES = 100


def at(now: float) -> Callable[[], float]:
    return lambda: now


def ask(limiter: Limiter, key: str) -> int:
    """Seconds to wait; 0 when there is nothing to wait for."""
    try:
        with limiter.share(key):
            return 0
    except TooMany as error:
        return int(error.headers["Retry-After"])


def test_after_a_burst_as_much_is_let_in_as_the_rate_says_and_who_waits_as_told_gets_in() -> None:
    now = 0.0
    limiter = Limiter(2, 9, clock=lambda: now)
    at_first = [ask(limiter, "one") for _ in range(20)]
    let_in = at_first.count(0)
    assert 2 * BURST_S <= let_in <= 2 * BURST_S + 1
    assert at_first == [0] * let_in + [1] * (20 - let_in)
    assert ask(limiter, "another") == 0
    now += 1
    assert [ask(limiter, "one") for _ in range(3)] == [0, 0, 1]
    now += 1000
    assert [ask(limiter, "one") for _ in range(20)].count(0) == let_in


def test_what_is_under_way_counts_until_it_ends_however_it_ends() -> None:
    limiter = Limiter(100, 2)
    with ExitStack() as under_way:
        for _ in range(2):
            under_way.enter_context(limiter.share("one"))
        assert ask(limiter, "one") == 1
        assert ask(limiter, "another") == 0
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limiter.share("one"):
            raise ZeroDivisionError


def test_what_strangers_take_of_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 3)
    limiter = Limiter(1, 1, clock=at(0))
    while not ask(limiter, "busy"):
        pass
    for number in range(100):
        assert ask(limiter, f"stranger {number}") == 0
        assert ask(limiter, "busy") > 0  # who asks on is not forgotten
    assert len(limiter._uses) <= 3


def test_a_customer_of_ipv6_has_one_address() -> None:
    assert (
        limits.house_of("2001:db8::1")
        == limits.house_of("2001:db8::ffff:1")
        != limits.house_of("2001:db8:1::1")
    )
    assert limits.house_of("192.0.2.1") != limits.house_of("192.0.2.2")
    assert limits.house_of("unix") == "unix"


# Over HTTP


@asynccontextmanager
async def tight(database: Database, **changes: Any) -> AsyncIterator[Service]:
    async with serving(database, msgspec.structs.replace(SETTINGS, **changes)) as service:
        yield service


async def until_refused(ask: Callable[[], Any]) -> httpx.Response:
    for _ in range(TRIES):
        response: httpx.Response = await ask()
        if response.status_code == 429:
            assert int(response.headers["Retry-After"]) >= 1
            assert response.headers["x-content-type-options"] == "nosniff"
            return response
    raise AssertionError("never refused")


async def never() -> AsyncIterator[bytes]:
    raise AssertionError("the body was read")
    yield b""


def from_address(service: Service, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_client_that_asks_too_much_is_refused_before_its_body_and_hinders_nobody(
    database: Database,
) -> None:
    async with tight(database, client_rate=RATE) as service:
        refused = await until_refused(lambda: service.his.get("/fhir/Task"))
        [issue] = refused.json()["issue"]
        assert issue["code"] == "throttled"
        assert refused.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
        assert (await service.his.post("/fhir", content=never())).status_code == 429
        assert (await service.coach.get("/fhir/Task")).status_code == 200
        assert (await service.stranger.get("/fhir/Task")).status_code == 401


async def test_requests_that_do_not_end_take_the_share_of_their_own_client_only(database: Database) -> None:
    async with tight(database, at_once=2) as service:
        begun, go_on = asyncio.Semaphore(0), asyncio.Event()
        body = msgspec.json.encode(a_referral("1"))

        async def slow() -> AsyncIterator[bytes]:
            begun.release()
            await go_on.wait()
            yield body

        async with asyncio.TaskGroup() as group:
            under_way = [group.create_task(service.his.post("/fhir", content=slow())) for _ in range(2)]
            for _ in under_way:
                await begun.acquire()
            refused = await service.his.get("/fhir/Task")
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
            assert (await service.coach.get("/fhir/Task")).status_code == 200
            go_on.set()
        assert {each.result().status_code for each in under_way} == {200}
        assert (await service.his.get("/fhir/Task")).status_code == 200


async def test_guessing_tokens_uses_up_an_address_and_no_client(database: Database) -> None:
    async with tight(database, address_rate=RATE) as service:
        guess = {"Authorization": "Bearer guess"}
        await until_refused(lambda: service.stranger.get("/fhir/Task", headers=guess))
        assert (await service.stranger.get("/fhir/metadata")).status_code == 429
        assert (await service.his.get("/fhir/Task")).status_code == 200  # from the same address
        assert (await service.stranger.get("/health/live")).status_code == 200
        assert (await service.stranger.post("/auth/token")).status_code == 415  # counted apart
        refused = await until_refused(lambda: service.stranger.post("/auth/token"))
        assert refused.json()["error"] == "temporarily_unavailable"
        async with from_address(service, "192.0.2.1") as elsewhere:
            assert (await elsewhere.get("/fhir/Task", headers=guess)).status_code == 401


async def test_however_many_ask_at_once_whether_we_are_ready_it_is_looked_at_once() -> None:
    looked, go_on = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looked
        looked += 1
        await go_on.wait()
        if looked == 1:
            raise Unavailable

    ready = Look(look)
    waiting = [asyncio.ensure_future(ready()) for _ in range(10)]
    await asyncio.sleep(0)  # until all have asked
    waiting[0].cancel()  # who gave up stops nobody
    go_on.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, *[Unavailable] * 9]
    await ready()
    assert looked == 2


async def test_a_person_who_asks_too_much_is_told_so_in_dutch_and_hinders_no_colleague(
    database: Database,
) -> None:
    async with (
        tight(database, person_rate=RATE) as service,
        from_address(service, "192.0.2.1") as one,
        from_address(service, "192.0.2.1") as another,
    ):
        one.follow_redirects = another.follow_redirects = True
        noor, sjoerd = (
            await Browser(one).sign_in("Noor Bolt"),
            await Browser(another).sign_in("Sjoerd Kamminga"),
        )
        refused = await until_refused(lambda: one.get("/werk"))
        assert refused.headers["Content-Type"] == "text/html; charset=utf-8"
        assert refused.headers["Content-Security-Policy"].startswith("default-src 'none'")
        noor.response = refused
        assert "Stuur hetzelfde verzoek over" in noor.text
        assert (await sjoerd.open("/werk")).response.status_code == 200
        # A second session of the same person has no share of its own.
        async with from_address(service, "192.0.2.1") as again:
            again.cookies = one.cookies
            assert (await again.get("/werk")).status_code == 429


async def test_a_proxy_that_we_know_says_for_whom_it_asks_and_nobody_else_can(database: Database) -> None:
    asked = b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.%d\r\n\r\n"

    async def statuses(settings: Settings) -> list[int]:
        async with serving(database, settings) as service, on_a_port(service.app, settings=settings) as port:
            found = []
            async with wire(port) as proxy:
                for number in range(TRIES):
                    proxy.say(asked % number)
                    found.append((await proxy.answer()).status)
        return found

    tight = msgspec.structs.replace(SETTINGS, address_rate=RATE)
    assert set(await statuses(msgspec.structs.replace(tight, proxies=networks("127.0.0.0/8")))) == {200}
    assert 429 in await statuses(tight)
