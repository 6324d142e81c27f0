"""A patient who went to another practice, on the pages of the practice and of the coach."""

from collections.abc import Callable

import pytest

from api.test_another_practice import NEW, OLD
from services import Service
from spec.talking import call

from .browsers import Browser
from .test_practice import with_cookie


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    return with_cookie(service, browser(), "huisarts")


async def test_the_practice_says_which_one_and_takes_a_wrong_click_back(
    service: Service, marieke: Browser
) -> None:
    task = (await service.refer())["Task"]
    address = f"/praktijk/{task.partition('/')[2]}"
    await marieke.open(address)
    await marieke.follow("Patiënt heeft een andere huisarts")
    await marieke.press("Leg vast")  # without an answer
    assert marieke.response.status_code == 422
    assert "Er is nog niets opgeslagen" in marieke.text
    answers = {"antwoord-organisatie": str(NEW.id), "antwoord-akkoord-van-patient": "patient-akkoord"}
    await marieke.press("Leg vast", **answers)
    assert marieke.response.status_code == 200
    assert f"Deze verwijzing is nu van {NEW.name}" in marieke.text
    assert "Veldkamp" not in marieke.text
    await call(service, NEW.id, "GET", f"/fhir/{task}", None, 200)
    await marieke.open("/praktijk?lijst=afgerond")
    await marieke.follow("Trijntje Veldkamp")
    await marieke.press("Maak ongedaan")
    assert marieke.response.status_code == 200
    assert "Wacht op: Welzijnscoach" in marieke.text
    assert "(was een vergissing)" in marieke.text
    assert (await call(service, OLD.id, "GET", f"/fhir/{task}", None, 200)).json()["status"] == "requested"


async def test_the_coach_tells_that_there_is_another_and_both_see_that_a_letter_must_go(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer())["Task"]
    identifier = task.partition("/")[2]
    await noor.open(f"/werk/{identifier}")
    await noor.follow("Patiënt heeft een andere huisarts, niet aangesloten")
    await noor.press("Leg vast", antwoord_praktijk="Praktijk te Assen")
    assert "Denk aan een brief." in noor.text
    await marieke.open(f"/praktijk/{identifier}")
    assert "Denk aan een brief." in marieke.text
    assert "Praktijk te Assen" in marieke.text
