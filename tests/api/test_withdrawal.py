"""Consent is withdrawn: at once the organisation sees nothing more, and is told only that; the traject ends."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.errors import TransitionNotAllowed
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.store.trajecten import Step
from referrals import a_referral, said
from services import REGION, Referral, Service

COACH, PRACTICE = (REGION.of_client(client).id for client in ("welzijn-demo", "his-demo"))
WITHDRAWN = {"reden_van_afzien": "toestemming-ingetrokken"}
PATCH = {"Content-Type": "application/json-patch+json"}


async def walked(service: Service, *steps: str) -> Referral:
    referral = await service.refer()
    for event in steps:
        await service.happens(referral["Task"], event)
    return referral


async def withdraw(service: Service, task: str) -> dict[str, Any]:
    response = await service.his.post(f"/fhir/{task}/$event", json=said("ziet ervan af", **WITHDRAWN))
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def is_neutral(task: dict[str, Any]) -> None:
    assert set(task) == {"resourceType", "id", "meta", "status", "statusReason", "intent"}
    assert (task["status"], task["statusReason"]["text"]) == ("cancelled", "Toestemming ingetrokken")
    assert task["meta"]["tag"][0]["code"] == "SUBSETTED"
    decode_as(json.write(task), r4.Task)


@pytest.mark.parametrize(
    "steps",
    [(), ("aannemen",), ("aannemen", "eerste contact", "kennismaking gehouden")],
    ids=["asked", "accepted", "in progress"],
)
async def test_the_coach_reads_finds_and_does_nothing_more(service: Service, steps: tuple[str, ...]) -> None:
    referral = await walked(service, *steps)
    task = referral["Task"]
    before = (await service.coach.get(f"/fhir/{task}")).json()

    ended = await withdraw(service, task)

    assert (ended["status"], ended["statusReason"]["text"]) == ("cancelled", "Toestemming ingetrokken")
    now = await service.coach.get(f"/fhir/{task}")
    is_neutral(now.json())
    is_neutral((await service.coach.get(f"/fhir/{task}/_history/{ended['meta']['versionId']}")).json())
    for version in range(1, int(before["meta"]["versionId"]) + 1):
        assert (await service.coach.get(f"/fhir/{task}/_history/{version}")).status_code == 404
    for place in referral.locations:
        if place != task:
            assert (await service.coach.get(f"/fhir/{place}")).status_code == 404, place
            assert (await service.coach.get(f"/fhir/{place}/_history/1")).status_code == 404, place
    for search in (
        "Task",
        "ServiceRequest",
        "CarePlan",
        f"Task?patient={referral['Patient']}",
        "Task?_include=Task:focus",
    ):
        assert "entry" not in (await service.coach.get(f"/fhir/{search}")).json(), search
    assert [each.status_code for each in await everything_tried(service.coach, task)] == [404] * 4
    assert [row async for row in rows_of(service, COACH)] == []
    assert (await service.his.get(f"/fhir/{task}")).json()["for"]  # the practice sees what it saw
    assert (await service.his.get(f"/fhir/{task}/_history/1")).status_code == 200


async def everything_tried(client: httpx.AsyncClient, task: str) -> list[httpx.Response]:
    accepted = [{"op": "replace", "path": "/status", "value": "accepted"}]
    body = {"resourceType": "Task", "id": task[5:], "status": "accepted", "intent": "order"}
    return [
        await client.get(f"/fhir/{task}/$next"),
        await client.post(f"/fhir/{task}/$event", json=said("aannemen")),
        await client.patch(f"/fhir/{task}", json=accepted, headers=PATCH),
        await client.put(f"/fhir/{task}", json=body),
    ]


async def rows_of(service: Service, organisation: Any) -> Any:
    """What the database would show to this organisation when the application forgets."""
    tables = (
        "resource",
        "resource_history",
        "search_token",
        "search_reference",
        "search_date",
        "traject",
        "event",
        "due",
    )
    for table in tables:
        for row in await service.rows(
            f"select '{table}' as name from ketenzorg.{table} where parties @> array['{organisation}'::uuid]"
        ):
            yield row["name"]
    for row in await service.rows(
        f"select 'findable' as name from ketenzorg.findable where party = '{organisation}'::uuid"
    ):
        yield row["name"]
    for row in await service.rows(
        f"select 'number' as name from ketenzorg.personal_number where parties @> array['{organisation}'::uuid]"
    ):
        yield row["name"]


async def test_who_was_told_by_the_patient_may_say_so_and_gets_the_same_answer(service: Service) -> None:
    referral = await walked(service, "aannemen")
    response = await service.coach.post(
        f"/fhir/{referral['Task']}/$event", json=said("ziet ervan af", **WITHDRAWN)
    )
    assert response.status_code == 200, response.text
    is_neutral(response.json())
    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert (task["status"], task["statusReason"]["text"]) == ("cancelled", "Toestemming ingetrokken")


async def test_what_is_kept_says_what_was_and_what_is(service: Service) -> None:
    referral = await walked(service, "aannemen")
    consent = (await service.his.get(f"/fhir/{referral['Consent']}")).json()
    counted = await service.rows("select count(*) as n from ketenzorg.resource")
    await withdraw(service, referral["Task"])
    now = (await service.his.get(f"/fhir/{referral['Consent']}")).json()
    assert (consent["status"], now["status"]) == ("active", "inactive")
    [row] = await service.rows("select id from ketenzorg.objection")
    record = (await service.his.get(f"/fhir/Consent/{row['id']}")).json()
    assert record["provision"]["type"] == "deny"
    assert record["provision"]["data"][0]["reference"]["reference"] == referral["ServiceRequest"]
    assert [each["reference"]["reference"] for each in record["provision"]["actor"]] == [
        f"Organization/{COACH}"
    ]
    after = await service.rows("select count(*) as n from ketenzorg.resource")
    assert after[0]["n"] == counted[0]["n"] + 1  # nothing was deleted
    [traject] = await service.rows("select ended, consents::text from ketenzorg.traject")
    assert traject["ended"] is not None
    assert traject["consents"] == "{}"


async def test_a_withdrawn_hand_over_is_not_undone_or_reopened_and_a_new_referral_begins_anew(
    service: Service,
) -> None:
    referral = await walked(service)
    await withdraw(service, referral["Task"])
    reopened = await service.his.post(f"/fhir/{referral['Task']}/$event", json=said("heropenen"))
    assert reopened.status_code == 422, reopened.text
    assert "Welzijn Stadsbreed" in reopened.text
    assert [row async for row in rows_of(service, COACH)] == []
    again = await service.refer(a_referral("again"))
    assert (await service.coach.get(f"/fhir/{again['Task']}")).json()["status"] == "requested"
    tasks = (await service.coach.get("/fhir/Task")).json()["entry"]
    assert [each["resource"]["id"] for each in tasks] == [again["Task"][5:]]


async def test_no_click_brings_back_what_was_withdrawn(service: Service) -> None:
    referral = await walked(service, "aannemen")
    await withdraw(service, referral["Task"])
    visit = Visit(caller_for(REGION, "his-demo"), Trail("test"))
    with pytest.raises(TransitionNotAllowed):
        await undo(UUID(referral["Task"][5:]), 3, visit, service.app.litestar.state.world)


# At one moment


async def test_what_the_coach_says_while_consent_is_withdrawn_comes_too_late(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coach's step was judged on what was there before; when it is stored, the coach has no part any more."""
    referral = await walked(service, "aannemen")
    trajecten: Any = service.app.litestar.state.world.trajecten
    store, judged, withdrawn = trajecten.store, asyncio.Event(), asyncio.Event()

    async def later(step: Step, *given: Any) -> bool:
        if step.organisation == COACH:
            judged.set()
            await withdrawn.wait()
        return bool(await store(step, *given))

    monkeypatch.setattr(trajecten, "store", later)
    acting = asyncio.create_task(
        service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("eerste contact"))
    )
    await judged.wait()
    await withdraw(service, referral["Task"])
    withdrawn.set()
    response = await acting
    assert response.status_code == 404, response.text
    assert [row async for row in rows_of(service, COACH)] == []
    [traject] = await service.rows("select step from ketenzorg.traject")
    assert traject["step"] == "ziet ervan af"


async def test_whoever_is_first_the_coach_is_left_with_nothing(service: Service) -> None:
    """Ten trajecten, in each the coach reads, searches and acts while the practice withdraws."""
    referrals = [await service.refer(a_referral(str(number))) for number in range(10)]
    for referral in referrals:
        task = referral["Task"]
        answers = await asyncio.gather(
            service.coach.post(f"/fhir/{task}/$event", json=said("aannemen")),
            service.coach.get(f"/fhir/{task}"),
            service.his.post(
                f"/fhir/{task}/$event",
                json=said("ziet ervan af", **{"reden-van-afzien": "toestemming-ingetrokken"}),
            ),
            service.coach.post(f"/fhir/{task}/$event", json=said("ontvangst bevestigen")),
            service.coach.get("/fhir/Task?_include=Task:patient"),
        )
        assert {response.status_code for response in answers} <= {200, 404, 409}
        if answers[2].status_code == 409:  # others were first three times
            await withdraw(service, task)
        is_neutral((await service.coach.get(f"/fhir/{task}")).json())
    assert [row async for row in rows_of(service, COACH)] == []
