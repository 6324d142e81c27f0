"""What a strict client may not send and a liberal one may; and what nobody may, whoever it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from examples import an_example
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.referral.codes import BASE
from referrals import Change, a_referral, of, places
from services import REGION, Service
from systems import register, registered_clients, speaking

Json = dict[str, Any]
CLAIM = f"{BASE}/StructureDefinition/kz-CoordinationTask"
NOWHERE = {"reference": "Practitioner/123"}


@asynccontextmanager
async def a_client(service: Service, validation: str) -> AsyncIterator[httpx.AsyncClient]:
    system = await register(service, f"his-{validation}", scopes=("system/*.cruds",))
    async with registered_clients(service) as clients:
        if validation == "liberal":
            assert await clients.judge(system.name, "liberal")
    service.app.litestar.state.registry._looked = float("-inf")  # not a second later, but now
    async with speaking(service.app, await system.token(scope="system/*.cruds")) as client:
        yield client


def with_recorder(bundle: Json) -> None:
    of(bundle, "Condition")["recorder"] = NOWHERE


def with_claim(bundle: Json) -> None:
    """Our Coordination Task has an author's moment; the Task itself is fine R4, and would be completed by us."""
    task = {
        "resourceType": "Task", "status": "requested", "intent": "order",
        "meta": {"profile": [CLAIM, "https://elders.example/onbekend"]},
        "focus": {"reference": bundle["entry"][1]["fullUrl"]},
    }  # fmt: skip
    bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})


SOFT: dict[str, tuple[Change, str, str]] = {
    "a reference to nothing": (with_recorder, "unresolved", "Bundle.entry[2].resource.recorder.reference"),
    "a claimed profile": (with_claim, "profile", "Bundle.entry[4].resource.authoredOn"),
}


@pytest.mark.parametrize("name", SOFT)
async def test_the_strict_refuses_what_the_liberal_keeps_with_a_warning(service: Service, name: str) -> None:
    change, kind, place = SOFT[name]
    async with a_client(service, "strict") as client:
        refused = await client.post("/fhir", json=a_referral("1", change))
    assert (refused.status_code, place in places(refused)) == (422, True), refused.text
    assert {each["details"]["coding"][0]["code"] for each in refused.json()["issue"]} == {kind}
    assert await service.rows("select from ketenzorg.traject") == []
    async with a_client(service, "liberal") as client:
        taken = await client.post("/fhir", json=a_referral("1", change))
        assert taken.status_code == 200, taken.text
        issues = taken.json()["entry"][1]["response"]["outcome"]["issue"]
        told = [
            (each["severity"], each["details"]["coding"][0]["code"], *each.get("expression", ()))
            for each in issues
        ]
        assert ("warning", kind, place) in told
        condition = taken.json()["entry"][2]["response"]["location"]
        stored = (await client.get(f"/fhir/{condition}")).json()
        assert stored.get("recorder") == (NOWHERE if name == "a reference to nothing" else None)
        rehearsed = await client.post("/fhir/Bundle/$validate?mode=create", json=a_referral("2", change))
        assert place in places(rehearsed)
        assert {each["severity"] for each in rehearsed.json()["issue"]} <= {"warning", "information"}


def _unknown(name: str, value: Any) -> Change:
    return lambda bundle: of(bundle, "Condition").update({name: value})


HARD: dict[str, Json] = {
    "R4": a_referral("1", _unknown("onsetString", 3)),
    "a modifier": a_referral("1", _unknown("modifierExtension", [{"url": "https://x.example", "valueBoolean": True}])),
    "who it is about": a_referral("1", _unknown("subject", {"reference": "Patient/1"})),
    "the request": a_referral("1", lambda bundle: of(bundle, "ServiceRequest").update(supportingInfo=[NOWHERE])),
    "a number": a_referral("1", _unknown("note", [{"text": "999990020"}])),
    "an alarm": an_example("welzijn-op-recept", gevaar=True),
    "consent": an_example("welzijn-op-recept", toestemming=False),
}  # fmt: skip


async def test_what_the_coordination_rests_on_is_refused_from_everybody(service: Service) -> None:
    async with a_client(service, "liberal") as client:
        for name, bundle in HARD.items():
            answer = await client.post("/fhir", json=bundle)
            assert answer.status_code in (400, 422), (name, answer.text)
            assert {each["severity"] for each in answer.json()["issue"]} & {"error", "fatal"}, name
    assert await service.rows("select from ketenzorg.traject") == []


async def test_added_data_are_judged_so_too(service: Service) -> None:
    referral = await service.refer()
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "gesprek"},
        "basedOn": [{"reference": referral["ServiceRequest"]}], "performer": [NOWHERE],
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [{"resource": observation, "request": {"method": "POST", "url": "Observation"}}],
    }  # fmt: skip
    place = "Bundle.entry[0].resource.performer[0].reference"
    refused = await service.his.post("/fhir", json=bundle)
    assert (refused.status_code, places(refused)) == (422, [place])
    async with a_client(service, "liberal") as client:
        taken = await client.post("/fhir", json=bundle)
    assert taken.status_code == 200, taken.text
    issues = taken.json()["entry"][0]["response"]["outcome"]["issue"]
    assert ("warning", [place]) in [(each["severity"], each.get("expression")) for each in issues]


async def test_a_client_of_the_sandbox_is_strict_unless_the_file_of_the_region_says_otherwise(
    service: Service,
) -> None:
    assert not any(each.is_liberal for each in REGION.clients.values())
    assert caller_for(REGION, "his-demo").client == "his-demo"
    service.app.litestar.state.registry._liberal = {"his-demo"}
    assert (await service.his.post("/fhir", json=a_referral("1", with_recorder))).status_code == 200
