"""Consent on the pages: what is in force, since when and for whom; and what the patient wants, put on record."""

from collections.abc import Callable

import pytest

from services import REGION, Service

from .browsers import Browser
from .test_practice import with_cookie

COACH = REGION.of_client("welzijn-demo")


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    """A general practitioner of De Singel, signed in."""
    return with_cookie(service, browser(), "huisarts")


def consent(browser: Browser) -> str:
    return browser.page.one("section", **{"aria-labelledby": "toestemming"}).text


async def test_both_sides_see_what_is_in_force_since_when_and_for_whom(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer())["Task"][5:]
    for browser, path in ((marieke, "praktijk"), (noor, "werk")):
        await browser.open(f"/{path}/{task}")
        told = consent(browser)
        for words in ("Uitdrukkelijke toestemming", "12 januari 2026", COACH.name, "alleen deze verwijzing"):
            assert words in told


async def test_what_is_taken_back_on_the_page_is_gone_for_the_coach_at_once(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer())["Task"][5:]
    await marieke.open(f"/praktijk/{task}")
    await marieke.press("Leg vast", delen="niet", wie=str(COACH.id), waarvoor="verwijzing", dag="2026-01-12")
    assert marieke.response.status_code == 200
    assert f"{COACH.name} ziet niets meer van het traject" in marieke.text
    await marieke.open(f"/praktijk/{task}")
    assert "Bezwaar" in consent(marieke)
    assert "Uitdrukkelijke" not in consent(marieke)
    await noor.open(f"/werk/{task}")
    assert "Toestemming ingetrokken" in noor.text
    assert "Veldkamp" not in noor.response.text
    await noor.open("/werk?lijst=afgerond")
    assert "Veldkamp" not in noor.response.text


async def test_an_objection_is_lifted_where_it_was_made_and_a_wrong_day_is_asked_again(
    service: Service, marieke: Browser
) -> None:
    task = (await service.refer())["Task"][5:]
    await marieke.open(f"/praktijk/{task}")
    wish = {"wie": "soort:apotheek", "waarvoor": "alles"}
    await marieke.press("Leg vast", delen="niet", dag="2030-01-01", **wish)
    assert marieke.response.status_code == 422
    assert "ligt in de toekomst" in marieke.text
    await marieke.press("Leg vast", delen="niet", dag="2026-01-12", **wish)
    assert "In uw trajecten verandert nu niets" in marieke.text
    await marieke.open(f"/praktijk/{task}")
    assert "soort ‘apotheek’" in consent(marieke)
    await marieke.press("Leg vast", delen="wel", dag="2026-01-12", **wish)
    assert "Het bezwaar is opgeheven" in marieke.text
    await marieke.open(f"/praktijk/{task}")
    assert "Bezwaar" not in consent(marieke)
    assert "Uitdrukkelijke" in consent(marieke)


async def test_the_same_form_sent_again_puts_nothing_on_record_twice(
    service: Service, marieke: Browser
) -> None:
    task = (await service.refer())["Task"][5:]
    await marieke.open(f"/praktijk/{task}")
    action, fields = marieke.form("Leg vast")
    fields |= {"delen": "niet", "wie": "soort:apotheek", "waarvoor": "alles"}
    for said in ("verandert nu niets", "was al vastgelegd"):
        await marieke.post(action, fields)
        assert said in marieke.text
    assert len(await service.rows("select 1 from ketenzorg.objection")) == 1
