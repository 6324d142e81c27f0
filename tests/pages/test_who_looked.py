"""Wie keek in mijn dossier: who, when, what kind of thing and why, in words, for the practice's own patient only."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, get_args

import pytest

from audits import chained, tamper
from ketenzorg.access.rules import TABLE
from ketenzorg.access.tokens import EMERGENCY
from ketenzorg.pages import looking_words
from ketenzorg.store.audit import Interaction
from referrals import a_referral, of
from services import Service

from .browsers import Browser
from .test_practice import with_cookie

TODAY = datetime.now(UTC).date()


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    return with_cookie(service, browser(), "huisarts")


def looks(browser: Browser) -> list[str]:
    """The lines of the page, without their times."""
    rows = [each for each in browser.page.all("li") if "kz-row--look" in each.attrs.get("class", "")]
    return [" ".join(part.text for part in row.all("div")[1:]) for row in rows]


async def test_who_when_what_and_why_in_plain_words_in_the_order_in_which_it_happened(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    referral = await service.refer()
    task = referral["Task"].partition("/")[2]
    await service.coach.get(f"/fhir/{referral['Patient']}")
    await noor.open(f"/werk/{task}")
    await service.coach.post(f"/fhir/{referral['Task']}/$event", json={})  # nothing came of it
    await service.hospital.get(f"/fhir/{referral['Patient']}")  # nor of this
    await marieke.open(f"/praktijk/{task}")
    await marieke.follow("Wie keek in dit dossier?")
    assert marieke.path == f"/praktijk/{task}/inzage"
    praktijk, stadsbreed = "Huisartsenpraktijk De Singel (fictief)", "Welzijn Stadsbreed (fictief)"
    told = looks(marieke)
    assert [line.partition(" (fictief)")[0] + " (fictief)" for line in told] == [
        praktijk, stadsbreed, stadsbreed, praktijk, praktijk,
    ]  # fmt: skip
    for line, words in zip(
        told,
        (
            "vanuit het eigen computersysteem Stuurde een verwijzing over u in. De praktijk mag u verwijzen.",
            "Welzijnscoach, vanuit het eigen computersysteem Bekeek uw naam, adres en andere persoonsgegevens.",
            "Welzijnscoach, Noor Bolt Opende de pagina van uw verwijzing. Deze organisatie doet nu mee",
            "Marieke Alberda, huisarts Opende de pagina van uw verwijzing.",
            "Marieke Alberda, huisarts Maakte een overzicht zoals dit.",
        ),
        strict=True,
    ):
        assert words in line
    assert "Uw toestemming is vastgelegd." in told[1]
    assert "Hier staat niet" in marieke.text
    for hidden in (
        "999990019",
        "takes-part",
        "01a2",
        str((await service.rows("select person from ketenzorg.traject"))[0][0]),
    ):
        assert hidden not in marieke.page.one("main").text


async def test_a_list_counts_as_a_look_and_shows_nobody_elses_patients(
    service: Service, marieke: Browser, noor: Browser
) -> None:
    def other(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["identifier"][0]["value"] = "999990020"
        of(bundle, "Patient")["name"] = [{"text": "Wiebe Zijlstra"}]

    mine, theirs = await service.refer(a_referral("1")), await service.refer(a_referral("2", other))
    await noor.open("/werk?lijst=open")
    await service.coach.get("/fhir/Task")
    await chained(service)
    await marieke.open(f"/praktijk/{mine['Task'][5:]}/inzage")
    told = " ".join(looks(marieke))
    assert "Zag u in een lijst." in told
    assert "Zocht, en vond u." in told
    assert theirs["Task"][5:] not in marieke.response.text
    assert "Zijlstra" not in marieke.response.text


async def test_all_trajecten_of_the_same_person_that_the_practice_is_party_to(
    service: Service, marieke: Browser
) -> None:
    first, again = await service.refer(a_referral("1")), await service.refer(a_referral("2"))
    await service.coach.get(f"/fhir/{again['Condition']}")  # not for a coach
    await service.coach.get(f"/fhir/{again['ServiceRequest']}")
    await marieke.open(f"/praktijk/{first['Task'][5:]}/inzage")
    told = looks(marieke)
    assert len([line for line in told if "Stuurde een verwijzing" in line]) == 2
    assert any("Bekeek de verwijzing." in line for line in told)
    assert "de 2 verwijzingen waar deze praktijk bij hoort" in marieke.text


async def test_an_emergency_is_named_and_a_period_can_be_chosen(service: Service, marieke: Browser) -> None:
    referral = await service.refer()
    people = "user_id = 'huisarts', responsible = 'assistent'"
    await tamper(service, f"update ketenzorg.audit set purpose = '{EMERGENCY}', {people}")
    address = f"/praktijk/{referral['Task'][5:]}/inzage"
    await marieke.open(address)
    assert "1 keer is de noodprocedure gebruikt." in marieke.text
    assert "Verantwoordelijk: Jolanda Reitsema" in looks(marieke)[0]
    assert "Noodprocedure" in looks(marieke)[0]
    yesterday = TODAY - timedelta(days=1)
    await marieke.open(f"{address}?van={yesterday - timedelta(days=9)}&tot={yesterday}")
    assert "In deze periode keek er niemand." in marieke.text
    for wrong in ("van=gisteren", f"van={TODAY}&tot={yesterday}", "tot=9999-12-31", "van=x&tot="):
        await marieke.open(f"{address}?{wrong}")
        assert marieke.response.status_code == 400, wrong
    await marieke.open(f"{address}?van=0001-01-01")
    assert marieke.response.status_code == 200


async def test_the_file_holds_the_same_and_no_formula(service: Service, marieke: Browser) -> None:
    referral = await service.refer()
    await tamper(service, "update ketenzorg.audit set user_id = '=1+1'")
    await marieke.open(f"/praktijk/{referral['Task'][5:]}/inzage.csv")
    assert marieke.response.headers["content-disposition"] == 'attachment; filename="wie-keek.csv"'
    rows = list(csv.DictReader(StringIO(marieke.response.text.removeprefix("\ufeff")), delimiter=";"))
    assert [row["wat"] for row in rows] == [
        "stuurde een verwijzing over u in",
        "maakte een overzicht zoals dit",
    ]
    assert rows[0]["medewerker"] == "'=1+1"
    assert (rows[0]["rol"], rows[0]["noodprocedure"]) == ("Verwijzer (huisarts, POH, assistent)", "nee")


async def test_nobody_else_makes_this_overview(
    service: Service, marieke: Browser, noor: Browser, browser: Callable[[], Browser]
) -> None:
    task = (await service.refer())["Task"][5:]
    for file in ("inzage", "inzage.csv"):
        await noor.open(f"/praktijk/{task}/{file}")
        assert noor.response.status_code == 403
        await browser().open(f"/praktijk/{task}/{file}")
        await marieke.open(f"/praktijk/00000000-0000-7000-8000-000000000000/{file}")
        assert marieke.response.status_code == 404


def test_everything_that_can_be_on_record_about_a_patient_has_its_words() -> None:
    of_nobody = {"purge", "subscribe", "resubscribe", "unsubscribe", "renew-secret"}
    of_patients = set(get_args(Interaction)) - {"read", "vread", "figures", "export"} - of_nobody
    assert of_patients <= looking_words.DID.keys()
    kinds = TABLE.types["traject"] | TABLE.types["letters"] - {"Binary"}
    assert kinds <= looking_words.THINGS.keys()
