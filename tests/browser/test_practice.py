"""A GP's day in a real browser, with JavaScript and without: what was sent, the answer, and a referral by form."""

import pytest
from playwright.async_api import expect

from services import Service

from .conftest import Opens
from .people import Person
from .test_coach import BOTH

DANGER = "acuut gevaar"


@BOTH
async def test_what_we_sent_where_it_stands_and_the_answer(
    service: Service, somebody: Opens, scripts: bool
) -> None:
    task = (await service.refer())["Task"]
    marieke = await somebody("Marieke Alberda", java_script_enabled=scripts)
    await marieke.sees("Trijntje Veldkamp", "Aangemeld", "Stadsbreed", "uiterlijk maandag 19 januari")
    await service.happens(task, "informatie vragen", vraag="Welke dag komt het uit?")
    await marieke.follow("Trijntje Veldkamp")
    await marieke.sees("U bent aan zet", "Welke dag komt het uit?")
    await marieke.fill("Wat is uw antwoord", "Op dinsdag.")
    await marieke.press("nformatie gegeven")
    await marieke.sees("Wacht op: Welzijnscoach", "Op dinsdag.")
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(task, event)
    await service.happens(task, "afronden", terugkoppeling="Zij gaat naar de koffieochtend.")
    await marieke.open("/praktijk")
    await marieke.follow("Nieuw bericht")
    await marieke.follow("Trijntje Veldkamp")
    answer = marieke.main.get_by_role("region", name="Antwoord")
    await expect(answer).to_contain_text("Zij gaat naar de koffieochtend.")
    await expect(answer).to_be_in_viewport()  # nobody scrolls for it


async def fill_in(marieke: Person) -> None:
    """Everything but the question about danger."""
    await marieke.choose("Ja", "Stemt de patiënt ermee in")
    await marieke.fill("Op welke datum", "2026-01-12")
    await marieke.choose("De contactgegevens en de toelichting")
    await marieke.fill("Voornaam en achternaam", "Wiebe Zijlstra")
    await marieke.fill("Geboortedatum", "1951-03-02")
    await marieke.fill("Telefoonnummer", "050-5550101")
    await marieke.main.get_by_label("Gemeente").select_option("Groningen")
    await marieke.fill("Waarom wil de patiënt", "Ik zit veel alleen thuis.")


@BOTH
async def test_a_referral_by_form_and_no_danger_is_asked_first(
    service: Service, somebody: Opens, scripts: bool
) -> None:
    marieke = await somebody("Marieke Alberda", java_script_enabled=scripts)
    await marieke.follow("Nieuwe verwijzing")
    await marieke.follow("Welzijn op Recept")
    await expect(marieke.main.get_by_role("group").first).to_contain_text(DANGER)
    await fill_in(marieke)
    await marieke.press("Verstuur")  # the browser itself asks for the answer that lacks
    assert marieke.path == "/verwijzen/welzijn-op-recept"
    await expect(marieke.main.get_by_role("radio", name="Ja").first).to_be_focused()
    await marieke.choose("Onbekend", DANGER)
    await marieke.press("Verstuur")
    await expect(marieke.main.get_by_role("alert")).to_contain_text("Verstuur niets. Bel nu.")
    await expect(marieke.main.get_by_role("alert")).to_be_in_viewport()
    await expect(marieke.main.get_by_role("link", name="112")).to_have_attribute("href", "tel:112")
    assert await service.rows("select 1 from ketenzorg.traject") == []
    await marieke.choose("Nee", DANGER)
    await marieke.press("Verstuur")  # all the rest was kept
    await marieke.sees("De verwijzing is verstuurd", "Stadsbreed", "uiterlijk maandag 19 januari")
    await marieke.page.reload()  # sends the form again, as browsers do
    await marieke.sees("was al verstuurd")
    await marieke.follow("Bekijk de verwijzing")
    await marieke.sees("Wiebe Zijlstra", "Ik zit veel alleen thuis.")
    noor = await somebody("Noor Bolt", java_script_enabled=scripts)
    await noor.sees("Wiebe Zijlstra")


@pytest.mark.parametrize("answer", ["Ja", "Onbekend"])
async def test_danger_says_call_now_the_moment_it_is_chosen(somebody: Opens, answer: str) -> None:
    marieke = await somebody("Marieke Alberda", java_script_enabled=False)
    await marieke.open("/verwijzen/welzijn-op-recept")
    call = marieke.main.get_by_text("bel nu de crisisdienst")
    await expect(call).to_be_hidden()
    await marieke.choose(answer, DANGER)
    await expect(call).to_be_visible()
    await marieke.choose("Nee", DANGER)
    await expect(call).to_be_hidden()


async def test_a_form_by_keyboard_alone(service: Service, somebody: Opens) -> None:
    marieke = await somebody("Marieke Alberda")
    await marieke.tab_to("Nieuwe verwijzing")
    await marieke.key("Enter")
    await marieke.tab_to("Welzijn op Recept")
    await marieke.key("Enter")
    keyboard = marieke.page.keyboard
    await marieke.tab_to("Ja")
    await keyboard.press("ArrowDown")  # no danger
    await marieke.tab_to("Ja")
    await keyboard.press("Space")  # consent
    for label, text in (
        ("Op welke datum", "01122026"),
        ("Alleen de contactgegevens", " "),
        ("Voornaam", "Wiebe Zijlstra"),
        ("Geboortedatum", "03021951"),
        ("Telefoonnummer", "050-5550101"),
        ("Gemeente", "Gro"),
    ):
        await marieke.tab_to(label)
        await keyboard.type(text)
    await marieke.tab_to("Verstuur")
    await marieke.key("Enter")
    await marieke.sees("De verwijzing is verstuurd")
