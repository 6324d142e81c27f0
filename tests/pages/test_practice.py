"""A practice's day: what it sent, the answer first, and a referral by form that is sent once or not at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api.test_appointment import appointment
from referrals import a_referral
from services import START, Service

from .browsers import Browser
from .test_inbox import rows

REFER = "/verwijzen/welzijn-op-recept"
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=1> {{7*7}} </textarea>"


def with_cookie(service: Service, browser: Browser, person: str) -> Browser:
    """A browser in which this person has signed in."""
    site: Any = service.app.litestar.state.site
    browser.client.cookies.set(site.cookie, site.sessions.cookie(site.sessions.begin(person)))
    return browser


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    """A general practitioner of De Singel, signed in."""
    return with_cookie(service, browser(), "huisarts")


async def test_where_it_stands_at_whom_and_the_answer_first(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer(a_referral("a-1")))["Task"]
    await marieke.open("/praktijk")
    [row] = rows(marieke)
    for words in ("Trijntje Veldkamp", "Aangemeld", "Stadsbreed", "uiterlijk"):
        assert words in row
    assert "ericht" not in row
    assert (marieke.counts()["Loopt"], marieke.counts()["Te laat"]) == ("1", "0")
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(task, event)
    await service.happens(task, "terugkoppelen", terugkoppeling=f"Het gaat beter. {HOSTILE}")
    await marieke.open("/praktijk")
    assert "Nieuw bericht" in rows(marieke)[0]
    assert marieke.counts()["Nieuw bericht"] == "1"
    await marieke.follow("Trijntje Veldkamp")
    headings = [each.text for each in marieke.page.one("main").all("h2")]
    assert headings[0] == "Antwoord"
    answer = marieke.page.one("section", **{"aria-labelledby": "antwoord"}).text
    assert " ".join(f"Het gaat beter. {HOSTILE}".split()) in answer  # text, as it was typed
    assert not marieke.page.all("script", "img")
    assert "999990019" not in marieke.response.text
    await marieke.open("/praktijk")  # somebody of the practice has looked
    assert marieke.counts()["Nieuw bericht"] == "0"
    assert "Bericht gelezen" in rows(marieke)[0]


async def test_what_waits_on_the_practice_comes_first_then_what_is_new(
    service: Service, marieke: Browser
) -> None:
    asked, given_back, runs = [(await service.refer(a_referral(f"b-{n}")))["Task"] for n in range(3)]
    await service.happens(asked, "informatie vragen", vraag="Welke dag?")
    await service.happens(given_back, "afwijzen", reden_van_afwijzen="geen-plek")
    await marieke.open("/praktijk")
    assert ["U bent aan zet" in row for row in rows(marieke)] == [True]
    await marieke.follow("Trijntje Veldkamp")
    await marieke.press("nformatie gegeven", antwoord_antwoord="Op dinsdag.")
    await marieke.open("/praktijk")
    assert ["Terug naar verwijzer" in row for row in rows(marieke)] == [True]
    await marieke.follow("Trijntje Veldkamp")
    await marieke.open("/praktijk")
    assert len(rows(marieke)) == 2
    assert f"/praktijk/{runs.partition('/')[2]}" in [each.attrs["href"] for each in marieke.page.all("a")]


async def test_a_question_is_answered_and_a_withdrawn_referral_is_reopened(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    task = (await service.refer())["Task"]
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    address = f"/praktijk/{task.partition('/')[2]}"
    await marieke.open(address)
    assert "U bent aan zet" in marieke.text
    assert "Welke dag?" in marieke.text
    await marieke.press("nformatie gegeven", antwoord_antwoord="Op dinsdag.")
    assert "Wacht op: Welzijnscoach" in marieke.text
    await marieke.follow("ntrekken")
    await marieke.press("Leg vast")  # without a reason
    assert marieke.response.status_code == 422
    await marieke.press("Leg vast", **{"antwoord-reden-van-intrekken": "niet-meer-nodig"})
    assert "Deze verwijzing is klaar" in marieke.text
    assert (await service.his.get(f"/fhir/{task}")).json()["status"] == "cancelled"
    await marieke.open("/praktijk?lijst=afgerond")
    assert len(rows(marieke)) == 1
    await marieke.open(address)
    await marieke.press("eropenen")
    assert marieke.response.status_code == 200
    assert marieke.path not in (address, "/praktijk")  # it goes on with a new Task
    assert marieke.path.startswith("/praktijk/")


async def test_a_referral_that_comes_back_does_not_say_that_nothing_is_to_be_done(
    service: Service, marieke: Browser
) -> None:
    task = (await service.refer())["Task"]
    await service.happens(task, "afwijzen", **{"reden-van-afwijzen": "andere-hulp-nodig"})
    await marieke.open(f"/praktijk/{task.partition('/')[2]}")
    assert "Deze verwijzing is klaar" in marieke.text
    assert "niets meer te doen" not in marieke.text
    assert "Er is geen terugkoppeling" in marieke.text


async def test_two_at_once_are_told_and_lose_nothing(service: Service, marieke: Browser) -> None:
    task = (await service.refer())["Task"]
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    await marieke.open(f"/praktijk/{task.partition('/')[2]}")
    await service.happens(task, "niet bereikt")
    await marieke.press("nformatie gegeven", antwoord_antwoord="Op dinsdag.")
    assert marieke.response.status_code == 409
    assert "niet bereikt" in marieke.text.lower()
    assert "Op dinsdag." in marieke.response.text


async def test_nobody_else_opens_these_pages(
    service: Service, noor: Browser, browser: Callable[[], Browser], marieke: Browser
) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    stranger = browser()
    for path in ("/praktijk", f"/praktijk/{task}", f"/praktijk/{task}/doen/intrekken"):
        await noor.open(path)
        assert noor.response.status_code == 403, path
        assert "Veldkamp" not in noor.response.text
        await stranger.open(path)
        assert stranger.path.startswith("/login")
    await marieke.open(f"/werk/{task}")
    assert marieke.response.status_code == 403
    await marieke.open("/praktijk?lijst=alles")
    assert marieke.response.status_code == 400
    assert "loopt, te-laat, afgerond" in marieke.text
    await marieke.open(f"/praktijk/{task}")
    _, fields = marieke.form("Uitloggen")
    await marieke.post(f"/praktijk/{task}/stap", fields | {"wat": "overleden"})
    assert marieke.response.status_code == 403  # a seal of another form


FILLED = {
    "gevaar": "nee",
    "toestemming": "ja",
    "toestemming-datum": "2026-01-12",
    "toestemming-reikwijdte": "contactgegevens-en-toelichting",
    "patient-naam": "Wiebe Zijlstra",
    "patient-geboortedatum": "1951-03-02",
    "patient-bsn": "999990019",
    "patient-telefoon": "050-5550101",
    "patient-straat": "Voorbeeldpad 3",
    "patient-plaats": "Groningen",
    "patient-gemeente": "Groningen",
    "reden": "Ik zit veel alleen thuis.",
    "taal": "Nederlands, geen tolk",
}
TABLES = ("resource", "traject", "event", "outbox", "personal_number")


async def stored(service: Service) -> list[int]:
    """How many rows a referral could have left."""
    return [(await service.rows(f"select count(*) from ketenzorg.{table}"))[0][0] for table in TABLES]


async def send(browser: Browser, **changed: str) -> Browser:
    """Open the form and send it; an empty answer is one that was not given."""
    await browser.open(REFER)
    fields = FILLED | {name.replace("_", "-"): said for name, said in changed.items()}
    return await browser.press("Verstuur", **{f"antwoord-{name}": said for name, said in fields.items()})


async def test_a_referral_by_form_arrives_at_the_coach(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    await marieke.open(REFER)
    radios = marieke.page.all("input", type="radio")
    assert [each for each in radios if "checked" in each.attrs] == []
    assert radios[0].attrs["name"] == "antwoord-gevaar"  # the alarm question is the first of all
    await send(marieke, reden=f"Ik wil onder de mensen. {HOSTILE}")
    assert marieke.response.status_code == 200, marieke.text
    for words in ("verstuurd", "Stadsbreed", "Eerste poging", "uiterlijk maandag 19 januari"):
        assert words in marieke.text
    assert marieke.path == REFER
    await marieke.follow("Bekijk de verwijzing")
    assert marieke.page.one("h1").text == "Wiebe Zijlstra"
    assert "Is er acuut gevaar voor de patiënt of een ander" in marieke.text  # a no says nothing without it
    assert "Op welke datum gaf de patiënt toestemming? 12 januari 2026" in marieke.text
    assert "Reden " in marieke.text  # what was written has a name for heading
    await noor.open("/werk")
    await noor.follow("Wiebe Zijlstra")
    assert " ".join(HOSTILE.split()) in noor.text
    assert not noor.page.all("script", "img")
    assert "Voorbeeldpad 3" in noor.text
    assert "999990019" not in noor.response.text  # a coach does not see it
    assert (await service.rows("select count(*) from ketenzorg.resource where body like '%999990019%'"))[0][
        0
    ] == 0


async def test_what_the_question_is_about_is_chosen_first(service: Service, marieke: Browser) -> None:
    await marieke.open("/verwijzen")
    choices = [each.attrs["href"] for each in marieke.page.one("main").all("a")]
    if marieke.path == "/verwijzen":  # more than one pathway
        assert REFER in choices
        assert len(choices) > 2
        await marieke.follow("Welzijn op Recept")
    assert marieke.path == REFER
    _, fields = marieke.form("Verstuur")
    await marieke.open("/verwijzen/geen-zorgpad")
    assert marieke.response.status_code == 404
    others = [each for each in choices if each.startswith("/verwijzen/") and each != REFER]
    for other in others:
        await marieke.open(other)
        assert marieke.form("Verstuur")[0] == other
        asked = [each.text for each in marieke.page.all("label") if "Geboortedatum" in each.text]
        assert len(asked) == 1  # of the patient; a pathway that wants it too does not ask again
        await marieke.post(other, fields)  # a form of another pathway
        assert marieke.response.status_code == 403


@pytest.mark.parametrize("danger", ["ja", "onbekend", "", "NEE", "nee, denk ik"])
async def test_anything_but_no_danger_sends_nothing(service: Service, marieke: Browser, danger: str) -> None:
    before = await stored(service)
    await send(marieke, gevaar=danger)
    assert marieke.response.status_code == 422
    assert "Verstuur niets. Bel nu." in marieke.page.one("div", role="alert").text
    assert await stored(service) == before
    assert marieke.form("Verstuur")[1]["antwoord-reden"] == FILLED["reden"]


@pytest.mark.parametrize(
    ("field", "said", "words"),
    [
        ("toestemming", "nee", "Zonder uitdrukkelijke toestemming"),
        ("toestemming", "", "Vul dit nog in"),
        ("toestemming-datum", "2026-01-13", "tot en met vandaag"),
        ("patient-bsn", "999990018", "geen BSN"),
        ("patient-telefoon", "", "telefoonnummer of een e-mailadres"),
        ("patient-gemeente", "Assen", "Kies een gemeente"),
        ("patient-geboortedatum", "1951-02-30", "Vul een datum in"),
        ("reden", "Zijn nummer is 999990019.", "burgerservicenummer"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    service: Service, marieke: Browser, capsys: pytest.CaptureFixture[str], field: str, said: str, words: str
) -> None:
    before = await stored(service)
    await send(marieke, **{field: said})
    assert marieke.response.status_code == 422
    assert words in marieke.page.one("p", id=f"{field}-fout").text
    shown = marieke.form("Verstuur")[1]
    kept = {name: shown[f"antwoord-{name}"] for name in FILLED if name != "patient-gemeente"}
    assert kept == {name: text for name, text in (FILLED | {field: said}).items() if name in kept}
    assert await stored(service) == before
    logged = "".join(capsys.readouterr())
    assert (str(marieke.response.url), "99999001" in logged) == (f"http://test{REFER}", False)
    # Put right, the same form is taken.
    await marieke.press("Verstuur", **{f"antwoord-{field}": FILLED[field]})
    assert "is verstuurd" in marieke.text


async def test_who_sent_a_form_reads_the_advice_of_the_pathway(marieke: Browser) -> None:
    path = "/verwijzen/antistolling"
    await marieke.open(path)
    _, fields = marieke.form("Verstuur")
    said = FILLED | {
        "ernstige-bloeding": "nee",
        "regiebehandelaar": "huisarts",
        "soort": "doac",
        "ingreep-gepland": "ja",
    }
    filled = {f"antwoord-{name}": each for name, each in said.items() if f"antwoord-{name}" in fields}
    await marieke.post(path, fields | filled)
    assert "is verstuurd" in marieke.text
    advice = marieke.page.one("section", **{"aria-labelledby": "advies"}).text
    assert "ten minste 5 werkdagen ervoor" in advice
    assert "(voorstel)" in advice  # by whom, and how firm that is
    missing = [each.text for each in marieke.page.one("details").all("li")]
    assert "Datum van de ingreep" in missing
    assert "Staat er een DOAC in het actuele medicatieoverzicht?" in missing


async def test_only_what_is_planned_may_lie_ahead(marieke: Browser) -> None:
    await marieke.open("/verwijzen/antistolling")
    _, fields = marieke.form("Verstuur")
    latest = {
        name: marieke.page.one("input", id=name).attrs["max"]
        for name in ("ingreep-datum", "laatste-uitgifte")
    }
    assert latest == {"ingreep-datum": "2027-01-13", "laatste-uitgifte": "2026-01-12"}
    filled = {
        **{f"antwoord-{name}": said for name, said in FILLED.items() if f"antwoord-{name}" in fields},
        "antwoord-ernstige-bloeding": "nee",
        "antwoord-ingreep-datum": "2026-02-02",
        "antwoord-laatste-uitgifte": "2026-02-02",
    }
    await marieke.post("/verwijzen/antistolling", fields | filled)
    wrong = [each.attrs["id"] for each in marieke.page.all("p") if each.attrs.get("id", "").endswith("-fout")]
    assert "laatste-uitgifte-fout" in wrong
    assert "ingreep-datum-fout" not in wrong


async def test_the_same_form_twice_is_one_referral(service: Service, marieke: Browser) -> None:
    await marieke.open(REFER)
    action, fields = marieke.form("Verstuur")
    filled = fields | {f"antwoord-{name}": said for name, said in FILLED.items()}
    await marieke.post(action, filled)
    before = await stored(service)
    await marieke.post(action, filled)
    assert "was al verstuurd" in marieke.text
    assert await stored(service) == before
    await marieke.post(action, filled | {"antwoord-reden": "Iets anders."})
    assert marieke.response.status_code == 409
    assert "al eens verstuurd" in marieke.text
    assert marieke.form("Verstuur")[1]["antwoord-reden"] == "Iets anders."
    assert await stored(service) == before


async def test_a_form_is_of_one_person_and_one_number(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    await noor.open(REFER)
    assert noor.response.status_code == 403
    await marieke.open(REFER)
    action, fields = marieke.form("Verstuur")
    filled = fields | {f"antwoord-{name}": said for name, said in FILLED.items()}
    before = await stored(service)
    await noor.post(action, filled)
    assert noor.response.status_code == 403
    await marieke.post(action, filled | {"kenmerk": "00000000-0000-4000-8000-000000000000"})
    assert marieke.response.status_code == 403
    await marieke.post(action, filled, Origin="https://elsewhere.example")
    assert marieke.response.status_code == 403
    assert await stored(service) == before


async def test_an_appointment_that_nobody_came_to_and_a_proposal_say_what_to_do(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    met = await service.refer(a_referral("a-appointment"))
    await service.happens(met["Task"], "aannemen")
    kept = (await service.coach.post("/fhir/Appointment", json=appointment(met))).json()
    for person, home in ((marieke, "praktijk"), (noor, "werk")):
        await person.open(f"/{home}/{met['Task'][5:]}")
        card = person.page.one("section", **{"aria-labelledby": "afspraken"}).text
        assert "Gepland 19 januari 2026, 10.00 uur Buurthuis De Wende, Groningen" in card
    service.app.litestar.state.clock.set(START + timedelta(days=8))
    missed = await service.coach.put(f"/fhir/Appointment/{kept['id']}", json=kept | {"status": "noshow"})
    assert missed.status_code == 200, missed.text
    await marieke.open(f"/praktijk/{met['Task'][5:]}")
    assert "Kwam niet 19 januari" in marieke.page.one("section", **{"aria-labelledby": "afspraken"}).text

    refused = (await service.refer(a_referral("a-proposal")))["Task"]
    await noor.open(f"/werk/{refused[5:]}/doen/ander-voorstel")
    await noor.press("Leg vast: ander voorstel", **{"antwoord-voorstel": "Een maatje via Humanitas."})
    await marieke.open(f"/praktijk/{refused[5:]}")
    answer = marieke.page.one("section", **{"aria-labelledby": "antwoord"}).text
    assert "Een maatje via Humanitas." in answer
    assert "Dit is een voorstel. Neemt u het over?" in answer
