"""Consent at a later hand-over, in a traject that runs: asked again of who is no care provider, presumed of who is."""

from uuid import UUID

import pytest

from access.parties import HOUSES, happens, of_kind, running
from api.test_objection import consent, recorded
from api.test_withdrawal import rows_of
from examples import LIFTED, an_example, issues
from ketenzorg.coordination.consent.consenting import Sharing, weighed
from ketenzorg.fhir import json
from referrals import said, texts
from services import REGION, Referral, Service
from spec.beginnings import BEGINNINGS, PHARMACY, PRACTICE, PRESCRIBER
from spec.over_http import URAS
from spec.talking import call

FYSIO, COACHES = of_kind("fysiotherapie"), of_kind("welzijnsorganisatie")
ACADEMIC, COACH = HOUSES["umcg"], REGION.of_client("welzijn-demo")
UNASKED = {"toestemming_bewegen": LIFTED, "toestemming_bewegen_datum": LIFTED}


@pytest.fixture
async def tested(service: Service) -> Referral:
    """A fall risk that turns out low, of somebody who was not asked about welfare."""
    referral = await service.refer(an_example("valpreventie", **UNASKED))
    for event in ("aannemen", "afspraak gemaakt", "test begonnen"):
        await happens(service, FYSIO, await running(service, FYSIO), event)
    return referral


async def under(service: Service) -> dict[str, str]:
    [row] = await service.rows("select consents::text from ketenzorg.traject order by id desc limit 1")
    found: dict[str, str] = json.read_any(row["consents"].encode())
    return found


async def test_nothing_goes_to_welfare_before_the_patient_was_asked(
    service: Service, tested: Referral
) -> None:
    task = tested["Task"]
    refused = await call(service, FYSIO, "POST", f"/fhir/{task}/$event", said("getest: laag"))
    assert refused.status_code == 422, refused.text
    assert "zonder uitdrukkelijke toestemming" in texts(refused)
    assert (await service.his.get(f"/fhir/{task}")).json()["status"] == "in-progress"
    assert (
        await service.rows(f"select 1 from ketenzorg.resource where parties @> array['{COACHES}'::uuid]")
        == []
    )

    await recorded(service.his, consent(tested, kind="apotheek"))
    given = await recorded(service.his, consent(tested, "permit", kind="welzijnsorganisatie", here=True))
    place = given["location"].partition("/_history")[0]
    await happens(service, FYSIO, task, "getest: laag")
    assert (await under(service))[str(COACHES)] == place.removeprefix("Consent/")
    assert (await call(service, COACHES, "GET", f"/fhir/{place}")).status_code == 200


async def test_who_joins_reads_no_objection_to_somebody_else(service: Service, tested: Referral) -> None:
    objection = await recorded(service.his, consent(tested, kind="apotheek"))
    await recorded(service.his, consent(tested, "permit", kind="welzijnsorganisatie", here=True))
    await happens(service, FYSIO, tested["Task"], "getest: laag")
    place = objection["location"].partition("/_history")[0]
    assert (await service.his.get(f"/fhir/{place}")).status_code == 200
    for who in (COACHES, FYSIO):
        assert (await call(service, who, "GET", f"/fhir/{place}")).status_code == 404


@pytest.mark.parametrize("objected", [False, True])
async def test_a_care_provider_that_joins_does_so_by_presumed_consent_unless_objected(
    service: Service, objected: bool
) -> None:
    referral = await service.refer(an_example("artrose", vraag="orthopeed", stap_2_gedaan=True))
    if objected:
        await recorded(service.his, consent(referral, organisation=ACADEMIC))
    response = await service.hospital.post(
        f"/fhir/{referral['Task']}/$event", json=said("naar een ander echelon", echelon="academisch")
    )
    if objected:
        assert response.status_code == 422, response.text
        assert f"bezwaar tegen het delen van gegevens met {ACADEMIC.name}" in texts(response)
        assert str(ACADEMIC.id) not in await under(service)
        return
    assert response.status_code == 200, response.text
    id_ = (await under(service))[str(ACADEMIC.id)]
    made = (await service.his.get(f"/fhir/Consent/{id_}")).json()
    assert made["policyRule"]["coding"][-1]["code"] == "verondersteld"
    actors = [each["reference"]["reference"] for each in made["provision"]["actor"]]
    assert UUID(actors[0].removeprefix("Organization/")) == ACADEMIC.id


async def test_an_alarm_comes_before_an_objection(service: Service) -> None:
    referral = await service.refer()
    await recorded(service.his, consent(referral, organisation=COACH))
    bundle = an_example("welzijn-op-recept", gevaar=True)
    response = await service.his.post("/fhir", json=bundle)
    assert response.status_code == 422
    first = issues(response)[0]
    assert (first["severity"], "bel nu" in first["details"]["text"]) == ("fatal", True)


async def test_who_asked_loses_sight_and_who_works_goes_on(service: Service) -> None:
    """The practice asked the pharmacy; in the middle of that the patient objects to the practice."""
    bundle = BEGINNINGS["antistolling"]["regie gevraagd"].bundle(
        "antistolling", 1, "999990111", [PRACTICE, PHARMACY], URAS
    )
    practice, pharmacy, holder = (HOUSES[key].id for key in (PRACTICE, PHARMACY, PRESCRIBER))
    referral = Referral(await call(service, holder, "POST", "/fhir", bundle, 200))
    for event in ("regie aanvaarden", "uitgifte vragen"):
        await happens(service, practice, await running(service, practice), event)
    dispensing = await running(service, pharmacy)

    objection = consent(referral, organisation=HOUSES[PRACTICE])
    await call(service, holder, "POST", "/fhir", objection, 200)

    assert [row async for row in rows_of(service, practice)] == []
    for event in ("uitgifte aannemen", "eerste uitgifte gedaan"):
        await happens(service, pharmacy, dispensing, event)
    back = said("tweede uitgifte gedaan")  # it goes back to who asked: now another must be named
    named = {"name": "organisatie", "valueReference": {"reference": f"Organization/{practice}"}}
    for parameters, why in (
        (back["parameter"], "Noem een organisatie"),
        ([*back["parameter"], named], "bezwaar"),
    ):
        body = {**back, "parameter": parameters}
        refused = await call(service, pharmacy, "POST", f"/fhir/{dispensing}/$event", body, 422)
        assert why in texts(refused)
    assert [row async for row in rows_of(service, practice)] == []
    assert (await call(service, holder, "GET", f"/fhir/{referral['Patient']}")).status_code == 200


async def test_who_only_takes_part_must_be_asked_for_too(service: Service) -> None:
    """No pathway gives welfare a part beside the work today; the next one may."""
    world = service.app.litestar.state.world
    singel = HOUSES[PRACTICE]
    sharing = Sharing(
        holder=singel.id,
        holder_kind=singel.kind,
        pathway=world.catalogue.current("valpreventie"),
        traject=UUID(int=1),
        patient=f"Patient/{UUID(int=2)}",
        request=f"ServiceRequest/{UUID(int=3)}",
        at=world.now(),
        said=[],
        answers={},
    )
    roles = {"signaleerder": singel.id, "beoordelaar": FYSIO}
    assert weighed(roles, sharing, world)[1] == []
    recorded_, refused = weighed({**roles, "beweegaanbieder": COACHES}, sharing, world)
    assert str(COACHES) not in {str(each) for each in recorded_.of}
    assert all("zonder uitdrukkelijke toestemming" in each.nl for each in refused)
    assert refused
