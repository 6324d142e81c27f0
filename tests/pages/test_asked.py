"""Who is asked by name beside others sees so in its inbox, answers there, and sees what became of it: never of whom."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from asked import ONE, PRACTICE, TWO, Asking, ask, read, says
from services import START, Service

from .browsers import Browser
from .test_practice import with_cookie

Open = Callable[[], Browser]


def page_of(asked: Asking) -> str:
    return "/werk/" + asked.tasks[ONE].partition("/")[2] + "/gevraagd"


def listed(browser: Browser) -> str:
    """What the inbox says of what it is asked; empty when it is asked nothing."""
    return next((each.text for each in browser.page.all("section", **{"aria-labelledby": "gevraagd"})), "")


async def untold(service: Service, asked: Asking, browser: Browser) -> None:
    patient = await read(service, PRACTICE, asked["Patient"])
    secrets = [patient["name"][0]["family"], patient["birthDate"], patient["id"], str(TWO), "Oosterstap"]
    assert not [each for each in secrets if each in browser.response.text]


async def test_a_candidate_says_yes_and_is_chosen(service: Service, browser: Open) -> None:
    asked = await ask(service, ONE, TWO)
    femke = with_cookie(service, browser(), "femke")
    await femke.open("/werk")
    assert "Wacht op uw antwoord" in listed(femke)
    await untold(service, asked, femke)
    await femke.follow("Artrose")
    assert femke.path == page_of(asked)
    assert "Kunt u dit doen?" in femke.text
    await untold(service, asked, femke)
    await femke.press("Wij hebben de vraag")
    assert "De verwijzer weet dat u de vraag hebt." in femke.text
    await femke.press("Ja, wij kunnen dit doen")
    assert "U hebt gezegd: wij kunnen dit doen" in femke.text
    await untold(service, asked, femke)
    await femke.open("/werk")
    assert "De verwijzer kiest nog" in listed(femke)

    await says(service, PRACTICE, asked.tasks[ONE], "selecteren")
    await femke.open("/werk")
    assert "U bent gekozen" in listed(femke)
    await femke.open(page_of(asked))
    await femke.follow("Naar de verwijzing")
    patient = await read(service, ONE, asked["Patient"])
    assert patient["name"][0]["family"] in femke.text
    await says(service, ONE, asked.tasks[ONE], "intake afgesproken")
    assert not listed(await femke.open("/werk"))  # from here on it is work like any other
    await femke.open(page_of(asked))
    assert femke.path == page_of(asked).removesuffix("/gevraagd")


async def test_a_candidate_says_no_with_a_reason_and_the_practice_reads_it(
    service: Service, browser: Open
) -> None:
    asked = await ask(service, ONE, TWO)
    femke = with_cookie(service, browser(), "femke")
    await femke.open(page_of(asked))
    await femke.press("Nee, wij kunnen dit niet doen")
    assert femke.response.status_code == 422
    assert "Er is nog niets opgeslagen. Kijk bij de vraag wat er nog moet." in femke.text
    await femke.press("Nee, wij kunnen dit niet doen", antwoord_terugkoppeling="Over 999990019 bel ik u.")
    assert femke.response.status_code == 422
    reason = {"antwoord_reden_van_afwijzen": "geen-plek"}
    await femke.press("Nee, wij kunnen dit niet doen", **reason)
    assert "In deze tekst staat een BSN." in femke.text
    assert (await read(service, ONE, asked.tasks[ONE]))["status"] == "requested"
    await femke.press(
        "Nee, wij kunnen dit niet doen", **reason, antwoord_terugkoppeling="Pas weer na de zomer."
    )
    assert "U kunt dit niet doen Uw antwoord: " in femke.text
    assert "U kunt het niet doen" in listed(await femke.open("/werk"))
    marieke = with_cookie(service, browser(), "huisarts")
    await marieke.open("/praktijk/" + asked.handover.partition("/")[2])
    section = marieke.page.one("section", **{"aria-labelledby": "wie"}).text
    assert "Kan het niet doen: " in section
    assert "Pas weer na de zomer." in section
    service.app.litestar.state.clock.set(START + timedelta(days=15))
    assert not listed(await femke.open("/werk"))


@pytest.mark.parametrize(
    ("who", "event", "given", "told"),
    [
        (TWO, "selecteren", {}, "Een ander is gekozen"),
        (ONE, "afzeggen", {}, "De vraag is ingetrokken"),
        (None, "intrekken", {"reden_van_intrekken": "niet-meer-nodig"}, "De vraag is ingetrokken"),
    ],
    ids=["another was chosen", "asked no more", "withdrawn"],
)
async def test_who_answers_from_a_stale_page_sees_what_became_of_the_question(
    service: Service, browser: Open, who: object, event: str, given: dict[str, str], told: str
) -> None:
    asked = await ask(service, ONE, TWO)
    femke = with_cookie(service, browser(), "femke")
    await femke.open(page_of(asked))
    await says(service, TWO, asked.tasks[TWO], "aannemen")
    task = asked.tasks[ONE] if who == ONE else asked.tasks[TWO] if who == TWO else asked.handover
    await says(service, PRACTICE, task, event, **given)
    await femke.press("Ja, wij kunnen dit doen")
    assert femke.response.status_code == 409
    assert "Wat u deed, is niet opgeslagen." in femke.text
    assert told in femke.text
    assert not femke.page.all("form", action=page_of(asked).replace("gevraagd", "antwoord"))
    await untold(service, asked, femke)
    assert told in listed(await femke.open("/werk"))
    await untold(service, asked, femke)


async def test_a_form_that_comes_twice_answers_once_and_a_forged_one_never(
    service: Service, browser: Open
) -> None:
    asked = await ask(service, ONE, TWO)
    femke = with_cookie(service, browser(), "femke")
    await femke.open(page_of(asked))
    action, fields = femke.form("Ja, wij kunnen dit doen")
    await femke.post(action, fields | {"zegel": "x"})
    assert femke.response.status_code == 403
    await femke.post(action, fields | {"wat": "overleden"})
    assert femke.response.status_code == 409
    await femke.post(action, fields)
    await femke.post(action, fields)
    assert femke.response.status_code == 409
    assert "U hebt gezegd: wij kunnen dit doen" in femke.text
    no, fields = femke.form("Nee, wij kunnen dit niet doen")
    await femke.post(no, fields | {"antwoord-reden-van-afwijzen": "geen-plek", "versie": "1"})
    assert femke.response.status_code == 403  # the version is sealed
    assert (await read(service, ONE, asked.tasks[ONE]))["meta"]["versionId"] == "2"


async def test_what_a_colleague_answered_is_not_answered_over(service: Service, browser: Open) -> None:
    asked = await ask(service, ONE, TWO)
    femke = with_cookie(service, browser(), "femke")
    await femke.open(page_of(asked))
    await says(service, ONE, asked.tasks[ONE], "aannemen")
    await femke.press("Nee, wij kunnen dit niet doen", antwoord_reden_van_afwijzen="geen-plek")
    assert femke.response.status_code == 409
    assert "U hebt gezegd: wij kunnen dit doen" in femke.text


async def test_it_is_nobody_elses_question(service: Service, browser: Open) -> None:
    asked = await ask(service, ONE, TWO)
    marieke = with_cookie(service, browser(), "huisarts")
    noor = with_cookie(service, browser(), "noor")
    assert (await noor.open(page_of(asked))).response.status_code == 404
    await marieke.open(page_of(asked).replace("/werk", "/praktijk"))
    assert marieke.path == "/praktijk/" + asked.handover[5:]  # who asks has its own page
    femke = with_cookie(service, browser(), "femke")
    await femke.open(page_of(asked).replace(asked.tasks[ONE][5:], asked.tasks[TWO][5:]))
    assert femke.response.status_code == 404
    assert not listed(await marieke.open("/praktijk"))
