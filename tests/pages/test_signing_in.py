"""Who may look: the sandbox's people, a cookie that ends, and headers that let nothing else in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ketenzorg.access.sessions import IDLE, LONGEST, Sessions
from ketenzorg.pages.inbox import TABS
from services import Service

from .browsers import Browser

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


async def test_a_coach_chooses_who_she_is_and_sees_her_teams_list(browser: Callable[[], Browser]) -> None:
    noor = browser()
    await noor.open("/werk")
    assert noor.path.startswith("/login")
    assert "Marieke" in noor.text  # the practice signs in here too
    await noor.press("Noor Bolt")
    assert noor.path == "/werk"
    assert "Noor Bolt" in noor.page.text
    await noor.press("Uitloggen")
    await noor.open("/werk")
    assert noor.path.startswith("/login")


async def test_after_signing_in_one_is_where_one_wanted_to_be_and_never_elsewhere(
    service: Service, browser: Callable[[], Browser]
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    noor = browser()
    await noor.open(f"/werk/{task}")
    await noor.press("Noor Bolt")
    assert noor.path == f"/werk/{task}"
    other = browser()
    await other.open("/login?naar=https://elsewhere.example/werk")
    await other.press("Noor Bolt")
    assert other.path == "/werk"


async def test_the_cookie_is_for_us_alone(browser: Callable[[], Browser]) -> None:
    noor = await browser().sign_in("Noor Bolt")
    cookie = noor.response.history[-1].headers["set-cookie"]
    assert "; HttpOnly" in cookie
    assert "; SameSite=Strict" in cookie
    assert "; Path=/" in cookie
    assert "Secure" not in cookie  # this installation is not on https


async def test_every_page_lets_nothing_of_others_in(service: Service, noor: Browser) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    for path in ("/login", "/werk", f"/werk/{task}", "/werk/niets", "/werk?lijst=niets"):
        await noor.open(path)
        policy = noor.response.headers.get_list("content-security-policy")
        assert [each.startswith("default-src 'none'; style-src 'self'") for each in policy] == [True]
        assert "unsafe" not in policy[0]
        assert noor.response.headers["cache-control"] == "no-store"
        html = noor.response.text
        assert "<script" not in html
        assert "style=" not in html
        assert "http" not in html  # no address of anybody else
        for sheet in noor.page.all("link"):
            found = await noor.client.get(sheet.attrs["href"])
            assert found.status_code == 200
            assert "immutable" in found.headers["cache-control"]


@pytest.mark.parametrize(
    ("later", "still"),
    [
        (IDLE, True),
        (IDLE + timedelta(seconds=1), False),
    ],
)
def test_a_session_ends_when_nobody_uses_it(later: timedelta, still: bool) -> None:
    now = NOON
    sessions = Sessions(b"k" * 32, now=lambda: now)
    cookie = sessions.cookie(sessions.begin("noor"))
    now += later
    assert (sessions.read(cookie) is not None) == still


def test_a_session_ends_with_the_working_day_however_busy() -> None:
    now = NOON
    sessions = Sessions(b"k" * 32, now=lambda: now)
    session = sessions.begin("noor")
    while now - NOON <= LONGEST:
        session = sessions.renewed(session) or session
        assert sessions.read(sessions.cookie(session)) == session
        now += IDLE
    assert sessions.read(sessions.cookie(sessions.renewed(session) or session)) is None


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:-1] + "x", lambda c: "A" + c[1:], lambda c: "", lambda c: "é.é"]
)
def test_a_cookie_that_we_did_not_make_is_nobodys(spoil: Callable[[str], str]) -> None:
    sessions = Sessions(b"k" * 32, now=lambda: NOON)
    cookie = sessions.cookie(sessions.begin("noor"))
    assert sessions.read(spoil(cookie)) is None
    assert Sessions(b"K" * 32, now=lambda: NOON).read(cookie) is None


async def test_an_unknown_list_is_answered_with_those_that_there_are(noor: Browser) -> None:
    await noor.open("/werk?lijst=%3Cb%3E")
    assert noor.response.status_code == 400
    assert all(tab.word in noor.text for tab in TABS)
    assert "<b>" not in noor.response.text
    await noor.open("/werk?na=-1")
    assert noor.response.status_code == 400


async def test_what_somebody_put_in_an_address_does_not_come_back_in_another(service: Service) -> None:
    for path in ("/werk/999990019", "/praktijk/999990019-aaaa-aaaa-aaaa-999990019aaa", "/keten/Trijntje"):
        response = await service.stranger.get(path)
        assert (response.status_code, response.headers["Location"]) == (303, "/login")


async def test_a_browser_at_an_address_that_is_nowhere_reads_a_page_and_a_system_an_outcome(
    service: Service,
) -> None:
    for path in ("/bestaat-niet", "/bestaat/niet/12", "/werk2"):
        page = await service.stranger.get(f"http://test{path}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        assert "Niet gevonden" in page.text
    told = await service.his.get("/bestaat-niet")
    assert (told.status_code, told.json()["resourceType"]) == (404, "OperationOutcome")
    known = await service.stranger.get("/fhir/Task", headers={"Accept": "text/html"})
    assert (known.status_code, known.json()["resourceType"]) == (401, "OperationOutcome")
