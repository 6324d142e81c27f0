"""A referral goes in: what is stored, what the answer says, and what each party then sees."""

import asyncio
import json
from typing import Any

import pytest

from referrals import a_referral, of, places, said, texts
from services import REGION, Referral, Service
from subscribed import listening

BSN = "999990019"


async def test_the_answer_says_what_was_stored_who_acts_before_when_and_why(service: Service) -> None:
    response = await service.his.post("/fhir", json=a_referral())

    assert response.status_code == 200
    entries = response.json()["entry"]
    kinds = [entry["response"]["location"].partition("/")[0] for entry in entries]
    assert kinds == [
        "Patient",
        "ServiceRequest",
        "Condition",
        "QuestionnaireResponse",
        "Consent",
        "CarePlan",
        "Task",
    ]
    assert {entry["response"]["status"] for entry in entries} == {"201 Created"}
    told = [issue["diagnostics"] for issue in entries[1]["response"]["outcome"]["issue"]]
    assert told[0].startswith("To act: Welzijn Stadsbreed (fictief)")
    assert "Norm 'eerste contact': by 2026-01-26T23:59:59+01:00 (national, WOR-HOE)." in told
    assert any("not been adopted" in line for line in told)


async def test_what_is_asked_for_and_not_given_is_said_and_does_not_stop_the_referral(
    service: Service,
) -> None:
    def without_preferred_time(bundle: dict[str, Any]) -> None:
        answers = of(bundle, "QuestionnaireResponse")
        answers["item"] = [item for item in answers["item"] if item["linkId"] != "voorkeurstijd"]

    referral = await service.refer(a_referral("1", without_preferred_time))

    issues = referral.response.json()["entry"][1]["response"]["outcome"]["issue"]
    missing = [issue for issue in issues if issue["code"] == "incomplete"]
    assert [issue["expression"] for issue in missing] == [
        ["Bundle.entry[3].resource.item.where(linkId='voorkeurstijd')"]
    ]


async def test_who_lives_outside_the_region_is_helped_where_the_practice_is_and_that_is_said(
    service: Service,
) -> None:
    def from_utrecht(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["address"] = [{"district": "Utrecht"}]

    referral = await service.refer(a_referral("1", from_utrecht))

    outcome = referral.response.json()["entry"][1]["response"]["outcome"]
    assert (
        "die van uw praktijk (Patient.address.district ontbreekt of ligt elders)"
        in (outcome["issue"][0]["details"]["text"])
    )


async def test_the_practice_reads_back_what_it_sent_with_digits_and_number(service: Service) -> None:
    def with_a_weight(bundle: dict[str, Any]) -> None:
        weight = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": bundle["entry"][0]["fullUrl"]},
            "valueQuantity": {"value": "WEIGHT", "unit": "kg"},
        }
        bundle["entry"].append({"resource": weight, "request": {"method": "POST", "url": "Observation"}})

    body = json.dumps(a_referral("1", with_a_weight)).replace('"WEIGHT"', "1.10")
    referral = Referral(await service.his.post("/fhir", content=body))

    assert b'"value":1.10,' in (await service.his.get(f"/fhir/{referral['Observation']}")).content
    patient = (await service.his.get(f"/fhir/{referral['Patient']}")).json()
    assert patient["identifier"][0]["value"] == BSN
    assert patient["birthDate"] == "1948-05-17"


async def test_the_coach_sees_contact_data_and_no_diagnosis_number_or_birth_date(service: Service) -> None:
    referral = await service.refer()

    patient = (await service.coach.get(f"/fhir/{referral['Patient']}")).json()
    assert patient["telecom"][0]["value"] == "050-5550100"
    assert not {"identifier", "birthDate", "gender"} & patient.keys()
    assert patient["meta"]["tag"][0]["code"] == "SUBSETTED"
    request = (await service.coach.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert "reasonReference" not in request
    answers = (await service.coach.get(f"/fhir/{referral['QuestionnaireResponse']}")).json()
    assert "gevaar" not in [item["linkId"] for item in answers["item"]]
    assert (await service.coach.get(f"/fhir/{referral['Condition']}")).status_code == 404


async def test_who_has_no_part_gets_the_answer_of_what_does_not_exist(service: Service) -> None:
    referral = await service.refer()

    for location in referral.locations:
        kind = location.partition("/")[0]
        hidden = await service.hospital.get(f"/fhir/{location}")
        absent = await service.hospital.get(f"/fhir/{kind}/01a20112-0000-7000-8000-000000000000")
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert "entry" not in (await service.hospital.get("/fhir/Task")).json()


async def test_the_same_referral_again_changes_nothing(service: Service) -> None:
    first = await service.refer()

    def as_a_resend(bundle: dict[str, Any]) -> None:
        of(bundle, "ServiceRequest")["authoredOn"] = "2026-01-13T08:00:00+01:00"

    again = await service.refer(a_referral("2026-000123", as_a_resend))

    assert again.locations == first.locations
    assert {entry["response"]["status"] for entry in again.response.json()["entry"]} == {"200 OK"}
    assert (await service.rows("select count(*) from ketenzorg.event"))[0][0] == 1


async def test_other_content_under_the_same_identifier_is_refused_with_the_way_to_amend(
    service: Service,
) -> None:
    first = await service.refer()

    def with_another_reason(bundle: dict[str, Any]) -> None:
        of(bundle, "Condition")["code"]["coding"][0]["code"] = "P76"

    response = await service.his.post("/fhir", json=a_referral("2026-000123", with_another_reason))

    assert response.status_code == 409
    assert first["Task"] in texts(response)
    assert places(response) == ["Bundle.entry[1].resource.identifier"]


async def test_sixteen_posts_at_once_are_one_referral(service: Service) -> None:
    responses = await asyncio.gather(*(service.his.post("/fhir", json=a_referral()) for _ in range(16)))

    assert {response.status_code for response in responses} == {200}
    assert len({tuple(Referral(response).locations) for response in responses}) == 1
    new = [r for r in responses if r.json()["entry"][0]["response"]["status"] == "201 Created"]
    assert len(new) == 1
    counts = await service.rows(
        "select (select count(*) from ketenzorg.traject), (select count(*) from ketenzorg.event),"
        " (select count(*) from ketenzorg.resource where type = 'ServiceRequest')"
    )
    assert tuple(counts[0]) == (1, 1, 1)


async def test_a_patient_without_number_is_welcome(service: Service) -> None:
    def without_number(bundle: dict[str, Any]) -> None:
        del of(bundle, "Patient")["identifier"]

    referral = await service.refer(a_referral("1", without_number))

    assert "identifier" not in (await service.his.get(f"/fhir/{referral['Patient']}")).json()


async def test_the_number_rests_nowhere_in_clear_also_not_where_a_text_repeats_it(service: Service) -> None:
    def with_the_number_in_words(bundle: dict[str, Any]) -> None:
        of(bundle, "Condition")["note"] = [{"text": f"BSN:{BSN}, zie brief"}]

    referral = await service.refer(a_referral("1", with_the_number_in_words))

    bodies = [row["body"] for row in await service.rows("select body from ketenzorg.resource")]
    assert not [body for body in bodies if BSN.encode() in body]
    condition = (await service.his.get(f"/fhir/{referral['Condition']}")).json()
    assert condition["note"][0]["text"] == f"BSN:{BSN}, zie brief"


async def test_an_own_task_and_own_organisations_are_kept_and_matched(service: Service) -> None:
    def with_task_and_practice(bundle: dict[str, Any]) -> None:
        practice = {
            "resourceType": "Organization",
            "identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/agb-z", "value": "99990003"}],
            "name": "De Singel",
        }
        role = {
            "resourceType": "PractitionerRole",
            "organization": {"reference": "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-00000000000a"},
        }
        task = {
            "resourceType": "Task",
            "identifier": [{"system": "https://his.example/taak", "value": "T1"}],
            "status": "requested",
            "intent": "order",
            "focus": {"reference": bundle["entry"][1]["fullUrl"]},
        }
        for place, resource in ((10, practice), (11, role), (12, task)):
            bundle["entry"].append(
                {
                    "fullUrl": f"urn:uuid:6f1a3c1e-1111-4a6b-9d5e-0000000000{place:02x}",
                    "resource": resource,
                    "request": {"method": "POST", "url": resource["resourceType"]},
                }
            )
        of(bundle, "ServiceRequest")["requester"] = {
            "reference": "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-00000000000b"
        }

    referral = await service.refer(a_referral("1", with_task_and_practice))

    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert task["identifier"][0]["value"] == "T1"
    assert task["basedOn"] == [{"reference": referral["CarePlan"]}]
    assert referral["Organization"] == "Organization/00000000-0000-4000-8000-000000000003"
    role = (await service.his.get(f"/fhir/{referral['PractitionerRole']}")).json()
    assert role["organization"] == {"reference": referral["Organization"]}
    assert len([each for each in referral.locations if each.startswith("Task/")]) == 1


async def test_a_second_open_traject_of_the_same_person_is_named_to_who_sent_the_first(
    service: Service,
) -> None:
    await service.refer(a_referral("1"))
    second = await service.refer(a_referral("2"))

    issues = second.response.json()["entry"][1]["response"]["outcome"]["issue"]
    assert [issue["severity"] for issue in issues if issue["code"] == "duplicate"] == ["warning"]


async def test_return_representation_gives_what_was_stored(service: Service) -> None:
    response = await service.his.post("/fhir", json=a_referral(), headers={"Prefer": "return=representation"})

    stored = {entry["resource"]["resourceType"]: entry["resource"] for entry in response.json()["entry"]}
    assert stored["Task"]["businessStatus"]["text"] == "aangemeld"
    assert stored["CarePlan"]["instantiatesCanonical"] == [
        "https://ketenzorg.example/fhir/PlanDefinition/welzijn-op-recept|0.1.0"
    ]
    assert stored["Patient"]["identifier"][0]["value"] == BSN


async def test_danger_unknown_or_unanswered_stops_the_sending_and_says_to_call(service: Service) -> None:
    def answered(answer: list[dict[str, Any]]) -> dict[str, Any]:
        def change(bundle: dict[str, Any]) -> None:
            of(bundle, "QuestionnaireResponse")["item"][0]["answer"] = answer

        return a_referral("1", change)

    for answer in (
        [{"valueBoolean": True}],
        [{"valueString": "onbekend"}],
        [{"valueBoolean": False}, {"valueBoolean": True}],
    ):
        response = await service.his.post("/fhir", json=answered(answer))
        assert response.status_code == 422
        assert "bel nu de crisisdienst of 112" in texts(response)
    assert await service.rows("select 1 from ketenzorg.resource") == []


async def test_every_party_hears_only_when_it_asked_to(service: Service) -> None:
    await service.refer(a_referral("1"))
    await service.rows(listening([REGION.of_client("welzijn-demo").id]))
    referral = await service.refer(a_referral("2"))

    waiting = await service.rows("select resource, version from ketenzorg.outbox")
    assert [(str(row["resource"]), row["version"]) for row in waiting] == [
        (referral["Task"].partition("/")[2], 1)
    ]


async def test_what_is_said_comes_back_to_the_practice(service: Service) -> None:
    referral = await service.refer()
    task = referral["Task"]
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(task, event)

    await service.happens(task, "terugkoppelen", terugkoppeling="Mevrouw gaat naar de koffieochtend.")

    seen = (await service.his.get(f"/fhir/{task}")).json()
    assert seen["output"][0]["valueString"] == "Mevrouw gaat naar de koffieochtend."
    assert said("x")["parameter"][0]["name"] == "event"


@pytest.mark.parametrize("escaped", [("/", "\\/"), (BSN, "\\u0039" + BSN[1:])])
async def test_the_number_is_found_also_where_json_escapes_hide_it(
    service: Service, escaped: tuple[str, str]
) -> None:
    body = json.dumps(a_referral()).replace(*escaped)

    referral = Referral(await service.his.post("/fhir", content=body))

    bodies = [row["body"] for row in await service.rows("select body from ketenzorg.resource")]
    assert not [each for each in bodies if BSN.encode() in each or b"u0039" in each]
    assert len(await service.rows("select 1 from ketenzorg.personal_number")) == 1
    assert (await service.his.get(f"/fhir/{referral['Patient']}")).json()["identifier"][0]["value"] == BSN


async def test_a_senders_clock_that_runs_ahead_locks_nothing(service: Service) -> None:
    def with_a_task_of_tomorrow(bundle: dict[str, Any]) -> None:
        task = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "authoredOn": "2026-01-13T09:00:00+01:00",
            "focus": {"reference": bundle["entry"][1]["fullUrl"]},
        }
        bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})

    referral = await service.refer(a_referral("1", with_a_task_of_tomorrow))
    accept = [{"op": "replace", "path": "/status", "value": "accepted"}]
    patch = {"Content-Type": "application/json-patch+json"}

    response = await service.coach.patch(f"/fhir/{referral['Task']}", json=accept, headers=patch)

    assert response.status_code == 200, response.text
