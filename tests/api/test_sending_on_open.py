"""Sent on to nobody in particular (c.3, open pool): who else can do it may claim it, and the clock runs on."""

from typing import Any
from uuid import UUID

import httpx

from api.test_objection import consent
from api.test_open_claim import CLAIMABLE, found
from asked import ONE, PRACTICE, TWO, Asking, ask, crowd, patches, read, says
from referrals import said, texts
from services import Service
from spec.talking import call


async def sends_on(service: Service, who: UUID, task: str, expected: int, **more: Any) -> httpx.Response:
    body = said("doorsturen", akkoord_van_patient="patient-akkoord")
    body["parameter"] += [
        {"name": name, **value} for name, value in ({"open": {"valueBoolean": True}} | more).items()
    ]
    return await call(service, who, "POST", f"/fhir/{task}/$event", body, expected)


async def with_one(service: Service) -> Asking:
    """A referral that was claimed by the first of them."""
    asked = await ask(service)
    await patches(service, ONE, asked.handover, status="accepted")
    return asked


async def due(service: Service, task: str) -> dict[str, str]:
    following = (await read(service, PRACTICE, f"{task}/$next"))["parameter"]
    parts = [each["part"] for each in following if each["name"] == "due"]
    return {part[0]["valueString"]: part[1]["valueInstant"] for part in parts}


async def followed_by(service: Service, task: str) -> str:
    [following] = [
        each["valueReference"]["reference"]
        for each in (await read(service, PRACTICE, task))["output"]
        if each["type"]["text"] == "volgende taak"
    ]
    return str(following)


async def test_everybody_but_the_sender_may_claim_it_and_the_clock_runs_on(service: Service) -> None:
    others = crowd(service, 3)
    asked = await ask(service)
    before = await due(service, asked.handover)
    await patches(service, ONE, asked.handover, status="accepted")
    offered = (await read(service, ONE, f"{asked.handover}/$next"))["parameter"]
    [parts] = [
        each["part"]
        for each in offered
        if each["name"] == "next" and each["part"][0]["valueString"] == "doorsturen"
    ]
    assert {"name": "open", "valueBoolean": True} in parts
    await sends_on(service, ONE, asked.handover, 200)

    old = await read(service, PRACTICE, asked.handover)
    assert (old["status"], old["statusReason"]["coding"][0]["code"]) == ("rejected", "doorgestuurd")
    new = await followed_by(service, asked.handover)
    task = await read(service, PRACTICE, new)
    assert ("owner" in task, task["status"]) == (False, "requested")
    assert await due(service, new) == before  # of the patient, who waits since the referral
    assert await found(service, ONE, CLAIMABLE) == []
    assert (await call(service, ONE, "GET", f"/fhir/{new}")).status_code == 404
    for who in others:
        assert await found(service, who, CLAIMABLE) == [new]
        assert (await call(service, who, "GET", f"/fhir/{asked['Patient']}")).status_code == 404
        assert (await call(service, who, "GET", f"/fhir/{asked.handover}")).status_code == 404
    await says(service, ONE, new, "aannemen", 404)
    await says(service, others[0], new, "aannemen")
    assert (await read(service, others[0], asked["Patient"]))["name"]
    late = await says(service, others[1], new, "aannemen", 409)
    assert "Een ander was u voor" in texts(late)
    assert (await read(service, ONE, asked.handover))["status"] == "rejected"  # its own Task, as it was
    # And on again: who had it once has sent it on already.
    await sends_on(service, others[0], new, 200)
    last = await followed_by(service, new)
    assert [await found(service, who, CLAIMABLE) for who in (ONE, *others)] == [[], [], [last], [last]]


async def test_it_is_left_open_by_sending_on_only_and_names_nobody(service: Service) -> None:
    crowd(service, 1)
    asked = await with_one(service)
    to = {"valueReference": {"reference": f"Organization/{TWO}"}}
    both = await sends_on(service, ONE, asked.handover, 422, organisatie=to)
    assert "laat ‘open’ weg" in texts(both)
    silent = said("doorsturen")
    silent["parameter"].append({"name": "open", "valueBoolean": True})
    refused = await call(service, ONE, "POST", f"/fhir/{asked.handover}/$event", silent, 422)
    assert "akkoord-van-patient" in texts(refused)
    wrong = await sends_on(service, ONE, asked.handover, 422, open={"valueString": "ja"})
    assert "valueBoolean" in texts(wrong)
    elsewhere = await service.refer()  # a pathway whose hand-over goes to one organisation
    body = said("doorsturen", akkoord_van_patient="patient-akkoord")
    body["parameter"].append({"name": "open", "valueBoolean": True})
    answer = await service.coach.post(f"/fhir/{elsewhere['Task']}/$event", json=body)
    assert (answer.status_code, "laat ‘open’ weg" in texts(answer)) == (422, True)
    assert (await read(service, PRACTICE, asked.handover))["status"] == "accepted"


async def test_it_goes_past_whom_the_patient_objects_to(service: Service) -> None:
    objected, other = crowd(service, 2)
    asked = await with_one(service)
    to = service.app.litestar.state.world.region.by_id(objected)
    await call(service, PRACTICE, "POST", "/fhir", consent(asked, organisation=to), 200)
    await sends_on(service, ONE, asked.handover, 200)
    new = await followed_by(service, asked.handover)
    assert (await found(service, objected, CLAIMABLE), await found(service, other, CLAIMABLE)) == ([], [new])


async def test_who_was_asked_by_name_before_may_claim_it_and_keeps_its_own_task(service: Service) -> None:
    before, other = crowd(service, 2)
    asked = await ask(service, ONE, before)
    for who in (ONE, before):
        await says(service, who, asked.tasks[who], "aannemen")
    await says(service, PRACTICE, asked.tasks[ONE], "selecteren")
    await sends_on(service, ONE, asked.tasks[ONE], 200)
    new = await followed_by(service, asked.tasks[ONE])
    assert set(await found(service, before, "Task")) == {asked.tasks[before], new}
    await says(service, other, new, "aannemen")
    assert await found(service, before, "Task") == [asked.tasks[before]]
    assert (await read(service, before, asked.tasks[before]))["status"] == "cancelled"
