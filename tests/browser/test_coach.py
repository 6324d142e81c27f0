"""A coach's day in a real browser, with JavaScript and without."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from services import START, Service

from .conftest import Opens

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


async def referred(service: Service) -> str:
    """A referral; where a coach sees it."""
    return f"/werk/{(await service.refer())['Task'].partition('/')[2]}"


@BOTH
async def test_a_whole_referral_takes_six_clicks_and_one_typed_field(
    service: Service, somebody: Opens, scripts: bool
) -> None:
    await service.refer()
    noor = await somebody("Noor Bolt", java_script_enabled=scripts)
    assert noor.path == "/werk"
    await noor.follow("Trijntje Veldkamp")
    await noor.press("Contact gehad")  # accepts too
    await noor.press("Kennismaking gehad")
    await noor.press("Plan gemaakt")
    await noor.press("Activiteit gestart")
    await noor.fill("Wat laat u de verwijzer weten", "Zij gaat nu naar de koffieochtend.")
    await noor.press("Afronden")
    await noor.sees("Deze verwijzing is klaar", "Zij gaat nu naar de koffieochtend.")
    assert (noor.clicks <= 6, noor.typed) == (True, 1), noor.clicks
    await noor.open("/werk?lijst=klaar")
    await noor.sees("Trijntje Veldkamp", "Klaar sinds vandaag")


async def test_not_reached_three_times_then_the_letter(service: Service, somebody: Opens) -> None:
    referral = await referred(service)
    noor = await somebody("Noor Bolt")
    for attempt in (1, 2, 3):
        service.app.litestar.state.clock.set(START + timedelta(days=attempt))
        await noor.open(referral)
        await noor.press(f"Niet bereikt (poging {attempt} van 3)")
    await noor.sees("brief sturen")
    await noor.follow("print de brief")
    await noor.sees("Beste Trijntje Veldkamp", "Voorbeeldstraat 12", "Noor Bolt")
    await noor.page.emulate_media(media="print")
    await expect(noor.page.get_by_text("Print deze pagina")).to_be_hidden()
    await expect(noor.page.get_by_text("Uitloggen")).to_be_hidden()
    await noor.page.emulate_media(media="screen")
    await noor.follow("Terug naar")
    await noor.press("Brief verstuurd")
    await noor.sees("Wachten op antwoord op de brief")


async def test_a_wrong_click_is_undone(service: Service, somebody: Opens) -> None:
    referral = await referred(service)
    noor = await somebody("Noor Bolt")
    await noor.open(referral)
    await noor.press("Contact gehad")
    await noor.sees("Kennismaking afgesproken")
    await noor.press("Maak ongedaan")
    await noor.sees("Aangemeld", "(was een vergissing)")
    await expect(noor.main.get_by_role("button", name="Contact gehad")).to_be_visible()


async def test_to_a_colleague_with_our_own_file_number(service: Service, somebody: Opens) -> None:
    referral = await referred(service)
    noor = await somebody("Noor Bolt")
    await noor.open(referral)
    await noor.fill("Ons dossiernummer", "W-2026/17")
    await noor.press("Bewaar")
    await noor.main.get_by_label("Contactpersoon").select_option(label="Sjoerd Kamminga")
    await noor.press("Geef door")
    sjoerd = await somebody("Sjoerd Kamminga")
    await sjoerd.follow("Van mij")
    await sjoerd.sees("Trijntje Veldkamp", "Dossier W-2026/17")
    await noor.open("/werk?lijst=mijn")
    await noor.does_not_see("Trijntje Veldkamp")


@BOTH
async def test_the_second_of_two_people_is_told_and_loses_nothing(
    service: Service, somebody: Opens, scripts: bool
) -> None:
    referral = await referred(service)
    noor = await somebody("Noor Bolt", java_script_enabled=scripts)
    sjoerd = await somebody("Sjoerd Kamminga", java_script_enabled=scripts)
    await noor.open(referral)
    await sjoerd.open(referral)
    await sjoerd.follow("Vraag stellen aan de verwijzer")
    question = "Welke dag komt het uit?\n  En wie belt: “zij” of <wij>? 👍🏽"
    await sjoerd.fill("Wat wilt u van de verwijzer weten", question)
    await noor.press("Aannemen")
    await sjoerd.press("Leg vast")
    await sjoerd.sees("Iemand was u net voor", "Aannemen")
    await expect(sjoerd.main.get_by_role("textbox")).to_have_value(question)
    await sjoerd.press("Ja:")
    await sjoerd.sees(*question.split("\n  "))
    await noor.page.reload()
    await noor.sees("Welke dag komt het uit?")


async def test_by_keyboard_alone(service: Service, somebody: Opens) -> None:
    await service.refer()
    noor = await somebody()
    await noor.open("/werk")
    for name in ("Noor Bolt", "Trijntje Veldkamp", "Contact gehad", "Kennismaking gehad", "Plan gemaakt"):
        await noor.tab_to(name)
        await noor.key("Enter")
    await noor.tab_to("Activiteit gestart")
    await noor.key("Space")
    await noor.tab_to("Wat laat u de verwijzer weten")
    await noor.page.keyboard.type("Zij gaat nu naar de koffieochtend.")
    await noor.tab_to("Afronden")
    await noor.key("Space")
    await noor.sees("Deze verwijzing is klaar", "Zij gaat nu naar de koffieochtend.")


async def test_the_keyboard_skips_to_the_content(service: Service, somebody: Opens) -> None:
    await service.refer()
    noor = await somebody("Noor Bolt")
    await noor.tab_to("Naar de inhoud")
    await noor.page.keyboard.press("Enter")
    await expect(noor.main).to_be_focused()
    await noor.tab_to("Nieuw", most=1)
