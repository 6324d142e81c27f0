"""What a team and a practice see of a norm that runs out: who was told, when, and that it is news to them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ketenzorg.pathway.calendar import AMSTERDAM
from services import Service

from .browsers import Browser
from .test_practice import with_cookie

ATTEMPT = datetime(2026, 1, 19, 23, 59, 59, tzinfo=AMSTERDAM)
ESCALATED = datetime(2026, 2, 2, 23, 59, 59, tzinfo=AMSTERDAM)


async def it_is(service: Service, moment: datetime) -> None:
    await service.app.litestar.state.watcher.pass_time(moment)
    service.app.litestar.state.clock.set(moment)


def story(browser: Browser) -> str:
    return browser.page.one("section", **{"aria-labelledby": "verloop"}).text


async def test_the_list_has_news_and_the_story_says_who_was_told_and_when(
    service: Service, noor: Browser
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    await it_is(service, ATTEMPT + timedelta(hours=9))

    await noor.open("/werk?lijst=bericht")
    assert "Trijntje Veldkamp" in noor.text
    assert "1 dag te laat" in noor.text
    await noor.open(f"/werk/{task}")
    assert "Termijn voorbij: eerste poging" in story(noor)
    assert "Verteld aan Welzijn Stadsbreed (fictief): gisteren, 23.59 uur" in story(noor)
    await noor.open("/werk?lijst=bericht")
    assert "Trijntje Veldkamp" not in noor.text  # somebody has looked


async def test_a_click_of_just_before_can_still_be_undone_and_names_itself(
    service: Service, noor: Browser
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    await it_is(service, ATTEMPT - timedelta(minutes=5))
    await noor.open(f"/werk/{task}")
    await noor.press("Aannemen")
    await it_is(service, ATTEMPT + timedelta(minutes=5))
    await noor.open(f"/werk/{task}")
    assert "Vastgelegd: aannemen" in noor.text
    await noor.press("Maak ongedaan")
    assert "Vastgelegd" not in noor.text
    assert "Termijn voorbij: eerste poging" in story(noor)


async def test_a_practice_hears_of_what_is_escalated_to_it(
    service: Service, browser: Callable[[], Browser]
) -> None:
    practice = with_cookie(service, browser(), "huisarts")
    task = (await service.refer())["Task"].partition("/")[2]
    await it_is(service, ATTEMPT + timedelta(days=1))
    await practice.open("/praktijk?lijst=nieuw")
    assert "Trijntje Veldkamp" not in practice.text

    await it_is(service, ESCALATED + timedelta(hours=9))
    await practice.open("/praktijk?lijst=nieuw")
    assert "Trijntje Veldkamp" in practice.text
    await practice.open(f"/praktijk/{task}")
    assert "Termijn al langer voorbij: eerste contact" in story(practice)
    assert "Herinnering" not in story(practice)  # the team's own
