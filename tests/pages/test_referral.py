"""One referral: each click, what two people at once see, and text that stays text."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from referrals import a_referral, of
from services import START, Service

from .browsers import Browser

HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=1> {{7*7}} \u202emoc.live\u202c </textarea>"


def id_of(task: str) -> str:
    return task.partition("/")[2]


def story(browser: Browser) -> str:
    return browser.page.one("section", **{"aria-labelledby": "verloop"}).text


async def refer(service: Service, browser: Browser, *changes: Callable[[dict[str, Any]], None]) -> str:
    """A referral whose page is open in this browser."""
    task = id_of((await service.refer(a_referral("2026-000123", *changes)))["Task"])
    await browser.open(f"/werk/{task}")
    assert browser.response.status_code == 200, browser.text
    return task


async def test_who_it_is_and_what_the_referrer_wrote(service: Service, noor: Browser) -> None:
    await refer(service, noor)
    assert noor.page.one("h1").text == "Trijntje Veldkamp"
    assert noor.page.all("a", href="tel:0505550100")[-1].text == "050-5550100"
    for words in (
        "Voorbeeldstraat 12",
        "9711 AA Groningen",
        "Nederlands",
        "Loopt met een rollator",
        "weer onder de",
    ):
        assert words in noor.text
    for hidden in ("999990019", "1948", "Z04", "Sociaal/cultureel"):  # a coach does not see these
        assert hidden not in noor.response.text
    assert "Nog niet vastgesteld: " in noor.page.text


async def test_nobody_is_offered_to_call_who_died(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    await service.happens(f"Task/{task}", "overleden")
    await noor.open(f"/werk/{task}")
    assert "Deze persoon is overleden. Neem geen contact meer op." in noor.text
    assert not [each for each in noor.page.all("a") if each.attrs.get("href", "").startswith("tel:")]
    for hidden in ("5550100", "Voorbeeldstraat"):
        assert hidden not in noor.response.text
    assert "Maak ongedaan" in noor.text  # a wrong click
    await noor.press("Maak ongedaan")
    assert "Voorbeeldstraat" in noor.text


async def test_a_whole_referral_takes_six_clicks_and_one_typed_field(service: Service, noor: Browser) -> None:
    await service.refer()
    await noor.open("/werk")
    await noor.follow("Trijntje Veldkamp")
    await noor.press("ontact")  # accepts too
    await noor.press("Kennismaking ge")
    await noor.press("Plan gemaakt")
    await noor.press("Activiteit gestart")
    await noor.press("Afronden", antwoord_terugkoppeling="Zij gaat nu naar de koffieochtend.")
    assert "Deze verwijzing is klaar" in noor.text
    assert (noor.clicks <= 6, noor.typed) == (True, 1)


async def test_every_click_of_the_whole_way(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    await noor.press("Aannemen")
    assert noor.path == f"/werk/{task}"
    assert "Contactpersoon" in noor.text
    assert noor.form("Geef door")[1]["collega"] == "noor"  # who takes it has it
    for attempt in (1, 2, 3):
        service.app.litestar.state.clock.set(START + timedelta(days=attempt))
        await noor.open(f"/werk/{task}")
        await noor.press(f"Niet bereikt (poging {attempt} van 3)")
        if attempt == 1:  # twice on one day is one attempt, and the button says so
            await noor.press("Niet bereikt (poging 1 van 3)")
    assert "brief sturen" in noor.text
    await noor.follow("print de brief")
    letter = noor.page.one("article").text
    assert "Trijntje Veldkamp" in letter
    assert "Voorbeeldstraat 12" in letter
    assert "Noor Bolt" in letter
    await noor.open(f"/werk/{task}")
    await noor.press("Brief verstuurd")
    await noor.press("ontact")
    await noor.press("Kennismaking ge")
    await noor.press("gemaakt", antwoord_doel="Elke week onder de mensen")
    await noor.press("gestart", antwoord_activiteit="Koffieochtend in het dorpshuis")
    await noor.open(f"/werk/{task}/doen/terugkoppelen")
    await noor.press("Leg vast", antwoord_terugkoppeling="Regel een\nRegel twee")
    assert "Regel een Regel twee" in story(noor)
    copied = noor.page.one("textarea", id="kopieer").value
    assert "Regel een\nRegel twee" in copied
    assert "Doel: Elke week onder de mensen" in copied
    await noor.press("Afronden", antwoord_terugkoppeling="Het gaat goed.")
    assert "Deze verwijzing is klaar" in noor.text
    seen = (await service.his.get(f"/fhir/Task/{task}")).json()
    assert seen["status"] == "completed"
    assert [each["valueString"] for each in seen["output"] if "valueString" in each][-1] == "Het gaat goed."


@pytest.mark.parametrize(
    ("event", "answer", "code"),
    [
        ("afwijzen", "reden-van-afwijzen", "geen-plek"),
        ("ziet-ervan-af", "reden-van-afzien", "wil-niet"),
        ("crisis-gemeld", "gebeld-met", "alarmnummer"),
        ("overdragen-na-crisis", "gebeld-met", "crisisdienst"),
    ],
)
async def test_what_needs_a_reason_asks_for_exactly_that(
    service: Service, noor: Browser, event: str, answer: str, code: str
) -> None:
    task = await refer(service, noor)
    await noor.open(f"/werk/{task}/doen/{event}")
    field = f"antwoord-{answer}"
    choices = [each.attrs["value"] for each in noor.page.all("input", type="radio")]
    assert code in choices
    await noor.press("Leg vast")  # without an answer
    assert noor.response.status_code == 422
    assert "nog niets opgeslagen" in noor.text
    await noor.press("Leg vast", **{field: code})
    assert noor.path == f"/werk/{task}"
    assert event.replace("-", " ").capitalize() in story(noor)


async def test_crisis_says_to_call_first(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    assert "Crisis? Bel eerst" in noor.text
    await noor.open(f"/werk/{task}/doen/crisis-gemeld")
    assert noor.page.one("main").all("a", href="tel:112")


async def test_a_wrong_click_is_undone_and_stays_in_the_story(service: Service, noor: Browser) -> None:
    await refer(service, noor)
    await noor.press("Aannemen")
    await noor.press("Maak ongedaan")
    assert "Aangemeld" in noor.text
    assert "Aannemen (was een vergissing)" in story(noor)
    assert "Hersteld" in story(noor)
    assert "Maak ongedaan" not in noor.text


async def test_the_second_of_two_people_is_told_and_loses_nothing(
    service: Service, noor: Browser, sjoerd: Browser
) -> None:
    task = await refer(service, noor)
    await sjoerd.open(f"/werk/{task}/doen/informatie-vragen")
    await noor.press("Aannemen")
    await sjoerd.press("Leg vast", antwoord_vraag="Welke dag komt het uit?\nEn wie belt?")
    assert sjoerd.response.status_code == 409
    assert "Iemand was u net voor" in sjoerd.text
    assert "Aannemen" in sjoerd.text
    assert sjoerd.page.one("textarea").value == "Welke dag komt het uit?\nEn wie belt?"
    assert len(await service.rows("select 1 from ketenzorg.event")) == 2
    await sjoerd.press("Ja:")
    assert "Welke dag komt het uit?" in story(sjoerd)

    # What is no longer possible is not offered, and the words are there to copy.
    await noor.open(f"/werk/{task}/doen/informatie-vragen")
    assert noor.response.status_code == 409
    await sjoerd.open(f"/werk/{task}/doen/doorverwijzen")
    await noor.open(f"/werk/{task}/doen/ziet-ervan-af")
    await noor.press("Leg vast", **{"antwoord-reden-van-afzien": "wil-niet"})
    await sjoerd.press("Leg vast", **{"antwoord-waarheen": "wmo", "antwoord-terugkoppeling": "Naar de Wmo"})
    assert sjoerd.response.status_code == 409
    assert "Naar de Wmo" in [each.value for each in sjoerd.page.all("textarea")]


async def test_the_same_form_twice_is_stored_once(service: Service, noor: Browser) -> None:
    await refer(service, noor)
    action, fields = noor.form("Aannemen")
    await noor.post(action, fields)
    await noor.post(action, fields)
    assert noor.response.status_code == 409
    assert "Dit was al vastgelegd" in noor.text
    assert len(await service.rows("select 1 from ketenzorg.event")) == 2


async def test_a_colleague_who_says_the_same_did_not_send_it_twice(
    service: Service, noor: Browser, sjoerd: Browser
) -> None:
    task = await refer(service, noor)
    for each in (noor, sjoerd):
        await each.open(f"/werk/{task}/doen/informatie-vragen")
    await noor.press("Leg vast", antwoord_vraag="Welke dag?")
    await sjoerd.press("Leg vast", antwoord_vraag="Is er een tolk nodig?")
    assert "U of een collega legde dit net al vast" in sjoerd.text
    assert "Hij staat hieronder nog" in sjoerd.text
    assert sjoerd.page.one("textarea").value == "Is er een tolk nodig?"


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({"zegel": ""}, {}),
        ({"zegel": "0" * 64}, {}),
        ({"zegel": "é"}, {}),
        ({"versie": "2"}, {}),
        ({"versie": "١"}, {}),
        ({}, {"Origin": "https://elsewhere.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ],
)
async def test_a_forged_form_changes_nothing(
    service: Service, noor: Browser, change: dict[str, str], headers: dict[str, str]
) -> None:
    await refer(service, noor)
    action, fields = noor.form("Aannemen")
    await noor.post(action, fields | change | {"antwoord-terugkoppeling": "Mijn tekst"}, **headers)
    assert noor.response.status_code == 403
    assert "niets opgeslagen" in noor.text
    assert len(await service.rows("select 1 from ketenzorg.event")) == 1
    if not headers:  # what came from our own page is shown again
        assert noor.page.one("textarea").value == "Mijn tekst"


async def test_a_form_of_somebody_else_is_refused(service: Service, noor: Browser, sjoerd: Browser) -> None:
    task = await refer(service, noor)
    other = id_of((await service.refer(a_referral("another")))["Task"])
    await sjoerd.open(f"/werk/{task}")
    _, theirs = sjoerd.form("Aannemen")
    await noor.post(f"/werk/{task}/stap", theirs)
    assert noor.response.status_code == 403
    _, own = (await noor.open(f"/werk/{task}")).form("Aannemen")
    await noor.post(f"/werk/{other}/stap", own)
    assert noor.response.status_code == 403


async def test_who_was_signed_out_in_between_keeps_the_words(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    await noor.open(f"/werk/{task}/doen/informatie-vragen")
    action, fields = noor.form("Leg vast")
    noor.client.cookies.clear()
    await noor.post(action, fields | {"antwoord-vraag": "Een lange vraag"})
    assert noor.response.status_code == 401
    assert noor.page.one("textarea").value == "Een lange vraag"


async def test_hostile_text_is_shown_as_text(service: Service, noor: Browser) -> None:
    def hostile(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["name"] = [{"text": HOSTILE}]
        of(bundle, "Patient")["telecom"] = [{"system": "phone", "value": "javascript:alert(1)//050"}]
        answers = of(bundle, "QuestionnaireResponse")["item"]
        next(each for each in answers if each["linkId"] == "reden")["answer"] = [
            {"valueString": HOSTILE + "x" * 3000}
        ]

    task = await refer(service, noor, hostile)
    shown = " ".join(HOSTILE.split())
    for path in ("/werk", f"/werk/{task}", f"/werk/{task}/doen/informatie-vragen"):
        await noor.open(path)
        assert shown in noor.text
        assert not noor.page.all("script", "img")
    await noor.press("Leg vast", antwoord_vraag=HOSTILE)
    assert shown in story(noor)
    assert noor.page.one("textarea", id="kopieer").value.count(HOSTILE) == 1
    assert not [each for each in noor.page.all("a") if each.attrs["href"].startswith("javascript")]


async def test_too_long_is_said_and_kept(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    await noor.open(f"/werk/{task}/doen/informatie-vragen")
    words = "y" * 4001
    await noor.press("Leg vast", antwoord_vraag=words)
    assert noor.response.status_code == 422
    assert "korter" in noor.text
    assert noor.page.one("textarea").value == words
    await noor.press("Leg vast", antwoord_vraag="z" * 70_000)
    assert noor.response.status_code == 413
    assert "te groot" in noor.text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("999990019", "BSN"),
        ("9999.90.019", "BSN"),
        ("dossier 999990019", "BSN"),
        ("9" * 41, "te lang"),
        ("W-17\u202e", "tekens die niemand ziet"),
    ],
)
async def test_what_is_no_file_number_and_why(
    service: Service, noor: Browser, number: str, words: str
) -> None:
    await refer(service, noor)
    await noor.press("Bewaar", dossiernummer=number)
    assert noor.response.status_code == 422
    assert words in noor.text
    assert noor.page.one("input", id="dossiernummer").attrs["aria-invalid"] == "true"
    assert (await service.rows("select file_number from ketenzorg.part where file_number is not null")) == []


async def test_the_own_file_number_and_who_has_it(service: Service, noor: Browser, sjoerd: Browser) -> None:
    task = await refer(service, noor)
    await sjoerd.open(f"/werk/{task}")
    await noor.press("Bewaar", dossiernummer="W-2026/17")
    assert noor.form("Bewaar")[1]["dossiernummer"] == "W-2026/17"
    await sjoerd.press("Bewaar", dossiernummer="ander")
    assert sjoerd.response.status_code == 409
    assert "Ons dossiernummer: W-2026/17" in sjoerd.text
    assert sjoerd.form("Bewaar")[1]["dossiernummer"] == "ander"  # what was typed, on the state of now
    await sjoerd.press("Bewaar")
    assert sjoerd.form("Bewaar")[1]["dossiernummer"] == "ander"

    await noor.open(f"/werk/{task}")
    await sjoerd.press("Geef door", collega="sjoerd")
    await noor.press("Geef door", collega="noor")
    assert noor.response.status_code == 409
    assert "Contactpersoon: Sjoerd Kamminga" in noor.text
    assert noor.form("Geef door")[1]["collega"] == "noor"
    await noor.post(noor.form("Geef door")[0], noor.form("Geef door")[1] | {"collega": "hidde"})
    assert noor.response.status_code == 404  # of another organisation
    await sjoerd.open("/werk?lijst=mijn")
    assert "Dossier ander" in sjoerd.text


async def test_an_old_form_of_our_own_changes_nothing_when_sent_again(
    service: Service, noor: Browser
) -> None:
    task = await refer(service, noor)
    old = noor.form("Geef door")
    await noor.press("Geef door", collega="noor")
    await noor.press("Geef door", collega="")
    await noor.post(old[0], old[1] | {"collega": "sjoerd"})  # nobody has it, as when the form was made
    assert noor.response.status_code == 409
    await noor.post(old[0], old[1] | {"collega": "sjoerd", "editie": "2"})
    assert noor.response.status_code == 403  # the seal is of another edition
    assert [row[0] for row in await service.rows("select colleague from ketenzorg.part")] == [None, None]

    await noor.open(f"/werk/{task}")
    await noor.press("Aannemen")
    undone = noor.form("Maak ongedaan")
    await noor.post(*undone)
    await noor.press("Aannemen")
    await noor.post(*undone)
    assert noor.response.status_code == 409
    assert "Aannemen" in noor.text  # what happened since
    assert len(await service.rows("select 1 from ketenzorg.event where event = 'hersteld'")) == 1


async def test_no_personal_data_in_an_address(service: Service, noor: Browser) -> None:
    await refer(service, noor)
    pages = ["/werk", noor.path, f"{noor.path}/doen/afwijzen"]
    for path in pages:
        await noor.open(path)
        links = [
            each.attrs.get("href", "") + each.attrs.get("action", "") for each in noor.page.all("a", "form")
        ]
        ours = [link for link in links if not link.startswith(("tel:", "mailto:"))]
        assert not [link for link in ours for word in ("Trijntje", "Veldkamp", "999990019") if word in link]
        assert all(form.attrs["method"] == "post" for form in noor.page.all("form"))


async def test_every_page_reads_well_to_a_screen_reader(service: Service, noor: Browser) -> None:
    task = await refer(service, noor)
    paths = ["/login", "/werk", f"/werk/{task}", f"/werk/{task}/doen/afwijzen", "/werk/niets"]
    for path in paths:
        page = (await noor.open(path)).page
        assert page.attrs["lang"] == "nl"
        assert len(page.all("h1")) == 1
        assert [len(page.all(tag)) for tag in ("main", "header", "footer", "title")] == [1, 1, 1, 1]
        ids = [each.attrs["id"] for each in page.all() if "id" in each.attrs]
        assert len(ids) == len(set(ids))
        labelled = {each.attrs.get("for") for each in page.all("label")}
        inside = {id(field) for label in page.all("label") for field in label.all("input")}
        for each in page.all("input", "textarea", "select"):
            hidden = each.attrs.get("type") == "hidden"
            assert hidden or id(each) in inside or each.attrs["id"] in labelled
        for each in page.all():
            for name in ("aria-labelledby", "aria-describedby"):
                assert each.attrs.get(name, ids[0]) in ids
        assert all(each.text for each in page.all("a", "button"))


async def test_what_breaks_inside_is_told_without_what_broke(
    service: Service, noor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await refer(service, noor)

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("Trijntje")

    monkeypatch.setattr("ketenzorg.pages.desk.look_at", broken)
    await noor.open(f"/werk/{task}")
    assert noor.response.status_code == 500
    assert "Meld dan dit nummer" in noor.text
    assert "Trijntje" not in noor.response.text
