"""How the entries of a Bundle name each other, and what is here: every form of R4 comes out as the same address."""

import json
from typing import Any

import pytest

from referrals import a_referral, of, places
from services import Service

BASE = "http://127.0.0.1:8080/fhir"
HIS = "https://his.example/fhir"
URN = "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-000000000001"  # of the Patient


def renamed(full_url: str, reference: str) -> dict[str, Any]:
    """The example with another name for its Patient."""
    text = json.dumps(a_referral("1"))
    bundle: dict[str, Any] = json.loads(text.replace(f'"{URN}"', json.dumps(reference)))
    bundle["entry"][0]["fullUrl"] = full_url
    return bundle


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        (URN, URN),
        ("urn:oid:1.2.36.146.595.217.0.1", "urn:oid:1.2.36.146.595.217.0.1"),
        (f"{HIS}/Patient/7", f"{HIS}/Patient/7"),
        (f"{HIS}/Patient/7", "Patient/7"),
        (f"{HIS}/Patient/7", "Patient/7/_history/3"),
        (f"{BASE}/Patient/7", f"{BASE}/Patient/7"),
        (f"{BASE}/Patient/7", "Patient/7"),
    ],
)
async def test_a_reference_to_an_entry_becomes_its_address_here(
    service: Service, full_url: str, reference: str
) -> None:
    referral = await service.refer(renamed(full_url, reference))
    stored = (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert stored["subject"]["reference"] == referral["Patient"]
    again = await service.his.post("/fhir", json=renamed(full_url, reference))
    assert again.json()["entry"][0]["response"]["status"] == "200 OK"


async def test_an_address_in_an_element_or_a_narrative_is_the_same_and_a_name_is_not(
    service: Service,
) -> None:
    bundle = a_referral("1")
    request = of(bundle, "ServiceRequest")
    request["text"] = {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">wie</a></div>',
    }
    request["identifier"].append({"system": "urn:ietf:rfc:3986", "value": URN})
    request["extension"] = [{"url": "https://his.example/over", "valueUri": URN}]
    referral = await service.refer(bundle)
    stored = (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert f'href="{referral["Patient"]}"' in stored["text"]["div"]
    assert stored["extension"][0]["valueUri"] == referral["Patient"]
    assert stored["identifier"][1]["value"] == URN


async def test_what_is_contained_stays_and_what_is_elsewhere_too(service: Service) -> None:
    bundle = a_referral("1")
    request = of(bundle, "ServiceRequest")
    request["contained"] = [{"resourceType": "Practitioner", "id": "arts", "name": [{"text": "dr. Bos"}]}]
    request["supportingInfo"] = [{"reference": "#arts"}, {"reference": f"{HIS}/Observation/1"}]
    referral = await service.refer(bundle)
    stored = (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert stored["supportingInfo"] == request["supportingInfo"]


async def test_what_leads_nowhere_is_refused_all_at_once(service: Service) -> None:
    bundle = a_referral("1")
    request = of(bundle, "ServiceRequest")
    request["supportingInfo"] = [{"reference": "Observation/1"}, {"reference": f"{BASE}/Observation/2"}]
    response = await service.his.post("/fhir", json=bundle)
    path = "Bundle.entry[1].resource.supportingInfo"
    assert (response.status_code, places(response)) == (422, [f"{path}[0].reference", f"{path}[1].reference"])
