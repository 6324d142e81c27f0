"""What is stored when we say so, and what a refusal tells."""

import json
from typing import Any

from ketenzorg.coordination.person.practice import PASSED, UNKNOWN
from ketenzorg.fhir.bounds import MAX_DIGITS
from promises.talking import stored
from referrals import a_referral, of, places, said, texts
from services import REGION, Referral, Service
from subscribed import listening


async def test_one_transaction(service: Service) -> None:
    await service.rows(listening([REGION.of_client("welzijn-demo").id]))
    answer = await service.his.post("/fhir", json=a_referral(), headers={"X-Request-Id": "the-one"})
    referral = Referral(answer)
    assert answer.status_code == 200
    [written] = await service.rows(
        "select e.xmin::text as event, a.xmin::text as audit, o.xmin::text as outbox,"
        " array(select r.xmin::text from ketenzorg.resource r where r.traject = t.id) as resources"
        " from ketenzorg.traject t join ketenzorg.event e on e.traject = t.id"
        " join ketenzorg.audit a on a.request = 'the-one' join ketenzorg.outbox o on o.traject = t.id"
    )
    assert len(written["resources"]) == len(referral.locations)
    assert {*written["resources"], written["audit"], written["outbox"]} == {written["event"]}

    async with service.app.litestar.state.database.together() as fetch:
        assert (await fetch("show synchronous_commit"))[0][0] == "on"
    wrong = await service.his.post(
        "/fhir", json=a_referral("2", lambda b: of(b, "ServiceRequest").pop("requester"))
    )
    assert wrong.status_code == 422
    assert await stored(service) == 1
    assert len(await service.rows("select from ketenzorg.outbox")) == 1


async def test_your_bytes(service: Service) -> None:
    for written in ("1.10", "0.00", "1.20E2", "1" * MAX_DIGITS):

        def weighs(bundle: dict[str, Any]) -> None:
            weight = {
                "resourceType": "Observation", "status": "final", "code": {"text": "gewicht"},
                "subject": {"reference": bundle["entry"][0]["fullUrl"]}, "valueQuantity": {"value": "HERE"},
            }  # fmt: skip
            bundle["entry"].append({"resource": weight, "request": {"method": "POST", "url": "Observation"}})

        body = json.dumps(a_referral(written, weighs)).replace('"HERE"', written)
        referral = Referral(await service.his.post("/fhir", content=body))
        assert f'"value":{written}}}' in (await service.his.get(f"/fhir/{referral['Observation']}")).text


async def test_every_mistake(service: Service) -> None:
    def three_wrong(bundle: dict[str, Any]) -> None:
        of(bundle, "ServiceRequest").pop("requester")
        of(bundle, "ServiceRequest")["status"] = "completed"
        of(bundle, "Patient")["identifier"][0]["value"] = "123456789"

    answer = await service.his.post("/fhir", json=a_referral("1", three_wrong))
    assert {path.rpartition(".")[2] for path in places(answer)} >= {"requester", "status", "value"}
    for issue in answer.json()["issue"]:
        assert issue["details"]["text"] != issue["diagnostics"]
        assert issue["expression"][0].startswith("Bundle.entry[")


async def test_what_is_allowed(service: Service) -> None:
    task = (await service.refer())["Task"]
    allowed = (await service.coach.get(f"/fhir/{task}/$next")).json()["parameter"]
    events = [each["part"][0]["valueString"] for each in allowed if each["name"] == "next"]
    refused = await service.coach.post(f"/fhir/{task}/$event", json=said("afronden", terugkoppeling="x"))
    assert refused.status_code == 409
    assert "aannemen" in events
    assert {each for each in events if each not in texts(refused)} == {PASSED, UNKNOWN}
    assert "welzijnscoach" in texts(refused)
