"""A practice's day: what it sent, the answer first, and a referral by form that is sent once or not at all."""

from collections.abc import Callable
from typing import Any

import pytest

from referrals import a_referral
from services import Service

from .browsers import Browser
from .test_inbox import counts, rows

HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=1> {{7*7}} </textarea>"


def with_cookie(service: Service, browser: Browser, person: str) -> Browser:
    """A browser in which this person has signed in."""
    site: Any = service.app.litestar.state.site
    browser.client.cookies.set(site.cookie, site.sessions.cookie(site.sessions.begin(person)))
    return browser


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    """A general practitioner of De Singel, signed in."""
    return with_cookie(service, browser(), "huisarts")


async def test_where_it_stands_at_whom_and_the_answer_first(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer(a_referral("a-1")))["Task"]
    await marieke.open("/praktijk")
    [row] = rows(marieke)
    for words in ("Trijntje Veldkamp", "Aangemeld", "Stadsbreed", "uiterlijk"):
        assert words in row
    assert "erugkoppeling" not in row
    assert (counts(marieke)["Loopt"], counts(marieke)["Te laat"]) == ("1", "0")
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(task, event)
    await service.happens(task, "terugkoppelen", terugkoppeling=f"Het gaat beter. {HOSTILE}")
    await marieke.open("/praktijk")
    assert "Nieuwe terugkoppeling" in rows(marieke)[0]
    await marieke.follow("Trijntje Veldkamp")
    headings = [each.text for each in marieke.page.one("main").all("h2")]
    assert headings[0] == "Antwoord"
    answer = marieke.page.one("section", **{"aria-labelledby": "antwoord"}).text
    assert " ".join(f"Het gaat beter. {HOSTILE}".split()) in answer  # text, as it was typed
    assert not marieke.page.all("script", "img")
    assert "999990019" not in marieke.response.text


async def test_a_question_is_answered_and_a_withdrawn_referral_is_reopened(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer())["Task"]
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    address = f"/praktijk/{task.partition('/')[2]}"
    await marieke.open(address)
    assert "U bent aan zet" in marieke.text
    assert "Welke dag?" in marieke.text
    await marieke.press("nformatie gegeven", antwoord_antwoord="Op dinsdag.")
    assert "Wacht op: Welzijnscoach" in marieke.text
    await marieke.follow("ntrekken")
    await marieke.press("Leg vast")  # without a reason
    assert marieke.response.status_code == 422
    await marieke.press("Leg vast", **{"antwoord-reden-van-intrekken": "niet-meer-nodig"})
    assert "Deze verwijzing is klaar" in marieke.text
    assert (await service.his.get(f"/fhir/{task}")).json()["status"] == "cancelled"
    await marieke.open("/praktijk?lijst=afgerond")
    assert len(rows(marieke)) == 1
    await marieke.open(address)
    await marieke.press("eropenen")
    assert marieke.response.status_code == 200
    assert marieke.path not in (address, "/praktijk")  # it goes on with a new Task
    assert marieke.path.startswith("/praktijk/")


async def test_two_at_once_are_told_and_lose_nothing(service: Service, marieke: Browser) -> None:
    task = (await service.refer())["Task"]
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    await marieke.open(f"/praktijk/{task.partition('/')[2]}")
    await service.happens(task, "niet bereikt")
    await marieke.press("nformatie gegeven", antwoord_antwoord="Op dinsdag.")
    assert marieke.response.status_code == 409
    assert "niet bereikt" in marieke.text.lower()
    assert "Op dinsdag." in marieke.response.text


async def test_nobody_else_opens_these_pages(
    service: Service, noor: Browser, browser: Callable[[], Browser], marieke: Browser
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    stranger = browser()
    for path in ("/praktijk", f"/praktijk/{task}", f"/praktijk/{task}/doen/intrekken"):
        await noor.open(path)
        assert noor.response.status_code == 403, path
        assert "Veldkamp" not in noor.response.text
        await stranger.open(path)
        assert stranger.path.startswith("/login")
    await marieke.open(f"/werk/{task}")
    assert marieke.response.status_code == 403
    await marieke.open("/praktijk?lijst=alles")
    assert marieke.response.status_code == 400
    assert "loopt, te-laat, afgerond" in marieke.text
    await marieke.open(f"/praktijk/{task}")
    action, fields = marieke.form("Uitloggen")
    await marieke.post(f"/praktijk/{task}/stap", fields | {"wat": "overleden"})
    assert marieke.response.status_code == 403  # a seal of another form
