"""A referral is sent on by page: to an organisation by name, or to nobody in particular; the patient's choice."""

from collections.abc import Callable

import pytest

from api.test_sending_on_open import followed_by, with_one
from asked import ONE, PRACTICE, THREE, TWO, Asking, crowd, read
from services import Service

from .browsers import Browser
from .test_practice import with_cookie

Open = Callable[[], Browser]
AGREED = {"antwoord_akkoord_van_patient": "patient-akkoord"}


async def sending_on(asked: Asking, browser: Browser) -> Browser:
    await browser.open("/werk/" + asked.handover.partition("/")[2])
    return await browser.follow("Doorsturen")


def offered(browser: Browser) -> dict[str, str]:
    return {
        each.text: each.attrs["value"]
        for each in browser.page.one("select", name="antwoord-organisatie").all("option")
    }


@pytest.mark.parametrize(("whom", "owner"), [(TWO, TWO), (THREE, THREE), ("", None), ("open", None)])
async def test_to_whom_is_chosen_with_the_patient(
    service: Service, browser: Open, whom: object, owner: object
) -> None:
    crowd(service, 2)
    asked = await with_one(service)
    femke = await sending_on(asked, with_cookie(service, browser(), "femke"))
    to = offered(femke)
    assert str(ONE) not in to.values()
    assert {"", "open", str(TWO), str(THREE)} <= set(to.values())
    await femke.press("Leg vast", **AGREED, antwoord_organisatie=str(whom))
    assert femke.response.status_code == 200, femke.text
    task = await read(service, PRACTICE, await followed_by(service, asked.handover))
    assert task["status"] == "requested"
    got = task.get("owner", {}).get("reference", "").removeprefix("Organization/")
    assert got == (str(owner) if owner else got)
    assert bool(got) == (whom != "open")
    assert got != str(ONE)


async def test_what_is_left_open_is_claimed_by_another_and_not_by_the_sender(
    service: Service, browser: Open
) -> None:
    crowd(service, 2)
    asked = await with_one(service)
    femke = await sending_on(asked, with_cookie(service, browser(), "femke"))
    await femke.press("Leg vast", **AGREED, antwoord_organisatie="open")
    assert not (await femke.open("/werk")).page.all("section", **{"aria-labelledby": "op-te-pakken"})
    marieke = with_cookie(service, browser(), "huisarts")
    await marieke.open("/praktijk/" + (await followed_by(service, asked.handover)).partition("/")[2])
    section = marieke.page.one("section", **{"aria-labelledby": "wie"}).text
    assert "Nog niemand." in section


@pytest.mark.parametrize(
    "whom", [str(ONE), str(PRACTICE), "00000000-0000-4000-8000-00000000ffff", "x", "open"]
)
async def test_who_cannot_do_it_gets_nothing_and_the_answers_stay(
    service: Service, browser: Open, whom: str
) -> None:
    asked = await with_one(service)
    femke = await sending_on(asked, with_cookie(service, browser(), "femke"))
    await femke.press(
        "Leg vast", **AGREED, antwoord_organisatie=whom, antwoord_terugkoppeling="Wij zitten vol."
    )
    assert femke.response.status_code == 422
    assert "Dat kan niet. Kies een ander." in femke.text
    assert "Wij zitten vol." in femke.text
    assert (
        "checked"
        in next(
            each for each in femke.page.all("input") if each.attrs.get("value") == "patient-akkoord"
        ).attrs
    )
    assert (await read(service, PRACTICE, asked.handover))["status"] == "accepted"


async def test_only_where_something_is_handed_over(service: Service, browser: Open) -> None:
    asked = await with_one(service)
    femke = with_cookie(service, browser(), "femke")
    await femke.open("/werk/" + asked.handover.partition("/")[2])
    action, fields = femke.form("Intake afgesproken")
    await femke.post(action, fields | {"antwoord-organisatie": str(TWO)})
    assert femke.response.status_code == 422
    await femke.post(action, fields | {"antwoord-organisatie": "open"})
    assert femke.response.status_code == 422
    assert (await read(service, ONE, asked.handover))["businessStatus"]["text"] == "intake plannen"
