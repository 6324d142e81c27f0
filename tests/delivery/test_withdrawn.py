"""What was queued for an organisation is not told any more once consent was withdrawn, but that it was."""

import asyncio

from delivery.conftest import Clock
from delivery.test_delivery import all_of_it
from ketenzorg.delivery.worker import Worker
from ketenzorg.store.outbox import Outbox
from receivers import answer, receiver
from referrals import a_referral, said
from services import REGION, Referral, Service

COACH, PRACTICE = (REGION.of_client(client).id for client in ("welzijn-demo", "his-demo"))


async def withdraw(service: Service, referral: Referral) -> int:
    """The version of the Task that tells it."""
    response = await service.his.post(
        f"/fhir/{referral['Task']}/$event",
        json=said("ziet ervan af", reden_van_afzien="toestemming-ingetrokken"),
    )
    assert response.status_code == 200, response.text
    return int(response.json()["meta"]["versionId"])


async def test_what_nobody_had_sent_yet_stays_unsent_and_one_notice_goes(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver() as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        await service.listens(PRACTICE, practice.url)
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")
        version = await withdraw(service, referral)
        waiting = [event for event in await outbox.state() if event.receiver == COACH]
        assert [(event.version, event.state) for event in waiting] == [
            (1, "withdrawn"),
            (2, "withdrawn"),
            (version, "new"),
        ]
        await all_of_it(worker)

    [got] = coach.got
    assert got.focus == f"http://test/fhir/{referral['Task']}/_history/{version}"
    seen = (await service.coach.get(str(got.focus))).json()
    assert (seen["status"], seen.get("for")) == ("cancelled", None)
    assert [each.version for each in practice.got] == [1, 2, version]
    assert [event.state for event in await outbox.state()] == ["withdrawn", "withdrawn"]


async def test_s15_what_had_a_number_keeps_that_and_tells_nothing(
    service: Service, worker: Worker, clock: Clock
) -> None:
    """Numbers have no gap; the one that was tried in vain says after the withdrawal only that it was the first."""
    async with receiver(answer(503)) as coach:
        await service.listens(COACH, coach.url)
        referral = await service.refer()
        assert await worker.deliver_due() == 1  # in vain
        version = await withdraw(service, referral)
        clock.passes(seconds=5)
        await all_of_it(worker)

    tried, bare, notice = coach.got
    assert tried.version == 1
    assert (bare.number, bare.event.get("focus")) == (1, None)
    assert referral["Task"][5:] not in bare.body.decode()
    assert (notice.number, notice.focus) == (2, f"http://test/fhir/{referral['Task']}/_history/{version}")


async def test_a_withdrawal_while_a_message_is_on_its_way(service: Service, worker: Worker) -> None:
    """What was sent names a version that is not there for the coach any more."""
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
        coach.open.clear()
        referral = await service.refer()
        sending = asyncio.create_task(worker.deliver_due())
        await coach.arrived.acquire()
        version = await withdraw(service, referral)
        coach.open.set()
        await sending
        await all_of_it(worker)
    first, notice = coach.got
    assert (first.version, notice.version) == (1, version)
    assert (await service.coach.get(str(first.focus))).status_code == 404
    assert (await service.coach.get(str(notice.focus))).status_code == 200


async def test_another_referral_of_the_same_organisation_is_told_as_ever(
    service: Service, worker: Worker
) -> None:
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
        withdrawn, other = [await service.refer(a_referral(number)) for number in ("1", "2")]
        await withdraw(service, withdrawn)
        await all_of_it(worker)
    assert f"http://test/fhir/{other['Task']}/_history/1" in [got.focus for got in coach.got]
