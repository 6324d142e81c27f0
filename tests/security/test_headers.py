"""What a browser is told with every answer, what its cookie is worth, and that no other site can act in its name."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from databases import Database
from ketenzorg.access.sessions import Sessions
from pages.browsers import ORIGIN, Browser
from services import SETTINGS, Service, serving

from .routes import addresses

ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
STRICT = {
    "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "form-action": "'self'",
    "frame-ancestors": "'none'", "base-uri": "'none'",
}  # fmt: skip
KEPT = (
    "/static/",
    "/guide/guide.",
    "/keten/chain.",
    "/auth/jwks",
    "/.well-known/",
    "/fhir/.well-known/",
)  # tell of nobody
EVERY_METHOD = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@pytest.fixture
async def https(database: Database) -> AsyncIterator[Service]:
    """An installation that is reached over https."""
    secure = msgspec.structs.replace(SETTINGS, base_url="https://keten.example")
    async with serving(database, secure) as service:
        yield service


def caller(service: Service, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


async def test_every_answer_of_every_address_forbids_a_browser_all_that_it_needs_not(https: Service) -> None:
    task = (await https.refer())["Task"].partition("/")[2]
    noor = Browser(caller(https))
    noor.client.follow_redirects = True
    noor.client.base_url = httpx.URL("https://keten.example")
    await noor.sign_in("Noor Bolt")
    noor.client.follow_redirects = False
    foreign = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    seen = set()
    for address in addresses(https.app, task, also=EVERY_METHOD):
        for client in (https.stranger, https.coach, noor.client):
            answer = await client.request(address.method, address.path, headers=foreign)
            check(answer, address.is_page)
            seen.add((address.path, answer.status_code // 100))
    assert len({path for path, _ in seen}) > 40
    assert {status for _, status in seen} == {2, 3, 4}
    for path in ("/nergens", "/werk/nergens/anders", "/fhir/", "/auth/nergens", "/%00"):
        check(await https.coach.get(path), page=path.startswith("/werk"))
    await noor.client.aclose()


def check(answer: httpx.Response, page: bool) -> None:
    asked = (answer.request.method, answer.request.url.path, answer.status_code)
    given = answer.headers
    told = ("content-security-policy", "cache-control", "referrer-policy", "x-request-id", "content-type")
    for name in (*ALWAYS, *told, "strict-transport-security"):
        if name != "content-type" or answer.content:
            assert len(given.get_list(name)) == 1, (asked, name, given.get_list(name))
    assert {name: given[name] for name in ALWAYS} == ALWAYS, asked
    policy = dict(rule.strip().split(" ", 1) for rule in given["content-security-policy"].split(";"))
    assert policy.items() <= STRICT.items(), asked
    assert policy.keys() >= {"default-src", "frame-ancestors"}, asked
    assert given["referrer-policy"] == "no-referrer" or (
        page and given["referrer-policy"] == "same-origin"
    ), asked
    assert given["cache-control"] == "no-store" or answer.request.url.path.startswith(KEPT), asked
    assert given["strict-transport-security"] == "max-age=31536000", asked
    assert "access-control-allow-origin" not in given, asked
    assert "server" not in given, asked
    assert given.get("content-type", "").count("charset") <= 1, asked


async def test_without_https_nobody_is_told_to_insist_on_it(service: Service) -> None:
    assert "strict-transport-security" not in (await service.stranger.get("/health/live")).headers


# The cookie


async def test_over_https_the_cookie_can_come_from_nobody_but_us(https: Service) -> None:
    async with caller(https) as client:
        given = (await client.get("/login")).headers.get_list("set-cookie")
    assert len(given) == 1
    name, *flags = given[0].split("; ")
    assert name.startswith("__Host-ketenzorg=")
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]


async def test_a_session_that_was_planted_before_signing_in_is_nobodys_after(service: Service) -> None:
    async with caller(service) as attacker, caller(service) as victim:
        await attacker.get("/login")
        victim.cookies = httpx.Cookies(attacker.cookies)
        victim.follow_redirects = True
        noor = await Browser(victim).sign_in("Noor Bolt")
        assert noor.path == "/werk"
        assert (await attacker.get("/werk")).status_code == 303  # to the login
        mine, theirs = (session_of(service, each) for each in (victim, attacker))
        assert mine.id != theirs.id
        assert (mine.person, theirs.person) == ("noor", "")


async def test_who_signs_out_leaves_a_browser_that_is_nobodys(service: Service) -> None:
    async with caller(service) as client:
        client.follow_redirects = True
        noor = await Browser(client).sign_in("Noor Bolt")
        await noor.press("Uitloggen")
        assert client.cookies.get("ketenzorg") is None or session_of(service, client).person == ""
        assert (await noor.open("/werk")).path.startswith("/login")


def session_of(service: Service, client: httpx.AsyncClient) -> object:
    sessions: Sessions = service.app.litestar.state.site.sessions
    found = sessions.read(client.cookies["ketenzorg"])
    assert found is not None
    return found


# Other sites


FROM_ELSEWHERE = (
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": f"{ORIGIN}.elsewhere.example"},
    {"Origin": "http://elsewhere.example@test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


async def test_no_form_of_another_site_and_none_without_our_seal_is_taken_anywhere(service: Service) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    async with caller(service) as client:
        client.follow_redirects = True
        for person in ("Noor Bolt", "Marieke"):
            await Browser(client).sign_in(person)
            before = await service.rows("select body from ketenzorg.event order by id")
            posts = [each for each in addresses(service.app, task) if each.method == "POST" and each.is_page]
            assert len(posts) > 8
            for _, path in posts:
                for headers in (*FROM_ELSEWHERE, {"Origin": ORIGIN}):
                    answer = await client.post(path, data={"wie": "noor", "versie": "1"}, headers=headers)
                    assert answer.status_code == 403, (person, path, headers, answer.text)
            assert await service.rows("select body from ketenzorg.event order by id") == before
            assert (await client.get("/")).status_code == 200  # signed in all the while
            client.cookies.clear()


async def test_a_cookie_opens_no_address_of_systems(service: Service) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    async with caller(service) as client:
        client.follow_redirects = True
        await Browser(client).sign_in("Noor Bolt")
        for method, path in (each for each in addresses(service.app, task) if not each.is_page):
            if path.startswith("/fhir/Task"):
                assert (await client.request(method, path)).status_code == 401, path
