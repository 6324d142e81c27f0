"""What a party knows of the patient, from one step and one hand-over to the next, over HTTP and in the second wall."""

import json
from urllib.parse import urlencode
from uuid import UUID

import pytest

from access.parties import HOUSES, everything_of, found, happens, of_kind, running, wall_shows
from examples import an_example
from referrals import of, said, texts
from services import Referral, Service
from spec.beginnings import BEGINNINGS, PHARMACY, PRACTICE, PRESCRIBER, new_data
from spec.over_http import URAS
from spec.talking import call

BSN, NAME = "999990111", "Bosma"
APOTHEEK, PRAKTIJK, MARTINI = (HOUSES[key].id for key in (PHARMACY, PRACTICE, PRESCRIBER))
LENS, FYSIO, COACHES = of_kind("optometrie"), of_kind("fysiotherapie"), of_kind("welzijnsorganisatie")


async def knows(service: Service, who: UUID, referral: Referral) -> str:
    """What it sees of the patient by every way there is: nothing, who it is, or who it is with the number."""
    read = await call(service, who, "GET", f"/fhir/{referral['Patient']}")
    everything = await everything_of(service, who, referral)
    assert (BSN in everything) == (BSN in read.text)
    assert (NAME in everything) == (read.status_code == 200), everything
    assert ("Patient" in await wall_shows(service, who)) == (read.status_code == 200)
    # Who sees the number finds the patient by it, and nobody else does.
    for kind in ("Patient", "ServiceRequest"):
        form = urlencode({"identifier": f"http://fhir.nl/fhir/NamingSystem/bsn|{BSN}"})
        asked = await call(service, who, "POST", f"/fhir/{kind}/_search", form, 200)
        assert (referral[kind].partition("/")[2] in asked.text) == (kind == "Patient" and BSN in read.text)
    return "nothing" if read.status_code == 404 else "number" if BSN in read.text else "person"


@pytest.fixture
async def started(service: Service) -> Referral:
    """A specialist starts, hands the regie to the practice, and names the pharmacy."""
    beginning = BEGINNINGS["antistolling"]["regie gevraagd"]
    bundle = beginning.bundle("antistolling", 1, BSN, [PRACTICE, PHARMACY], URAS)
    of(bundle, "Patient")["name"] = [{"family": NAME}]
    of(bundle, "ServiceRequest")["subject"]["display"] = NAME  # where a name may hide
    return Referral(await call(service, MARTINI, "POST", "/fhir", bundle, 200))


async def test_the_pharmacy_knows_the_patient_from_the_first_dispensing_on_and_keeps_it(
    service: Service, started: Referral
) -> None:
    task = started["Task"]
    for who, what in {MARTINI: "number", PRAKTIJK: "number", APOTHEEK: "nothing"}.items():
        assert await knows(service, who, started) == what
    # It takes part all the same, and says what it has to say about what was asked.
    await happens(service, APOTHEEK, task, "eerste uitgifte gedaan")
    assert await knows(service, APOTHEEK, started) == "nothing"

    await happens(service, PRAKTIJK, task, "regie aanvaarden")
    await happens(service, PRAKTIJK, task, "uitgifte vragen")
    assert await knows(service, APOTHEEK, started) == "number"

    dispensing = await running(service, APOTHEEK)
    for event in ("uitgifte aannemen", "eerste uitgifte gedaan", "tweede uitgifte gedaan"):
        await happens(service, APOTHEEK, dispensing, event)
    # While the practice asks an expert it looks on, and keeps what it knew; so what comes in is for its role too.
    await happens(service, PRAKTIJK, await running(service, PRAKTIJK), "advies vragen")
    assert await knows(service, APOTHEEK, started) == "number"
    sent = new_data("antistolling", "signaal nierfunctie", started["ServiceRequest"])
    added = await call(service, PRAKTIJK, "POST", "/fhir", sent, 200)
    place = added.json()["entry"][0]["response"]["location"].partition("/_history")[0]
    assert (await call(service, APOTHEEK, "GET", f"/fhir/{place}")).status_code == 200


async def test_who_never_came_to_know_the_patient_does_not_learn_it_by_the_end(
    service: Service, started: Referral
) -> None:
    await happens(service, MARTINI, started["Task"], "intrekken")
    assert await knows(service, APOTHEEK, started) == "nothing"
    assert await knows(service, MARTINI, started) == "number"
    phases = json.loads((await service.rows("select phases from ketenzorg.traject"))[0]["phases"])
    assert phases == {"apotheek": ""}


async def test_who_left_keeps_what_it_knew_and_does_not_hear_where_it_went(service: Service) -> None:
    referral = await service.refer(an_example("oogzorg"))
    task = referral["Task"]
    for event in ("aannemen", "afspraak gemaakt", "onderzocht", "verwijzing adviseren"):
        await happens(service, LENS, await running(service, LENS), event)
    await happens(service, PRAKTIJK, await running(service, PRAKTIJK), "verwijzen naar de oogarts")
    elsewhere = await running(service, PRAKTIJK)
    eye_doctor = UUID(
        (await found(service, PRAKTIJK, f"Task?_id={elsewhere[5:]}"))[0]["owner"]["reference"][13:]
    )

    assert (await call(service, LENS, "GET", f"/fhir/{referral['Patient']}")).status_code == 200
    for address in (elsewhere, referral["CarePlan"]):
        assert (await call(service, LENS, "GET", f"/fhir/{address}")).status_code == 404
        assert (await call(service, eye_doctor, "GET", f"/fhir/{address}")).status_code == 200
    following = (await call(service, LENS, "GET", f"/fhir/{task}/$next", None, 200)).text
    refused = await call(service, LENS, "POST", f"/fhir/{task}/$event", said("aannemen"))
    assert refused.status_code == 409
    for told in (following, texts(refused)):
        assert elsewhere[5:] not in told
        assert "oogarts" not in told
    # Who still takes part is told where it goes on.
    told = await call(service, PRAKTIJK, "POST", f"/fhir/{task}/$event", said("aannemen"))
    assert elsewhere in texts(told)

    # The end, and what comes after it, is none of its business either: the hand-over at which it ends is not its own.
    for event in ("aannemen", "afspraak bij de oogarts", "gezien door de oogarts", "terugverwijzen"):
        await happens(service, eye_doctor, elsewhere, event)
    await happens(service, PRAKTIJK, elsewhere, "opnieuw verwijzen")
    again = await running(service, PRAKTIJK)
    plan = (await call(service, PRAKTIJK, "GET", f"/fhir/{referral['CarePlan']}", None, 200)).json()
    takes_part = {
        row["id"] for row in await service.rows("select unnest(involved) as id from ketenzorg.traject")
    }
    for who in (LENS, eye_doctor):
        status = (await call(service, who, "GET", f"/fhir/CarePlan/{plan['id']}")).status_code
        assert (status == 200) == (who in takes_part), (who, again)


async def test_a_coach_that_comes_later_reads_nothing_of_what_was_found_before(service: Service) -> None:
    referral = await service.refer(an_example("valpreventie"))
    for event in ("aannemen", "afspraak gemaakt", "test begonnen", "getest: laag"):
        await happens(service, FYSIO, await running(service, FYSIO), event)
    task = await running(service, COACHES)

    everything = await everything_of(service, COACHES, referral)
    following = (await call(service, COACHES, "GET", f"/fhir/{task}/$next", None, 200)).text
    log = await service.app.litestar.state.world.worklist.events(
        [COACHES], (await service.rows("select id from ketenzorg.traject"))[0]["id"]
    )
    whole = await service.rows("select event from ketenzorg.event order by seq")
    assert [row["event"] for row in whole][-1] == "getest: laag"
    assert [each.body.event for each in log] == ["getest: laag"]
    assert "getest" not in everything + following
    assert not {"QuestionnaireResponse", "Observation", "Composition"} & await wall_shows(service, COACHES)
    # It works on all the same, and undoes its own mistake by a log that it does not read.
    await happens(service, COACHES, task, "plek gevonden")
