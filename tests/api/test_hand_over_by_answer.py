"""An answer says what the next performer must be able to do: the triage of the orthopaedist sends on by echelon."""

from typing import Any

import pytest

from examples import an_example
from referrals import said, texts
from services import REGION, Referral, Service

HOUSES = {key: f"Organization/{each.id}" for key, each in REGION.file.organisations.items()}
SEND_ON = "naar een ander echelon"


@pytest.fixture
async def referral(service: Service) -> Referral:
    """A referral that Martini has to triage."""
    return await service.refer(an_example("artrose", vraag="orthopeed", stap_2_gedaan=True))


async def offered(service: Service, task: str) -> list[dict[str, Any]]:
    """Who $next offers for the sending on."""
    parameters = (await service.hospital.get(f"/fhir/{task}/$next")).json()["parameter"]
    options = [each["part"] for each in parameters if each["name"] == "next"]
    [option] = [parts for parts in options if parts[0]["valueString"] == SEND_ON]
    return [part["valueReference"] for part in option if part["name"] == "organisatie"]


@pytest.mark.parametrize(
    ("echelon", "house"),
    [
        ("focuskliniek", "focuskliniek-gang"),
        ("basisorthopedie", "martini"),
        ("topklinisch", "martini"),
        ("academisch", "umcg"),
    ],
)
async def test_a_house_of_that_echelon_gets_it(
    service: Service, referral: Referral, echelon: str, house: str
) -> None:
    response = await service.hospital.post(
        f"/fhir/{referral['Task']}/$event", json=said(SEND_ON, echelon=echelon)
    )
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "rejected"
    found = await service.his.get(f"/fhir/Task?focus={referral['ServiceRequest']}&status=requested")
    [task] = [entry["resource"] for entry in found.json()["entry"]]
    assert task["owner"]["reference"] == HOUSES[house]
    assert task["requester"]["reference"] == HOUSES["praktijk-singel"]


async def test_what_is_offered_says_what_for(service: Service, referral: Referral) -> None:
    shown = await offered(service, referral["Task"])
    assert {"focuskliniek-gang", "martini", "umcg"} <= {
        key for key, place in HOUSES.items() if any(place == each["reference"] for each in shown)
    }
    [academic] = [each["display"] for each in shown if each["reference"] == HOUSES["umcg"]]
    assert "academische orthopedie" in academic


async def test_who_is_named_must_be_of_that_echelon(service: Service, referral: Referral) -> None:
    body = said(SEND_ON, echelon="academisch")
    named = {"name": "organisatie", "valueReference": {"reference": HOUSES["ozg"]}}
    body["parameter"].append(named)
    refused = await service.hospital.post(f"/fhir/{referral['Task']}/$event", json=body)
    assert refused.status_code == 422
    assert "UMCG" in texts(refused)
    named["valueReference"] = {"reference": HOUSES["umcg"]}
    taken = await service.hospital.post(f"/fhir/{referral['Task']}/$event", json=body)
    assert taken.status_code == 200, taken.text
