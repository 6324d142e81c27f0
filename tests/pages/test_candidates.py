"""Who performs it is still to be chosen: the practice selects one of those it asked, a team claims what is open."""

from collections.abc import Callable

from asked import ONE, PRACTICE, TWO, ask, read, says
from services import Service

from .browsers import Browser
from .test_practice import with_cookie


async def test_the_practice_sees_the_answers_and_chooses_one(
    service: Service, browser: Callable[[], Browser]
) -> None:
    asked = await ask(service, ONE, TWO)
    marieke = with_cookie(service, browser(), "huisarts")
    await marieke.open("/praktijk?lijst=aan-u")
    assert "Er wacht niets op u" in marieke.text
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await says(service, TWO, asked.tasks[TWO], "afwijzen", reden_van_afwijzen="geen-plek")
    await marieke.open("/praktijk?lijst=aan-u")
    assert "Wie u vroeg, gaf antwoord" in marieke.text
    assert "Wacht op u 1" in marieke.text
    await marieke.open("/praktijk/" + asked.handover.partition("/")[2])
    now = marieke.page.one("section", **{"aria-labelledby": "nu"}).text
    assert "U bent aan zet 1 van de 2 die u vroeg, kan het doen." in now
    section = marieke.page.one("section", **{"aria-labelledby": "wie"}).text
    assert "Wie u vroeg" in section
    assert "Fysiotherapie Veerkracht (fictief) Kan het doen" in section
    assert "Kan het niet doen: " in section
    await marieke.press("Kies Fysiotherapie Veerkracht (fictief)")
    assert asked.tasks[ONE].partition("/")[2] in str(marieke.response.url)
    section = marieke.page.one("section", **{"aria-labelledby": "wie"}).text
    assert section == "Wie het heeft Fysiotherapie Veerkracht (fictief)"
    assert (await read(service, ONE, asked.tasks[ONE]))["status"] == "accepted"
    assert "Wacht op: Fysiotherapeut" in marieke.text
    await marieke.open("/praktijk?lijst=aan-u")
    assert "Er wacht niets op u" in marieke.text


async def test_who_withdrew_since_the_page_was_opened_is_not_chosen(
    service: Service, browser: Callable[[], Browser]
) -> None:
    asked = await ask(service, ONE, TWO)
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    marieke = with_cookie(service, browser(), "huisarts")
    await marieke.open("/praktijk/" + asked.handover.partition("/")[2])
    await says(service, ONE, asked.tasks[ONE], "afwijzen", reden_van_afwijzen="geen-plek")
    await marieke.press("Kies Fysiotherapie Veerkracht (fictief)")
    assert marieke.response.status_code == 409
    assert "Wat u deed, is niet opgeslagen." in marieke.text
    assert "Kies een ander." in marieke.text
    assert "Task/" not in marieke.text


async def test_the_practice_acts_when_nobody_that_it_asked_can_do_it(
    service: Service, browser: Callable[[], Browser]
) -> None:
    asked = await ask(service, ONE, TWO)
    marieke = with_cookie(service, browser(), "huisarts")
    place = "/praktijk/" + asked.handover.partition("/")[2]
    for who, listed in ((ONE, "Er wacht niets op u"), (TWO, "Wie u vroeg, gaf antwoord")):
        await says(service, who, asked.tasks[who], "afwijzen", reden_van_afwijzen="geen-plek")
        await marieke.open("/praktijk?lijst=aan-u")
        assert listed in marieke.text
    assert "Niemand van wie u vroeg, kan het doen." in (await marieke.open(place)).text


async def test_a_team_claims_what_is_open_and_then_sees_who_it_is(
    service: Service, browser: Callable[[], Browser]
) -> None:
    asked = await ask(service)
    patient = (await read(service, PRACTICE, asked["Patient"]))["name"][0]["family"]
    one, other = browser(), browser()
    for each in (one, other):
        await with_cookie(service, each, "femke").open("/werk")
        section = each.page.one("section", **{"aria-labelledby": "op-te-pakken"}).text
        assert "Artrose" in section
        assert patient not in each.response.text
    await one.press("Oppakken")
    assert patient in one.response.text
    await other.press("Oppakken")
    assert patient not in other.page.one("p", role="alert").text
    assert not other.page.all("form", action=f"/werk/{asked.handover.partition('/')[2]}/oppakken")
