"""How a reader of the Task sees until when it may take, and what is late."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from examples import an_example
from ketenzorg.pathway.calendar import AMSTERDAM
from referrals import a_referral
from services import START, Service

ATTEMPT = "2026-01-19T22:59:59.000Z"  # five working days after START
CONTACT = "2026-01-26T22:59:59.000Z"  # two weeks
MEETING = "2026-02-02T22:59:59.000Z"


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/fhir/{address}")).json()
    return found


async def until(service: Service, task: str) -> Any:
    """As both parties read it."""
    one, other = await read(service.his, task), await read(service.coach, task)
    assert one.get("restriction") == other.get("restriction")
    return one.get("restriction")


async def test_a_task_says_until_when_the_soonest_norm_may_take(service: Service) -> None:
    task = (await service.refer())["Task"]
    assert await until(service, task) == {"period": {"end": ATTEMPT}}

    await service.happens(task, "aannemen")
    assert await until(service, task) == {"period": {"end": ATTEMPT}}
    await service.happens(task, "niet bereikt")
    assert await until(service, task) == {"period": {"end": CONTACT}}
    await service.happens(task, "eerste contact")
    assert await until(service, task) == {"period": {"end": MEETING}}
    await service.happens(task, "ziet ervan af", reden_van_afzien="wil-niet")
    assert await until(service, task) is None

    await service.happens(task, "heropenen")
    [row] = await service.rows("select task from ketenzorg.traject")
    assert await until(service, f"Task/{row['task']}") == {"period": {"end": ATTEMPT}}
    assert await until(service, task) is None


async def test_what_a_sender_restricts_itself_stays_as_it_is(service: Service) -> None:
    bundle = a_referral()
    own = {"repetitions": 2, "period": {"end": "2026-03-01"}}
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "restriction": own}
    about = next(each for each in bundle["entry"] if each["resource"]["resourceType"] == "ServiceRequest")
    task["focus"] = {"reference": about["fullUrl"]}
    bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})
    stored = (await service.refer(bundle))["Task"]
    await service.happens(stored, "aannemen")
    await service.happens(stored, "niet bereikt")
    assert await until(service, stored) == own


async def test_nobody_moves_the_end_by_writing_it(service: Service) -> None:
    address = (await service.refer())["Task"]
    task = await read(service.his, address)
    task["restriction"]["period"]["end"] = "2027-01-01T00:00:00Z"
    refused = await service.his.put(f"/fhir/{address}", json=task)
    assert refused.status_code == 422
    assert "Task.restriction" in refused.text


async def test_a_clock_that_stands_still_moves_the_end(service: Service) -> None:
    clock = service.app.litestar.state.clock
    referral = await service.refer(an_example("chronische-nierschade"))
    task = referral["Task"]

    async def nephrologist(event: str, **given: str) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "event", "valueString": event}]}
        body["parameter"] += [{"name": name, "valueString": text} for name, text in given.items()]  # type: ignore[operator]
        said = await service.hospital.post(f"/fhir/{task}/$event", json=body)
        assert said.status_code == 200, said.text

    await nephrologist("aannemen")
    before = await end_of(service, task)
    await nephrologist("uitstellen", **{"reden-van-uitstel": "wens-patient"})
    assert await end_of(service, task) == datetime(2026, 4, 12, 23, 59, 59, tzinfo=AMSTERDAM)  # of the pause
    clock.set(START + timedelta(days=10))
    await nephrologist("weer oppakken")
    assert await end_of(service, task) == before + timedelta(days=10)


async def end_of(service: Service, task: str) -> datetime:
    return datetime.fromisoformat((await read(service.his, task))["restriction"]["period"]["end"])


async def test_everything_that_is_late_is_listed_the_longest_first(service: Service) -> None:
    clock = service.app.litestar.state.clock
    first = (await service.refer())["Task"]
    clock.set(START + timedelta(days=7))
    second = (await service.refer(a_referral("2")))["Task"]
    clock.set(datetime.fromisoformat(MEETING) + timedelta(hours=1))
    await service.happens(second, "aannemen")
    await service.happens(second, "niet bereikt")

    late = [
        {part["name"]: part for part in each["part"]}
        for each in (await read(service.his, "Task/$overdue"))["parameter"]
    ]

    told = [(each["task"]["valueReference"]["reference"], each["norm"]["valueString"]) for each in late]
    assert told[:2] == [(first, "eerste poging"), (first, "eerste contact")]
    assert sorted(told[2:]) == sorted([(first, "kennismaking"), (second, "eerste contact")])
    assert late[0]["due"]["valueInstant"] == ATTEMPT
    assert {each["tell"]["valueString"] for each in late} == {"welzijnscoach"}
