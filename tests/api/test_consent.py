"""Under which consent a referral goes to an organisation: presumed and put on record, or explicit before it is sent."""

from typing import Any

import pytest

from examples import LIFTED, an_example, an_item, issues
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, of, places, texts
from services import REGION, Service

COACH, PRACTICE, ANOTHER_COACH = (
    REGION.file.organisations[key] for key in ("welzijn-stadsbreed", "praktijk-singel", "welzijn-wadkant")
)
CARE = (
    "antistolling",
    "artrose",
    "chronische-nierschade",
    "oogzorg",
    "pijn-op-de-borst-en-palpitaties",
    "valpreventie",
)
FALLS = "valpreventie"
SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"


async def in_force(service: Service) -> dict[str, dict[str, Any]]:
    """Organisation -> the Consent under which it takes part in the one traject, as the practice reads it."""
    [row] = await service.rows("select consents::text from ketenzorg.traject")
    found = {}
    for organisation, consent in json.read_any(row["consents"].encode()).items():
        response = await service.his.get(f"/fhir/Consent/{consent}")
        assert response.status_code == 200, response.text
        decode_as(response.content, r4.Consent)
        found[organisation] = response.json()
    return found


def basis(consent: dict[str, Any]) -> str:
    return str(consent["policyRule"]["coding"][-1]["code"])


@pytest.mark.parametrize("pathway", CARE)
async def test_presumed_consent_is_put_on_record_for_each_care_pathway(
    service: Service, pathway: str
) -> None:
    referral = await service.refer(an_example(pathway))
    [row] = await service.rows("select parties from ketenzorg.traject")
    others = {str(party) for party in row["parties"]} - {str(PRACTICE.id)}
    assert others

    consents = await in_force(service)

    assert set(consents) == others
    [consent] = {each["id"]: each for each in consents.values()}.values()
    assert referral["Consent"] == f"Consent/{consent['id']}"
    assert (consent["status"], basis(consent)) == ("active", "verondersteld")
    assert "NEN 7517" in consent["policyRule"]["text"]
    provision = consent["provision"]
    assert provision["type"] == "permit"
    actors = {actor["reference"]["reference"] for actor in provision["actor"]}
    assert actors == {f"Organization/{each}" for each in others}
    assert [each["reference"]["reference"] for each in provision["data"]] == [referral["ServiceRequest"]]
    assert provision["purpose"][0]["code"] == pathway
    assert consent["patient"]["reference"] == referral["Patient"]


async def test_work_that_stays_in_the_own_house_shares_nothing(service: Service) -> None:
    referral = await service.refer(an_example("chronische-nierschade", vraag="controleren"))
    assert await in_force(service) == {}
    assert [place for place in referral.locations if place.startswith("Consent/")] == []


async def test_explicit_consent_by_answers_becomes_a_consent_that_the_coach_sees_too(
    service: Service,
) -> None:
    referral = await service.refer()
    consent = (await in_force(service))[str(COACH.id)]
    assert (basis(consent), consent["dateTime"]) == ("uitdrukkelijk", "2026-01-12")
    assert consent["sourceReference"]["reference"] == referral["QuestionnaireResponse"]
    assert consent["provision"]["code"][0]["text"] == "De contactgegevens en de toelichting"
    assert consent["performer"] == [{"reference": referral["Patient"]}]
    seen = (await service.coach.get(f"/fhir/Consent/{consent['id']}")).json()
    assert (seen["dateTime"], seen["provision"]) == (consent["dateTime"], consent["provision"])


def a_consent(bundle: dict[str, Any], **elements: Any) -> dict[str, Any]:
    """The answers about consent give way to a Consent that says the same."""
    said = of(bundle, "QuestionnaireResponse")
    said["item"] = [item for item in said["item"] if not item["linkId"].startswith("toestemming")]
    scope = {"coding": [{"system": "urn:x", "code": "contactgegevens"}]}
    consent: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPES, "code": "patient-privacy"}]},
        "category": [{"text": "toestemming"}],
        "policyRule": {"text": "uitdrukkelijk"},
        "patient": {"reference": bundle["entry"][0]["fullUrl"]},
        "dateTime": "2026-01-11",
        "provision": {"type": "permit", "code": [scope], "actor": [actor(COACH.ura)]},
    }
    bundle["entry"].append({"resource": consent | elements, "request": {"method": "POST", "url": "Consent"}})
    return bundle


def actor(ura: str, system: str = "http://fhir.nl/fhir/NamingSystem/ura") -> dict[str, Any]:
    return {"role": {"text": "ontvanger"}, "reference": {"identifier": {"system": system, "value": ura}}}


def provision(**elements: Any) -> dict[str, Any]:
    consent: dict[str, Any] = a_consent(a_referral())["entry"][-1]["resource"]["provision"]
    return consent | elements


async def test_a_consent_that_was_sent_is_the_one_in_force_as_it_was_sent(service: Service) -> None:
    referral = await service.refer(a_consent(a_referral()))
    consent = (await in_force(service))[str(COACH.id)]
    assert f"Consent/{consent['id']}" == referral["Consent"]
    assert consent["category"] == [{"text": "toestemming"}]
    assert len([place for place in referral.locations if place.startswith("Consent/")]) == 1


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "withdrawn": ({"status": "inactive"}, "status"),
    "only proposed": ({"status": "proposed"}, "status"),
    "expired": ({"provision": provision(period={"end": "2026-01-11"})}, "verlopen"),
    "not yet": ({"provision": provision(period={"start": "2026-02-01"})}, "nog niet"),
    "for another organisation": (
        {"provision": provision(actor=[actor(ANOTHER_COACH.ura)])},
        "andere organisatie",
    ),
    "for another pathway": (
        {
            "provision": provision(
                purpose=[{"system": "https://ketenzorg.example/fhir/CodeSystem/pathway", "code": FALLS}]
            )
        },
        "ander zorgpad",
    ),
    "denied": ({"provision": provision(type="deny")}, "bezwaar"),
    "of a day that lies ahead": ({"dateTime": "2027-01-01"}, "nog niet"),
    "of the treatment": (
        {"scope": {"coding": [{"system": SCOPES, "code": "treatment"}]}},
        "uitdrukkelijke toestemming",
    ),
}


@pytest.mark.parametrize(("elements", "says"), MISSING.values(), ids=MISSING)
async def test_without_a_consent_that_holds_nothing_goes_to_welfare(
    service: Service, elements: dict[str, Any], says: str
) -> None:
    response = await service.his.post("/fhir", json=a_consent(a_referral(), **elements))
    assert response.status_code == 422, response.text
    assert says in texts(response)
    assert await service.rows("select 1 from ketenzorg.resource union select 1 from ketenzorg.outbox") == []


async def test_a_consent_names_every_organisation_of_a_kind(service: Service) -> None:
    system = "https://ketenzorg.example/fhir/CodeSystem/organisation-kind"
    bundle = a_consent(a_referral(), provision=provision(actor=[actor("welzijnsorganisatie", system)]))
    await service.refer(bundle)
    assert set(await in_force(service)) == {str(COACH.id)}


async def test_a_route_that_leads_to_welfare_asks_for_the_consent_that_others_do_not_need(
    service: Service,
) -> None:
    """With a low risk the first to act is no care provider; what is missing is named, with its question."""
    response = await service.his.post("/fhir", json=a_low_risk())
    assert response.status_code == 422, response.text
    assert {place.split("'")[1] for place in places(response)} == {
        "toestemming-bewegen",
        "toestemming-bewegen-datum",
    }
    assert "zonder uitdrukkelijke toestemming" in texts(response)
    assert await service.rows("select 1 from ketenzorg.traject") == []

    bundle = a_low_risk(toestemming_bewegen=True)
    of(bundle, "QuestionnaireResponse")["item"].append(
        {"linkId": "toestemming-bewegen-datum", "answer": [{"valueDate": "2026-01-10"}]}
    )
    await service.refer(bundle)
    [consent] = (await in_force(service)).values()
    assert (basis(consent), consent["dateTime"]) == ("uitdrukkelijk", "2026-01-10")


def a_low_risk(**answers: bool) -> dict[str, Any]:
    bundle = an_example(
        FALLS, uitkomst_valrisicotest="laag", toestemming_bewegen=LIFTED, toestemming_bewegen_datum=LIFTED
    )
    of(bundle, "QuestionnaireResponse")["item"] += [
        an_item(name.replace("_", "-"), said) for name, said in answers.items()
    ]
    del of(bundle, "ServiceRequest")["performer"]
    return bundle


async def test_what_is_missing_is_said_once_and_an_alarm_comes_first(service: Service) -> None:
    bundle = an_example("welzijn-op-recept", gevaar=True, toestemming=LIFTED, toestemming_datum=LIFTED)
    response = await service.his.post("/fhir", json=bundle)
    assert response.status_code == 422
    first, *rest = issues(response)
    assert (first["severity"], "bel nu" in first["details"]["text"]) == ("fatal", True)
    said = [each for each in rest if "'toestemming'" in str(each.get("expression"))]
    assert len(said) == 1


async def test_who_reads_does_so_under_the_consent_that_is_in_force(service: Service) -> None:
    referral = await service.refer()
    consent = (await in_force(service))[str(COACH.id)]["id"]
    for client in (service.coach, service.his):
        await client.get(f"/fhir/{referral['Task']}")
    on_record = await service.rows(
        f"select organisation, consents from ketenzorg.audit where what = '{referral['Task']}'"
    )
    assert {(row["organisation"], *(str(each) for each in row["consents"])) for row in on_record} == {
        (COACH.id, consent),
        (PRACTICE.id, "None"),  # whose data they are
    }
