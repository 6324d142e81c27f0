"""What happens at each bound: it is said, and nothing of it is stored."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from databases import Database
from ketenzorg.access.limits import BURST_S
from ketenzorg.api.body import MAX_BODY
from ketenzorg.api.requests import LONGEST_KEY
from ketenzorg.coordination.hearing.subscribing import MOST
from ketenzorg.fhir.bounds import MAX_DEPTH, MAX_DIGITS, MAX_ENTRIES
from promises.talking import stored
from referrals import a_referral, texts
from services import SETTINGS, Service, serving
from subscriptions import subscription


async def test_bytes(service: Service) -> None:
    body = msgspec.json.encode(a_referral())
    fits, too_many = body + b" " * (MAX_BODY - len(body)), body + b" " * (MAX_BODY + 1 - len(body))
    packed = {"Content-Encoding": "gzip"}
    assert (await service.his.post("/fhir", content=too_many)).status_code == 413
    assert (
        await service.his.post("/fhir", content=gzip.compress(too_many), headers=packed)
    ).status_code == 413
    assert await stored(service) == 0
    assert (await service.his.post("/fhir", content=gzip.compress(fits), headers=packed)).status_code == 200


async def test_entries(service: Service) -> None:
    for count, status in ((MAX_ENTRIES, 400), (MAX_ENTRIES + 1, 413)):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {}}] * count}
        assert (await service.his.post("/fhir", json=bundle)).status_code == status


async def test_depth(service: Service) -> None:
    for depth, deep in ((MAX_DEPTH, False), (MAX_DEPTH + 1, True), (100_000, True)):
        answer = await service.his.post("/fhir", content=(b'{"a":' * depth + b"1" + b"}" * depth))
        assert (answer.status_code, f"{MAX_DEPTH}" in texts(answer)) == (400, deep), depth


async def test_digits(service: Service) -> None:
    def weighs(bundle: dict[str, Any]) -> None:
        weight = {
            "resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": bundle["entry"][0]["fullUrl"]}, "valueQuantity": {"value": "HERE"},
        }  # fmt: skip
        bundle["entry"].append({"resource": weight, "request": {"method": "POST", "url": "Observation"}})

    for digits, status in ((MAX_DIGITS + 1, 400), (MAX_DIGITS, 200)):
        body = json.dumps(a_referral("1", weighs)).replace('"HERE"', "1." + "1" * (digits - 1))
        assert (await service.his.post("/fhir", content=body)).status_code == status
    assert await stored(service) == 1


async def test_rate(database: Database) -> None:
    rate = 2
    async with serving(database, msgspec.structs.replace(SETTINGS, client_rate=rate)) as service:
        answers = [await service.his.get("/fhir/metadata/nothing") for _ in range(60)]
        let_in = [each.status_code for each in answers].count(404)
        assert rate * BURST_S <= let_in < 60
        assert {each.status_code for each in answers} == {404, 429}


async def test_at_once(database: Database) -> None:
    at_once = 2
    async with serving(database, msgspec.structs.replace(SETTINGS, at_once=at_once)) as service:
        begun, go_on = asyncio.Semaphore(0), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            begun.release()
            await go_on.wait()
            yield msgspec.json.encode(a_referral())

        async with asyncio.TaskGroup() as group:
            under_way = [group.create_task(service.his.post("/fhir", content=slow())) for _ in range(at_once)]
            for _ in under_way:
                await begun.acquire()
            assert (await service.his.get("/fhir/Task")).status_code == 429
            assert (await service.coach.get("/fhir/Task")).status_code == 200
            go_on.set()
        assert {each.result().status_code for each in under_way} == {200}


async def test_subscriptions(service: Service) -> None:
    statuses = [
        (await service.his.post("/fhir/Subscription", json=subscription())).status_code
        for _ in range(MOST + 1)
    ]
    assert statuses == [201] * MOST + [422]


async def test_key_form(service: Service) -> None:
    keys = {
        "": 400,
        "é": 400,
        'a"b': 400,
        "x" * (LONGEST_KEY + 1): 400,
        "x" * LONGEST_KEY: 200,
        f'"{"x" * LONGEST_KEY}"': 200,
    }
    for key, status in keys.items():
        sent = {"Idempotency-Key": key.encode("latin-1")}
        assert (await service.his.post("/fhir", json=a_referral(), headers=sent)).status_code == status, key
    assert len(await service.rows("select from ketenzorg.idempotency_key")) == 1  # with quotes it is the same
