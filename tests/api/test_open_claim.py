"""Open to who claims it first (c.1 row 1b): exactly one has it, and the others hear that it is taken and no more."""

import asyncio
from uuid import UUID

from api.test_objection import consent
from asked import ONE, PRACTICE, THREE, TWO, ask, asking, crowd, patches, read, says
from ketenzorg.coordination.steps.watching import Watcher
from referrals import texts
from services import REGION, START, Service
from spec.talking import call

CLAIMABLE = "Task?owner:missing=true&status=requested"


async def found(service: Service, who: UUID, query: str) -> list[str]:
    answer = (await call(service, who, "GET", f"/fhir/{query}", None, 200)).json()
    return [f"Task/{each['resource']['id']}" for each in answer.get("entry", ())]


async def test_of_sixteen_that_claim_it_at_one_moment_one_has_it(service: Service) -> None:
    claimers = crowd(service, 16)
    asked = await ask(service)
    assert (asked.tasks, bool(asked.handover)) == ({}, True)
    for who in claimers:
        assert await found(service, who, CLAIMABLE) == [asked.handover]

    answers = await asyncio.gather(
        *(
            patches(
                service, who, asked.handover, None,
                status="accepted", owner={"reference": f"Organization/{who}"},
            )
            for who in claimers
        )
    )  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 15]
    [winner] = [who for who, answer in zip(claimers, answers, strict=True) if answer.status_code == 200]
    won = await read(service, winner, asked.handover)
    assert (won["status"], won["owner"]["reference"]) == ("accepted", f"Organization/{winner}")
    assert (await read(service, winner, asked["Patient"]))["name"]
    for who, answer in zip(claimers, answers, strict=True):
        if who == winner:
            continue
        assert "Een ander was u voor" in texts(answer)
        assert not [each for each in (str(winner), *asked.locations[:2]) if each in answer.text]
        for place in asked.locations:
            assert (await call(service, who, "GET", f"/fhir/{place}")).status_code == 404
        assert await found(service, who, "Task") == []
    late = await says(service, ONE, asked.handover, "aannemen", 409)
    assert "Een ander was u voor" in texts(late)
    [log] = await service.rows(
        "select body ->> 'chosen' as chosen from ketenzorg.event where body ->> 'chosen' is not null"
    )
    assert UUID(log["chosen"]) == winner


async def test_a_claim_may_begin_with_the_receipt_and_names_nobody_else(service: Service) -> None:
    asked = await ask(service)
    other = await patches(
        service, ONE, asked.handover, 422, status="received", owner={"reference": f"Organization/{THREE}"}
    )
    assert "Task.owner" in other.text
    await says(service, ONE, asked.handover, "afwijzen", 409, reden_van_afwijzen="geen-plek")
    await says(service, THREE, asked.handover, "aannemen", 404)  # it does not serve this municipality
    await says(service, ONE, asked.handover, "ontvangst bevestigen")
    task = await read(service, PRACTICE, asked.handover)
    assert (task["status"], task["owner"]["reference"]) == ("received", f"Organization/{ONE}")
    assert await found(service, PRACTICE, CLAIMABLE) == []
    await says(service, ONE, asked.handover, "aannemen")


async def test_nobody_claims_it_and_the_requester_is_told_by_the_clock(service: Service) -> None:
    asked = await ask(service)
    following = (await read(service, PRACTICE, f"{asked.handover}/$next"))["parameter"]
    due = min(each["part"][1]["valueInstant"] for each in following if each["name"] == "due")
    state = service.app.litestar.state
    state.clock.set(START.replace(year=2027))
    while await Watcher(state.world).look(state.world.now()):
        pass
    told = await service.rows(
        "select body -> 'told' as told from ketenzorg.event where body ->> 'kind' = 'norm-exceeded'"
    )
    assert due
    assert told
    assert all(str(PRACTICE) in each["told"] for each in told)
    assert not any(str(ONE) in each["told"] for each in told)


async def test_who_asks_takes_it_back_and_nobody_can_claim_it(service: Service) -> None:
    asked = await ask(service)
    await says(service, PRACTICE, asked.handover, "intrekken", reden_van_intrekken="niet-meer-nodig")
    await says(service, ONE, asked.handover, "aannemen", 409)
    assert (await call(service, ONE, "GET", f"/fhir/{asked.handover}")).status_code == 404
    assert (await read(service, PRACTICE, asked.handover))["status"] == "cancelled"


async def test_it_goes_past_whom_the_patient_objects_to(service: Service) -> None:
    other = crowd(service, 1)[0]
    first = await ask(service, number="eerste")
    assert await found(service, other, CLAIMABLE) == [first.handover]
    await call(service, PRACTICE, "POST", "/fhir", consent(first, organisation=REGION.by_id(ONE)), 200)
    assert await found(service, ONE, CLAIMABLE) == []
    assert await found(service, other, CLAIMABLE) == [first.handover]
    second = await ask(service, number="tweede")
    assert await found(service, ONE, CLAIMABLE) == []
    assert second.handover in await found(service, other, CLAIMABLE)
    refused = await call(service, PRACTICE, "POST", "/fhir", asking(ONE, TWO, number="derde"), 422)
    assert "bezwaar" in texts(refused)
