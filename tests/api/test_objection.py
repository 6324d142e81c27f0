"""What a patient wants shared is put on record: what it holds back, what it ends, and what it leaves alone."""

import asyncio
from typing import Any

import httpx
import pytest

from api.test_appointment import appointment, booked
from api.test_withdrawal import is_neutral, rows_of
from examples import an_example, issues
from ketenzorg.referral.consent import KIND_SYSTEM, PATHWAY_SYSTEM
from referrals import a_referral, of, texts
from services import REGION, Referral, Service

COACH, HOSPITAL = (REGION.of_client(client) for client in ("welzijn-demo", "ziekenhuis-demo"))


def consent(referral: Referral, type_: str = "deny", **about: Any) -> dict[str, Any]:
    """A Bundle with a Consent about the person, or (here) about the referral."""
    provision: dict[str, Any] = {"type": type_}
    reference = None
    if "organisation" in about:
        reference = {"reference": f"Organization/{about['organisation'].id}"}
    if "kind" in about:
        reference = {"type": "Organization", "identifier": {"system": KIND_SYSTEM, "value": about["kind"]}}
    if reference:
        provision["actor"] = [{"role": {"text": "ontvanger"}, "reference": reference}]
    if "pathway" in about:
        provision["purpose"] = [{"system": PATHWAY_SYSTEM, "code": about["pathway"]}]
    if about.get("here"):
        request = {"reference": referral["ServiceRequest"]}
        provision["data"] = [{"meaning": "related", "reference": request}]
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    category = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IDSCL"}
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [scope]},
        "category": [{"coding": [category]}],
        "patient": {"reference": referral["Patient"]},
        "dateTime": about.get("on", "2026-01-11"),
        "policyRule": {"text": "gesprek met de patiënt"},
        "provision": provision,
    }
    entry = {"resource": resource, "request": {"method": "POST", "url": "Consent"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


async def recorded(client: httpx.AsyncClient, bundle: dict[str, Any]) -> dict[str, Any]:
    response = await client.post("/fhir", json=bundle)
    assert response.status_code == 200, response.text
    [entry] = response.json()["entry"]
    answer: dict[str, Any] = entry["response"]
    return answer


def told(answer: dict[str, Any]) -> str:
    return " ".join(each["details"]["text"] for each in answer["outcome"]["issue"])


SCOPES: dict[str, dict[str, Any]] = {
    "everything": {},
    "the organisation": {"organisation": COACH},
    "its kind": {"kind": COACH.kind},
    "the pathway": {"pathway": "welzijn-op-recept"},
    "the organisation in the pathway": {"organisation": COACH, "pathway": "welzijn-op-recept"},
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
async def test_an_objection_ends_what_no_more_specific_consent_allows(
    service: Service, scope: dict[str, Any]
) -> None:
    """The consent names a kind, this pathway and this referral: an objection that names the coach is before it."""
    referral = await service.refer()
    answer = await recorded(service.his, consent(referral, **scope))
    assert answer["status"] == "201 Created"
    seen = await service.coach.get(f"/fhir/{referral['Task']}")
    if "organisation" not in scope:
        assert seen.json()["status"] == "requested"
        assert "verandert nu niets" in told(answer)
        return
    is_neutral(seen.json())
    assert "Welzijn Stadsbreed (fictief) ziet niets meer" in told(answer)
    assert "geëindigd" in told(answer)
    assert [row async for row in rows_of(service, COACH.id)] == []


async def test_what_is_presumed_gives_way_to_any_objection_in_all_trajecten_of_the_person(
    service: Service,
) -> None:
    """Recorded at the referral to the coach, it ends the hand-over to the hospital too."""
    welfare = await service.refer()
    kidneys = await service.refer(kidneys_of())
    other = await service.refer(a_referral("other", somebody_else))
    assert (await service.hospital.get(f"/fhir/{kidneys['Patient']}")).status_code == 200

    await recorded(service.his, consent(welfare, kind="ziekenhuis"))

    is_neutral((await service.hospital.get(f"/fhir/{kidneys['Task']}")).json())
    for place in kidneys.locations:
        if place != kidneys["Task"]:
            assert (await service.hospital.get(f"/fhir/{place}")).status_code == 404, place
    assert [row async for row in rows_of(service, HOSPITAL.id)] == []
    assert (await service.his.get(f"/fhir/{kidneys['Task']}")).json()["status"] == "cancelled"
    for each in (welfare, other):
        assert (await service.coach.get(f"/fhir/{each['Task']}")).json()["status"] == "requested"


async def test_what_was_planned_for_work_that_an_objection_ends_is_called_off(service: Service) -> None:
    """Recorded at another referral, too: the coach who planned it sees nothing of it any more."""
    here, elsewhere = await service.refer(), await service.refer(a_referral("elsewhere"))
    kept = []
    for referral in (here, elsewhere):
        await service.happens(referral["Task"], "aannemen")
        kept.append(await booked(service.coach, appointment(referral)))
    await recorded(service.his, consent(here, organisation=COACH))
    for each in kept:
        now = (await service.his.get(f"/fhir/Appointment/{each['id']}")).json()
        assert (now["status"], now["meta"]["versionId"]) == ("cancelled", "2")
        assert now["cancelationReason"]["coding"][0]["code"] == "toestemming-ingetrokken"
        assert (await service.coach.get(f"/fhir/Appointment/{each['id']}")).status_code == 404


async def test_a_new_referral_is_refused_with_the_rule_and_the_other_side_sees_nothing(
    service: Service,
) -> None:
    welfare = await service.refer()
    await recorded(service.his, consent(welfare, organisation=HOSPITAL))
    refused = await service.his.post("/fhir", json=kidneys_of())
    assert refused.status_code == 422
    assert f"bezwaar tegen het delen van gegevens met {HOSPITAL.name}" in texts(refused)
    assert [row async for row in rows_of(service, HOSPITAL.id)] == []
    assert len(await service.rows("select id from ketenzorg.traject")) == 1


async def test_lifted_it_lets_a_new_referral_through_and_brings_nothing_back(service: Service) -> None:
    kidneys = await service.refer(kidneys_of())
    await recorded(service.his, consent(kidneys, organisation=HOSPITAL))
    wrong_scope = await service.his.post("/fhir", json=consent(kidneys, "permit"))
    assert wrong_scope.status_code == 422, wrong_scope.text
    lifted = await recorded(service.his, consent(kidneys, "permit", organisation=HOSPITAL))
    assert "nieuwe verwijzing" in told(lifted)
    is_neutral((await service.hospital.get(f"/fhir/{kidneys['Task']}")).json())
    place = lifted["location"].partition("/_history")[0]
    assert (await service.his.get(f"/fhir/{place}")).json()["status"] == "inactive"
    new = await service.refer(kidneys_of("again"))
    assert (await service.hospital.get(f"/fhir/{new['Task']}")).json()["status"] == "requested"


async def test_the_same_objection_sent_twice_is_recorded_once(service: Service) -> None:
    referral = await service.refer()
    bundle = consent(referral, kind="apotheek")
    first = await recorded(service.his, bundle)
    second = await recorded(service.his, bundle)
    assert (first["status"], second["status"]) == ("201 Created", "200 OK")
    assert first["location"] == second["location"]
    assert len(await service.rows("select id from ketenzorg.objection")) == 1


async def test_consent_taken_back_for_one_referral_leaves_the_others(service: Service) -> None:
    first, second = await service.refer(), await service.refer(a_referral("second"))
    await recorded(service.his, consent(first, organisation=COACH, here=True))
    is_neutral((await service.coach.get(f"/fhir/{first['Task']}")).json())
    assert (await service.coach.get(f"/fhir/{second['Task']}")).json()["status"] == "requested"


async def test_the_receiver_records_what_it_is_told_and_welfare_of_itself_only(service: Service) -> None:
    referral = await service.refer()
    refused = await service.coach.post("/fhir", json=consent(referral))
    assert refused.status_code == 403, refused.text
    await recorded(service.coach, consent(referral, organisation=COACH))
    is_neutral((await service.coach.get(f"/fhir/{referral['Task']}")).json())
    [kept] = await service.rows("select id from ketenzorg.objection")
    assert (await service.his.get(f"/fhir/Consent/{kept['id']}")).status_code == 200
    assert (await service.coach.get(f"/fhir/Consent/{kept['id']}")).status_code == 404
    kidneys = await service.refer(kidneys_of())
    await recorded(service.hospital, consent(kidneys))
    is_neutral((await service.hospital.get(f"/fhir/{kidneys['Task']}")).json())


async def test_who_has_no_part_records_nothing(service: Service) -> None:
    referral = await service.refer()
    for bundle in (consent(referral), consent(referral, here=True)):
        assert (await service.hospital.post("/fhir", json=bundle)).status_code == 404
    assert await service.rows("select id from ketenzorg.objection") == []


@pytest.mark.parametrize(
    ("of_", "place"),
    [
        ({"on": "2030-01-01"}, "dateTime"),
        ({"kind": "bakkerij"}, "actor"),
        ({"pathway": "bestaat-niet"}, "purpose"),
    ],
)
async def test_what_is_not_understood_is_refused(service: Service, of_: dict[str, Any], place: str) -> None:
    referral = await service.refer()
    response = await service.his.post("/fhir", json=consent(referral, **of_))
    assert response.status_code == 422, response.text
    assert any(place in each for issue in issues(response) for each in issue["expression"])


async def test_an_objection_at_the_moment_of_a_referral_is_never_passed_by(service: Service) -> None:
    """Whoever is first: either the referral is refused, or the objection ends it."""
    welfare = await service.refer()
    for number in range(5):
        sent, objected = await asyncio.gather(
            service.his.post("/fhir", json=kidneys_of(str(number))),
            service.his.post(
                "/fhir", json=consent(welfare, organisation=HOSPITAL, on=f"2026-01-0{number + 1}")
            ),
        )
        assert objected.status_code == 200, objected.text
        assert sent.status_code in {200, 422, 409}
        assert [row async for row in rows_of(service, HOSPITAL.id)] == []
        await recorded(service.his, consent(welfare, "permit", organisation=HOSPITAL))


def kidneys_of(number: str = "kidneys") -> dict[str, Any]:
    """A referral of the same patient to the hospital."""
    bundle = an_example("chronische-nierschade")
    of(bundle, "ServiceRequest")["identifier"][0]["value"] = number
    of(bundle, "Patient")["identifier"][0]["value"] = of(a_referral(), "Patient")["identifier"][0]["value"]
    return bundle


def somebody_else(bundle: dict[str, Any]) -> None:
    of(bundle, "Patient")["identifier"][0]["value"] = "999990822"
