"""An appointment by hand: made, moved, called off, held or missed as a system says it, and seen by the practice."""

from collections.abc import Callable
from datetime import timedelta

from ketenzorg.fhir import json
from referrals import said
from services import START, Service

from .browsers import Browser
from .test_practice import with_cookie
from .test_referral import refer

AT = {"dag": "2026-01-19", "tijd": "10:00", "plaats": "Buurthuis De Wende"}


def card(browser: Browser) -> str:
    return browser.page.one("section", **{"aria-labelledby": "afspraken"}).text


async def kept(service: Service) -> list[tuple[int, str]]:
    """The last version of every appointment, and its status."""
    rows = await service.rows("select body from ketenzorg.resource where type = 'Appointment' order by id")
    bodies = [json.read(row["body"]) for row in rows]
    return [(int(each["meta"]["versionId"]), each["status"]) for each in bodies]


async def test_made_moved_missed_made_again_and_called_off(service: Service, noor: Browser) -> None:
    clock = service.app.litestar.state.clock
    task = await refer(service, noor)
    assert "Er is nog geen afspraak" in card(noor)
    await noor.follow("Maak een afspraak")
    await noor.press("Leg de afspraak vast", **AT)
    assert noor.path == f"/werk/{task}"
    assert "Gepland 19 januari 2026, 10.00 uur Buurthuis De Wende" in card(noor)
    seen = (await service.his.get(f"/fhir/Task/{task}")).json()
    assert seen["businessStatus"]["text"] == "kennismaking"  # as when a system books it
    named = seen["output"][0]["valueReference"]["reference"]
    held = (await service.his.get(f"/fhir/{named}")).json()
    assert (held["start"], held["end"]) == ("2026-01-19T10:00:00+01:00", "2026-01-19T11:00:00+01:00")

    await noor.follow("Wijzig of zeg af")
    await noor.press("Bewaar de wijziging", dag="20-1-2026", tijd="14.30", duur="45")
    assert "20 januari 2026, 14.30 uur" in card(noor)
    clock.set(START + timedelta(days=9))
    await noor.open(f"/werk/{task}")
    await noor.follow("Hoe ging het?")
    await noor.press("De cliënt kwam niet")
    assert "Kwam niet" in card(noor)
    assert (await service.his.get(f"/fhir/Task/{task}")).json()["businessStatus"]["text"] == "contact zoeken"

    await noor.follow("Maak een afspraak")
    await noor.press("Leg de afspraak vast", **AT | {"dag": "2026-02-02"})
    await noor.follow("Wijzig of zeg af")
    await noor.press("Zeg de afspraak af")
    assert "Gaat niet door 2 februari" in card(noor)


async def test_the_practice_sees_it_and_changes_nothing(
    service: Service, noor: Browser, browser: Callable[[], Browser]
) -> None:
    marieke = with_cookie(service, browser(), "huisarts")
    task = await refer(service, noor)
    await noor.follow("Maak een afspraak")
    await noor.press("Leg de afspraak vast", **AT)
    await marieke.open(f"/praktijk/{task}")
    assert "Buurthuis De Wende" in card(marieke)
    assert "afspraak/" not in marieke.response.text and "Maak een afspraak" not in marieke.text


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    service: Service, noor: Browser
) -> None:
    task = await refer(service, noor)
    for wrong, words in (
        ({"dag": "31-2-2026"}, "Vul een dag in"),
        ({"dag": "2026-01-11"}, "Deze tijd is al voorbij"),
        ({"dag": "2206-01-19"}, "Klopt de dag?"),
        ({"tijd": "25:00"}, "Vul een tijd in"),
        ({"plaats": " "}, "Vul in waar het is"),
        ({"plaats": "Bij 123456782"}, "Er is nog niets opgeslagen"),
        ({"duur": "1"}, "Kies hoe lang"),
    ):
        await noor.open(f"/werk/{task}/afspraak")
        await noor.press("Leg de afspraak vast", **AT | wrong)
        assert (noor.response.status_code, words in noor.text) == (422, True), (wrong, noor.text)
        typed = noor.form("Leg de afspraak vast")[1]
        assert typed["dag"] == (AT | wrong)["dag"]  # what was typed is not lost
    assert await kept(service) == []


async def test_twice_pressed_is_one_and_who_is_second_hears_it(
    service: Service, noor: Browser, sjoerd: Browser
) -> None:
    task = await refer(service, noor)
    await noor.follow("Maak een afspraak")
    action, fields = noor.form("Leg de afspraak vast")
    await noor.post(action, fields | AT)
    await noor.post(action, fields | AT)
    assert await kept(service) == [(1, "booked")]
    for each in (noor, sjoerd):
        await each.open(f"/werk/{task}")
        await each.follow("Wijzig of zeg af")
    await noor.press("Zeg de afspraak af")
    await sjoerd.press("Bewaar de wijziging", dag="2026-01-21")
    assert (sjoerd.response.status_code, "niet opgeslagen" in sjoerd.text) == (409, True)
    assert await kept(service) == [(2, "cancelled")]

    await noor.post(action, fields | AT | {"zegel": "gemaakt"})
    assert noor.response.status_code == 403
    await service.coach.post(f"/fhir/Task/{task}/$event", json=said("verhuisd"))
    await noor.open(f"/werk/{task}/afspraak")
    assert (noor.response.status_code, "geen afspraak maken" in noor.text) == (409, True)
