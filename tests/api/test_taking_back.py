"""Who added data by mistake takes them back: they stand as a mistake, and the rules judge what is left."""

from typing import Any

import httpx
import pytest

from api.test_added import based_on
from api.test_handover import the_log_tells_the_same
from kidneys import CREATININE, a_kidney_referral, measurement
from referrals import texts
from services import Referral, Service

OUTCOME = {"Prefer": "return=OperationOutcome"}


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_kidney_referral("1"))


async def added(client: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> str:
    answer = await client.post(f"/fhir/{kind}", json=body, headers={"Prefer": "return=minimal"})
    assert answer.status_code == 201, answer.text
    return f"{kind}/{answer.headers['Location'].rpartition(f'/{kind}/')[2].partition('/')[0]}"


def creatinine(referral: Referral, value: float, day: str) -> dict[str, Any]:
    return measurement(CREATININE, value, day) | based_on(referral["ServiceRequest"])


async def test_a_wrong_measurement_counts_no_more(service: Service, referral: Referral) -> None:
    await added(service.his, "Observation", creatinine(referral, 90, "2026-01-11"))
    wrong = await added(service.his, "Observation", creatinine(referral, 120, "2026-01-12"))
    calm = creatinine(referral, 91, "2026-01-10")
    assert "bel nu" in texts(await service.his.post("/fhir/Observation", json=calm, headers=OUTCOME))

    stale = await service.his.delete(f"/fhir/{wrong}", headers={"If-Match": 'W/"2"'})
    first = await service.his.delete(f"/fhir/{wrong}", headers={"If-Match": 'W/"1"'})
    again = await service.his.delete(f"/fhir/{wrong}")

    assert (stale.status_code, first.status_code, again.status_code) == (412, 200, 200), first.text
    assert first.headers["ETag"] == again.headers["ETag"] == 'W/"2"'
    assert "Er wordt niets gewist" in texts(first)
    assert (await service.his.get(f"/fhir/{wrong}")).json()["status"] == "entered-in-error"
    assert (await service.his.get(f"/fhir/{wrong}/_history/1")).json()["status"] == "final"
    later = creatinine(referral, 92, "2026-01-12")
    assert "bel nu" not in texts(await service.his.post("/fhir/Observation", json=later, headers=OUTCOME))
    events = await service.rows("select event from ketenzorg.event order by seq")
    assert [row["event"] for row in events].count("gegevens teruggenomen") == 1
    [line] = await service.rows(
        "select action, rule from ketenzorg.audit where interaction = 'delete' and outcome = '0'"
    )
    assert (line["action"], line["rule"].split()[0]) == ("D", "takes-back-added")
    await the_log_tells_the_same(service)


async def test_what_has_no_status_says_so_otherwise(service: Service, referral: Referral) -> None:
    condition = {
        "resourceType": "Condition", "code": {"text": "jicht"}, "subject": {"reference": referral["Patient"]},
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]
        },
        "abatementDateTime": "2025",
    }  # fmt: skip
    place = await added(service.his, "Condition", condition)
    assert (await service.his.delete(f"/fhir/{place}")).status_code == 200
    kept = (await service.his.get(f"/fhir/{place}")).json()
    assert kept["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert kept.keys().isdisjoint({"clinicalStatus", "abatementDateTime"})
    checked = await service.his.get(f"/fhir/{place}/$validate")
    assert {issue["severity"] for issue in checked.json()["issue"]} <= {"information", "warning"}
    assert (await service.his.delete(f"/fhir/{place}")).headers["ETag"] == 'W/"2"'


async def test_only_who_added_it_takes_it_back(service: Service, referral: Referral) -> None:
    of_referral = next(each for each in referral.locations if each.startswith("Observation/"))
    refused = await service.his.delete(f"/fhir/{of_referral}")
    assert refused.status_code == 409
    assert "DELETE de ServiceRequest" in texts(refused)
    own = await added(service.his, "Observation", creatinine(referral, 90, "2026-01-11"))
    assert (await service.hospital.delete(f"/fhir/{own}")).status_code == 409
    for stranger in (service.coach, service.team):
        assert (await stranger.delete(f"/fhir/{own}")).status_code in (403, 404)
    assert (await service.his.get(f"/fhir/{own}")).headers["ETag"] == 'W/"1"'


async def test_of_a_traject_that_ended_nothing_is_taken_back(service: Service, referral: Referral) -> None:
    own = await added(service.his, "Observation", creatinine(referral, 90, "2026-01-11"))
    assert (await service.his.delete(f"/fhir/{referral['Task']}")).status_code == 200
    assert (await service.his.delete(f"/fhir/{own}")).status_code == 409
