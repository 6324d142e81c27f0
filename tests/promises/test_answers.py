"""What each status means: the first part of the page of what we promise."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api.test_asides import question
from databases import Database
from ketenzorg import errors
from ketenzorg.api import transaction
from ketenzorg.api.body import MAX_BODY
from ketenzorg.app import create_app, tokens_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.delivery.forgetting import Forgetter
from promises.talking import PATCH, accepting, stored
from referrals import a_referral, of, places, said, texts
from services import REGION, SECRET, SETTINGS, Service, serving, token_for
from subscriptions import numbers, polling
from systems import speaking


def every_error(
    of_: type[errors.KetenzorgError] = errors.KetenzorgError,
) -> Iterator[type[errors.KetenzorgError]]:
    for each in of_.__subclasses__():
        yield each
        yield from every_error(each)


def is_never_given(service: Service, status: int) -> None:
    handlers = [
        handler for route in service.app.litestar.routes for handler in getattr(route, "route_handlers", ())
    ]
    assert status not in {getattr(handler, "status_code", None) for handler in handlers}
    assert status not in {each.status for each in every_error()}


async def never() -> AsyncIterator[bytes]:
    raise AssertionError("the body was read")
    yield b""


async def test_status_200(service: Service) -> None:
    for number, now in (("1", "201 Created"), ("1", "200 OK")):
        answer = await service.his.post("/fhir", json=a_referral(number))
        assert answer.status_code == 200
        assert {each["response"]["status"] for each in answer.json()["entry"]} == {now}
    assert await stored(service) == 1


async def test_status_201(service: Service) -> None:
    task = (await service.refer())["Task"]
    answer = await service.coach.post("/fhir/Task", json=question(task))
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"1"')
    address = answer.headers["Location"].removeprefix(SETTINGS.base_url)
    assert (await service.his.get(address)).json()["partOf"][0]["reference"] == task


async def test_status_202(service: Service) -> None:
    is_never_given(service, 202)
    task = (await service.refer())["Task"]
    assert (await service.his.get(f"/fhir/{task}")).status_code == 200  # it is there when the answer is


async def test_status_304(service: Service) -> None:
    task = (await service.refer())["Task"]
    first = await service.his.get(f"/fhir/{task}")
    for header, known in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = await service.his.get(f"/fhir/{task}", headers={header: first.headers[known]})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


async def test_status_400(service: Service) -> None:
    broken = a_referral(
        "1", lambda bundle: of(bundle, "Patient").update(gender="vrouw", birthDate="1948-02-31")
    )
    answer = await service.his.post("/fhir", json=broken)
    assert answer.status_code == 400
    assert set(places(answer)) == {f"Bundle.entry[0].resource.{name}" for name in ("gender", "birthDate")}
    assert (await service.his.post("/fhir", content=b"{")).status_code == 400
    assert (await service.his.get("/fhir/Task?status")).status_code == 400
    assert (
        await service.his.patch(f"/fhir/Task/{uuid4()}", json=[], headers=PATCH | {"If-Match": "3"})
    ).status_code == 400
    assert await stored(service) == 0


async def test_status_401(service: Service) -> None:
    async with speaking(service.app, token_for("his-demo", hours=-1)) as late:
        assert (await late.post("/fhir", content=never())).status_code == 401
    assert (await service.stranger.post("/fhir", content=never())).status_code == 401
    assert (await service.his.post("/fhir", json=a_referral())).status_code == 200


async def test_status_403(service: Service) -> None:
    task = (await service.refer())["Task"]
    reads = msgspec.structs.replace(caller_for(REGION, "his-demo"), scopes=frozenset({"system/Task.rs"}))
    async with speaking(service.app, tokens_of(SETTINGS, SECRET).issue(reads, timedelta(hours=1))) as reader:
        assert (await reader.get(f"/fhir/{task}")).status_code == 200
        assert (await reader.post("/fhir", json=a_referral("2"))).status_code == 403
    assert await stored(service) == 1


async def test_status_404(service: Service) -> None:
    not_yours = (await service.refer())["Task"]
    answers = [await service.hospital.get(f"/fhir/{address}") for address in (not_yours, f"Task/{uuid4()}")]
    assert {(each.status_code, each.content) for each in answers} == {(404, answers[0].content)}


async def test_status_409(service: Service) -> None:
    task = (await service.refer(a_referral("1")))["Task"]
    other = await service.his.post(
        "/fhir",
        json=a_referral("1", lambda bundle: of(bundle, "ServiceRequest").update(note=[{"text": "x"}])),
    )
    too_early = await service.coach.post(f"/fhir/{task}/$event", json=said("afronden", terugkoppeling="x"))
    assert [each.status_code for each in (other, too_early)] == [409, 409]
    assert task in texts(other)
    assert "aannemen" in texts(too_early)
    assert not {"retry-after"} & {*other.headers, *too_early.headers}


async def test_status_410(service: Service) -> None:
    made = (await service.coach.post("/fhir/Subscription", json=polling())).json()
    address = f"/fhir/Subscription/{made['id']}"
    for number in ("1", "2"):
        await service.refer(a_referral(number))
        await service.coach.get(f"{address}/$events?eventsSinceNumber=2")  # with which the first has arrived
    forgetter = Forgetter(service.app.litestar.state.world, SETTINGS.event_days)
    assert await forgetter.look(datetime.now(UTC) + timedelta(days=SETTINGS.event_days, hours=1)) == 1
    first = {"resourceType": "Parameters", "parameter": [{"name": "eventsSinceNumber", "valueString": "1"}]}
    for answer in (
        await service.coach.get(f"{address}/$events?eventsSinceNumber=1"),
        await service.coach.post(f"{address}/$resend", json=first),
    ):
        assert (answer.status_code, "Ask from 2 on" in texts(answer)) == (410, True)
    assert numbers((await service.coach.get(f"{address}/$events?eventsSinceNumber=2")).json()) == [2]


async def test_status_412(service: Service) -> None:
    task = (await service.refer())["Task"]
    seen = (await service.coach.get(f"/fhir/{task}")).headers["ETag"]
    assert (await accepting(service, task, {"If-Match": seen})).status_code == 200
    again = await accepting(service, task, {"If-Match": seen})
    assert (again.status_code, again.json()["issue"][0]["code"]) == (412, "conflict")
    assert (await service.coach.get(f"/fhir/{task}")).headers["ETag"] == 'W/"2"'


async def test_status_413(service: Service) -> None:
    assert (await service.his.post("/fhir", content=b" " * (MAX_BODY + 1))).status_code == 413
    assert await stored(service) == 0


async def test_status_415(service: Service) -> None:
    body = msgspec.json.encode(a_referral())
    for headers in (
        {"Content-Type": "application/fhir+xml"},
        {"Content-Type": "application/fhir+json; charset=latin1"},
        {"Content-Encoding": "br"},
    ):
        assert (await service.his.post("/fhir", content=body, headers=headers)).status_code == 415
    plain = {"Content-Type": "application/fhir+json; charset=utf-8"}
    assert (await service.his.post("/fhir", content=body, headers=plain)).status_code == 200


async def test_status_422(service: Service) -> None:
    def two_wrong(bundle: dict[str, Any]) -> None:
        of(bundle, "ServiceRequest").pop("requester")
        of(bundle, "Patient")["identifier"][0]["value"] = "123456789"

    answer = await service.his.post("/fhir", json=a_referral("1", two_wrong))
    assert answer.status_code == 422
    assert {path.rpartition(".")[2] for path in places(answer)} >= {"requester", "value"}
    assert await stored(service) == 0


async def test_status_428(service: Service) -> None:
    is_never_given(service, 428)
    task = (await service.refer())["Task"]
    assert (await accepting(service, task, {})).status_code == 200
    assert (await accepting(service, task, {})).headers[
        "ETag"
    ] == 'W/"2"'  # judged as it is now: nothing changes


async def test_status_429(database: Database) -> None:
    async with serving(database, msgspec.structs.replace(SETTINGS, client_rate=1)) as service:
        while (answer := await service.his.get("/fhir/Task")).status_code == 200:
            pass
        assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (429, True)
        assert (await service.his.post("/fhir", content=never())).status_code == 429


async def test_status_503(service: Service) -> None:
    app = create_app(SETTINGS, SECRET, "postgresql+asyncpg://ketenzorg_app@/nowhere?host=/nowhere")
    async with speaking(app, token_for("his-demo")) as his:
        answer = await his.post("/fhir", json=a_referral(), headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (503, "transient")
        assert int(answer.headers["Retry-After"]) >= 1
    await app.litestar.state.database.close()
    again = await service.his.post("/fhir", json=a_referral(), headers={"Idempotency-Key": "k"})
    assert again.status_code == 200


async def test_status_500(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_in = transaction.receive_posted

    async def stumbles(*given: Any) -> Any:
        await taken_in(*given)
        raise ZeroDivisionError("Veldkamp")

    monkeypatch.setattr(transaction, "receive_posted", stumbles)
    answer = await service.his.post("/fhir", json=a_referral(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (500, "exception")
    assert "Veldkamp" not in answer.text
    monkeypatch.undo()
    again = await service.his.post("/fhir", json=a_referral(), headers={"Idempotency-Key": "k"})
    assert again.status_code == 200
    assert await stored(service) == 1
