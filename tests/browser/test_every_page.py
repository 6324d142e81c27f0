"""Every page in every state that looks different: nothing keeps anybody out, and everything fits on a phone."""

from datetime import timedelta
from typing import Any

import pytest

from asked import ONE, TWO, ask, says
from pages.test_messages import told
from referrals import a_referral, of
from services import START, Service

from .conftest import Opens
from .counted import counted
from .looks import faults
from .people import Person

HOSTILE = (
    "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> {{7*7}} \u202emoc.live\u202c "
    + "Zeerlangwoordzonderspaties" * 12
)


async def all_good(person: Person, *paths: str) -> None:
    """Open these and look at each."""
    for path in paths:
        await person.open(path)
        await good(person, path)


async def good(person: Person, what: str) -> None:
    """Look at what is open."""
    found = await faults(person, what)
    assert not found, "\n".join(found)


async def refer(service: Service, number: str) -> str:
    task = (await service.refer(a_referral(number)))["Task"]
    return task


def page_of(task: str, home: str = "/werk") -> str:
    return f"{home}/{task.partition('/')[2]}"


async def test_signing_in_and_what_is_not_there(somebody: Opens) -> None:
    await all_good(await somebody(), "/login", "/guide", "/guide/promises")
    noor = await somebody("Noor Bolt")
    await all_good(noor, "/werk", "/werk/niets", "/werk?lijst=niets", "/keten")


async def test_the_coachs_lists_and_a_referral_in_each_state(service: Service, somebody: Opens) -> None:
    new, taken, late, ended = [await refer(service, number) for number in ("1", "2", "3", "4")]
    noor = await somebody("Noor Bolt")
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(taken, event)
    await service.happens(taken, "terugkoppelen", terugkoppeling="Het gaat\nbeter.")
    await service.happens(ended, "afwijzen", reden_van_afwijzen="geen-plek")
    for day in (1, 2, 3):
        service.app.litestar.state.clock.set(START + timedelta(days=day))
        await service.happens(late, "niet bereikt")
    await all_good(noor, *(page_of(each) for each in (new, taken, late, ended)), f"{page_of(new)}/afspraak")
    service.app.litestar.state.clock.set(START + timedelta(weeks=3))
    await all_good(
        noor, "/werk", "/werk?lijst=te-laat", "/werk?lijst=klaar", page_of(late), f"{page_of(late)}/brief"
    )


async def test_what_a_coach_is_asked_and_told(service: Service, somebody: Opens) -> None:
    referral = page_of(await refer(service, "1"))
    noor, sjoerd = await somebody("Noor Bolt"), await somebody("Sjoerd Kamminga")
    await noor.open(f"{referral}/doen/crisis-gemeld")
    await noor.press("Leg vast")  # the browser says what is missing: the question is still there
    await good(noor, "crisis")
    await noor.open(f"{referral}/doen/afwijzen")
    await noor.page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    await noor.press("Leg vast")
    await noor.sees("nog niets opgeslagen")
    await good(noor, "not answered")
    await sjoerd.open(f"{referral}/doen/informatie-vragen")
    await sjoerd.fill("Wat wilt u van de verwijzer weten", "Welke dag?")
    await noor.open(referral)
    await noor.press("Aannemen")
    await noor.press("Maak ongedaan")
    await good(noor, "undone")
    await sjoerd.press("Leg vast")
    await sjoerd.sees("Iemand was u net voor")
    await good(sjoerd, "somebody was first")
    await noor.open(referral)
    await noor.fill("Ons dossiernummer", "999990019")
    await noor.press("Bewaar")
    await good(noor, "no file number")


async def test_a_practices_pages(service: Service, somebody: Opens) -> None:
    asked, answered = await refer(service, "1"), await refer(service, "2")
    await service.happens(asked, "informatie vragen", vraag="Welke dag?")
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(answered, event)
    await service.happens(answered, "afronden", terugkoppeling="Zij gaat naar de koffieochtend.")
    marieke = await somebody("Marieke Alberda")
    await all_good(
        marieke,
        "/praktijk",
        "/praktijk?lijst=nieuw",
        "/praktijk?lijst=te-laat",
        "/praktijk?lijst=afgerond",
        page_of(asked, "/praktijk"),
        page_of(answered, "/praktijk"),
        f"{page_of(answered, '/praktijk')}/inzage",
        f"{page_of(asked, '/praktijk')}/doen/intrekken",
        "/verwijzen",
        "/verwijzen/welzijn-op-recept",
    )
    await marieke.page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    await marieke.choose("Nee", "acuut gevaar")
    await marieke.press("Verstuur")
    await marieke.sees("Er is nog niets verstuurd")
    await good(marieke, "not filled in")
    await marieke.choose("Onbekend", "acuut gevaar")
    await marieke.page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    await marieke.press("Verstuur")
    await marieke.sees("Verstuur niets. Bel nu.")
    await good(marieke, "alarm")


async def test_who_is_asked_beside_others_and_who_asked(service: Service, somebody: Opens) -> None:
    asked = await ask(service, ONE, TWO)
    mine = f"{page_of(asked.tasks[ONE])}/gevraagd"
    femke, marieke = await somebody("Femke Oosting"), await somebody("Marieke Alberda")
    await all_good(femke, "/werk", mine)
    await femke.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    await femke.page.locator("form").evaluate_all("forms => forms.forEach(form => form.noValidate = true)")
    await femke.press("Nee, wij kunnen dit niet doen")
    await femke.sees("Er is nog niets opgeslagen")
    await good(femke, "no reason")
    stale = await somebody("Femke Oosting")
    await stale.open(mine)
    await femke.press("Ja, wij kunnen dit doen")
    await good(femke, "answered")
    await says(
        service, TWO, asked.tasks[TWO], "afwijzen", reden_van_afwijzen="geen-plek", terugkoppeling=HOSTILE
    )
    await all_good(marieke, "/praktijk", page_of(asked.handover, "/praktijk"))
    await marieke.press("Kies Fysiotherapie Veerkracht")
    await stale.press("Ja, wij kunnen dit doen")
    await stale.sees("Er is net iets veranderd", "U bent gekozen")
    await good(stale, "too late")
    await all_good(femke, "/werk", mine, f"{page_of(asked.tasks[ONE])}/doen/doorsturen")


async def test_messages_and_that_one_has_not_arrived(service: Service, somebody: Opens) -> None:
    noor, marieke = await somebody("Noor Bolt"), await somebody("Marieke Alberda")
    await all_good(noor, "/berichten")
    parked, *_ = await told(service, a="parked", b="parked", c="waiting", d="delivered")
    await all_good(noor, "/berichten", "/berichten?lijst=wacht", "/berichten?lijst=aangekomen")
    await noor.open("/berichten")
    await noor.press("Opnieuw versturen")
    await noor.sees("1 bericht gaat opnieuw op weg")
    await good(noor, "sent again")
    await service.rows("update ketenzorg.outbox set owed_since = owed_since - interval '1 day'")
    await marieke.open(f"/praktijk/{parked}")
    await marieke.sees("Nog niet aangekomen bij Welzijn Stadsbreed (fictief): bel 050-5550115")
    await good(marieke, "not arrived")
    await all_good(marieke, "/praktijk?lijst=loopt")


@pytest.mark.parametrize("trajecten", [0, 120], ids=["empty", "counted"])
async def test_the_chain_teams_page(service: Service, somebody: Opens, trajecten: int) -> None:
    await counted(service, trajecten)
    wout = await somebody("Wout Hazenberg")
    await wout.open("/keten")
    await wout.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    await good(wout, "chain team")
    await all_good(wout, f"{wout.path}?municipality=GM0765", f"{wout.path}?from=morgen")


async def test_hostile_text_is_text_and_fits(service: Service, somebody: Opens) -> None:
    def hostile(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["name"] = [{"text": HOSTILE}]
        of(bundle, "Patient")["address"][0] |= {"line": [HOSTILE], "city": HOSTILE}
        of(bundle, "Patient")["telecom"] = [
            {"system": "phone", "value": HOSTILE},
            {"system": "email", "value": HOSTILE},
        ]
        for item in of(bundle, "QuestionnaireResponse")["item"]:
            for answer in item["answer"]:
                if "valueString" in answer:
                    answer["valueString"] = HOSTILE

    task = (await service.refer(a_referral("1", hostile)))["Task"]
    noor, marieke = await somebody("Noor Bolt"), await somebody("Marieke Alberda")
    for day in (1, 2, 3):
        service.app.litestar.state.clock.set(START + timedelta(days=day))
        await service.happens(task, "niet bereikt")
    await reads(noor, f"{page_of(task)}/brief")
    await service.happens(task, "informatie vragen", vraag=HOSTILE)
    for event in ("eerste contact", "kennismaking gehouden"):
        await service.happens(task, event)
    await service.happens(task, "terugkoppelen", terugkoppeling=HOSTILE)
    await reads(noor, "/werk?lijst=open")
    await reads(noor, page_of(task))
    await reads(noor, f"{page_of(task)}/doen/afronden")
    await reads(marieke, "/praktijk")
    await reads(marieke, page_of(task, "/praktijk"))


async def reads(person: Person, path: str) -> None:
    """What was meant to do harm is only read."""
    await person.open(path)
    await person.sees(" ".join(HOSTILE.split()))
    assert not await person.page.locator("script, img").count()
    await good(person, path)
