"""R12 to R16, R20 and R22 of docs/threat-model.md for the ways in beside a referral.

These are data one by one, several requests in a transaction, and a message. What is asked of each address (R13, R17 to
R19, R21, R23) is asked of these by the other tests.
"""

import base64
import gzip
import json
from typing import Any

import pytest

from api.test_message import a_message, header_of
from api.test_whole import asked, json_patch, result, transaction
from ketenzorg.api.acts import MOST
from ketenzorg.api.body import MAX_BODY
from ketenzorg.fhir.bounds import MAX_ENTRIES
from kidneys import a_kidney_referral
from referrals import a_referral, of
from services import Referral, Service

STORED = "select (select count(*) from ketenzorg.resource), (select count(*) from ketenzorg.event)"
MESSAGE = "/fhir/$process-message"


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer(a_kidney_referral("1"))


async def test_r12_as_many_as_may_be_are_taken_and_one_more_is_refused_whole(
    service: Service, referral: Referral
) -> None:
    reads = [asked("GET", "metadata?_elements=status")] * (MOST - 2)
    data = [asked("POST", "Observation", result(referral["CarePlan"], 40 + n)) for n in range(2)]
    assert (await service.his.post("/fhir", json=transaction(*reads, *data))).status_code == 200
    before = await service.rows(STORED)
    more = [asked("POST", "Observation", result(referral["CarePlan"], 50 + n)) for n in range(2)]
    for entries in (reads + more + reads[:1], reads * 6, reads * 52):
        assert (await service.his.post("/fhir", json=transaction(*entries))).status_code == 413
    assert await service.rows(STORED) == before
    for many in (MAX_ENTRIES + 1, 5_000):
        message = a_message()
        message["entry"] += [{"resource": {"resourceType": "Basic", "code": {"text": "x"}}}] * many
        assert (await service.his.post(MESSAGE, json=message)).status_code == 413
    large = a_message(
        "1", lambda bundle: of(bundle, "ServiceRequest").update(note=[{"text": "x" * MAX_BODY}])
    )
    assert (await service.his.post(MESSAGE, json=large)).status_code == 413
    assert (await service.his.post("/fhir/Observation", content=b" " * (MAX_BODY + 1))).status_code == 413


async def test_r13_no_depth_inside_a_patch_of_a_transaction_fells_anything(
    service: Service, referral: Referral
) -> None:
    for depth in (33, 500, 1_100, 20_000, 100_000):
        for opens, closes in (("[", "]"), ('{"a":', "}")):
            inside = (opens * depth + "1" + closes * depth).encode()
            binary = {
                "resourceType": "Binary",
                "contentType": "application/json-patch+json",
                "data": base64.b64encode(inside).decode(),
            }
            made = asked(
                "POST", "Observation", result(referral["CarePlan"], 30), fullUrl="urn:uuid:" + "1" * 36
            )
            answer = await service.his.post(
                "/fhir", json=transaction(made, asked("PATCH", referral["Task"], binary))
            )
            assert answer.status_code in (400, 413), (depth, answer.text[:300])
    for depth in (33, 1_100, 100_000):
        for path in (MESSAGE, "/fhir/Observation", "/fhir/Consent"):
            assert (await service.his.post(path, content=b"[" * depth)).status_code == 400


async def test_r15_r16_digits_and_dates_come_back_as_they_were_sent_by_every_way(
    service: Service, referral: Referral
) -> None:
    kept = {"valueQuantity": {"value": "HERE"}, "effectiveDateTime": "2016-12-31T23:59:60Z"}
    for written in ("1.10", "1.20E2", "-0.0", "1" * 18, "0.123456789012345678"):
        one = {**result(referral["CarePlan"]), **kept}
        alone = await service.his.post("/fhir/Observation", content=_with(one, written))
        assert alone.status_code == 201, alone.text
        other = one | {"note": [{"text": "samen"}]}
        several = transaction(asked("POST", "Observation", other), asked("GET", referral["Task"]))
        answer = await service.his.post("/fhir", content=_with(several, written))
        place = answer.json()["entry"][0]["response"]["location"]
        for body in (alone.text, (await service.his.get(f"/fhir/{place}")).text):
            assert f'"value":{written}}}' in body
            assert "2016-12-31T23:59:60Z" in body
        refused = await service.his.post("/fhir/Observation", content=_with(one, "1" * 19))
        assert refused.status_code == 400
    patched = json_patch({"op": "add", "path": "/note", "value": [{"text": "x", "time": "2024-02-30"}]})
    wrong = await service.his.post("/fhir", json=transaction(asked("PATCH", referral["Task"], patched)))
    assert wrong.status_code in (400, 422)

    def weighed(bundle: dict[str, Any]) -> None:
        subject = {"reference": bundle["entry"][0]["fullUrl"]}
        weight = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "gewicht"},
            "subject": subject,
        }
        bundle["entry"].append({"resource": weight | {"valueQuantity": {"value": "HERE"}}})

    sent = await service.his.post(MESSAGE, content=_with(a_message("2", weighed), "1.10"))
    assert header_of(sent.json())["response"]["code"] == "ok", sent.text
    rows = await service.rows(
        "select body from ketenzorg.resource where type = 'Observation' order by id desc limit 1"
    )
    assert b'"value":1.10}' in rows[0]["body"]


def _with(body: dict[str, Any], written: str) -> bytes:
    return json.dumps(body).replace('"HERE"', written).encode()


async def test_r20_r22_a_packed_body_is_bounded_and_xml_is_not_read_by_any_of_them(
    service: Service, referral: Referral
) -> None:
    bomb, sound = gzip.compress(b" " * 64 * MAX_BODY), gzip.compress(json.dumps(a_message("3")).encode())
    task = referral["Task"]
    for path in (MESSAGE, "/fhir/Observation", "/fhir/Consent", "/fhir"):
        packed = await service.his.post(path, content=bomb, headers={"Content-Encoding": "gzip"})
        assert packed.status_code == 413, path
        for kind in ("application/fhir+xml", "text/xml"):
            answer = await service.his.post(path, content=b"<Bundle/>", headers={"Content-Type": kind})
            assert answer.status_code == 415, path
    taken = await service.his.post(MESSAGE, content=sound, headers={"Content-Encoding": "gzip"})
    assert header_of(taken.json())["response"]["code"] == "ok"
    xml = {
        "resourceType": "Binary",
        "contentType": "application/xml",
        "data": base64.b64encode(b"<x/>").decode(),
    }
    answer = await service.his.post("/fhir", json=transaction(asked("PATCH", task, xml), asked("GET", task)))
    assert answer.status_code in (400, 415, 422)
    assert (await service.refer(a_referral("4")))["Task"]
