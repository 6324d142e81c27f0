"""One process at a time holds a subscription: who dies, pauses or comes beside it sends nothing twice or not at all."""

import asyncio
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from delivery.conftest import Clock
from ketenzorg.delivery import serving as serving_module
from ketenzorg.delivery import worker as worker_module
from ketenzorg.delivery.health import Health
from ketenzorg.delivery.serving import Tools
from ketenzorg.delivery.worker import Worker
from ketenzorg.errors import Unavailable
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Ended, Outbox
from log_lines import capture_logs
from receivers import OK, answer, receiver
from referrals import a_referral
from services import REGION, Service

COACH = REGION.of_client("welzijn-demo").id
PRACTICE = REGION.of_client("his-demo").id
TELL = """
    select set_config('ketenzorg.callers', $1::uuid::text, true), ketenzorg.tell('groningen', array[$1], traject,
        'routine', array[type], array[id], array[version])
    from ketenzorg.resource where id = $2
"""
LEASE_ENDS = "update ketenzorg.subscription set lease_until = now() where lease is not null"


async def test_two_workers_send_each_event_once(service: Service, worker: Worker, tools: Tools) -> None:
    other = Worker(tools, asyncio.Event())
    async with receiver() as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        await service.listens(PRACTICE, practice.url)
        for number in range(6):
            referral = await service.refer(a_referral(str(number)))
            await service.happens(referral["Task"], "aannemen")
        stop = asyncio.Event()
        running = [asyncio.create_task(each.run(stop)) for each in (worker, other)]
        for one in (coach, practice):
            for _ in range(12):
                await one.arrived.acquire()
        stop.set()
        await asyncio.gather(*running)

    for one in (coach, practice):
        assert sorted(got.number for got in one.got) == [*range(1, 13)]


async def test_a_worker_that_lost_its_lease_writes_nothing(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(answer(500), is_open=False) as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        paused = asyncio.create_task(worker.deliver_due())
        await coach.arrived.acquire()
        await service.rows(LEASE_ENDS)  # before its receiver answers
        other = asyncio.create_task(worker.deliver_due())
        await coach.arrived.acquire()
        with capture_logs() as logs:
            coach.open.set()
            await asyncio.gather(paused, other)

    assert [line["event"] for line in logs] == ["KZ-OUT-001"]
    first, again = coach.got
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)
    [row] = await service.rows("select state, attempts from ketenzorg.outbox")
    assert (row["state"], row["attempts"]) == ("delivered", 1)
    [row] = await service.rows("select status, failures from ketenzorg.subscription")
    assert (row["status"], row["failures"]) == ("active", 0)


async def test_the_database_takes_nothing_from_who_held_it_before(
    service: Service, outbox: Outbox, clock: Clock
) -> None:
    await service.listens(COACH, "https://coach.example")
    await service.refer()
    [before] = await outbox.claim(uuid7(), seconds=60, now=clock.now(), room=1)
    [event] = await outbox.take(before, now=clock.now(), beside=(), room=1)
    await service.rows(LEASE_ENDS)
    [now] = await outbox.claim(uuid7(), seconds=60, now=clock.now(), room=1)

    for held, taken in ((before, False), (now, True)):
        ended = Ended(
            id=event.id,
            subscription=held.id,
            lease=held.lease,
            state="delivered",
            run_at=clock.now(),
            error=None,
        )
        assert await outbox.settle([ended], now=clock.now()) == [taken]
        assert await outbox.let_go(held, Health(held).standing(), now=clock.now()) is taken


async def test_a_worker_that_was_paused_beyond_its_lease_sends_nothing_of_what_it_took(
    service: Service, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "AT_ONCE", 1)
    async with receiver(is_open=False) as coach:
        await service.listens(COACH, coach.url)
        for number in range(3):
            await service.refer(a_referral(str(number)))
        [serving] = await worker._claim(1)
        paused = asyncio.create_task(serving.serve())
        await coach.arrived.acquire()
        serving.ends = 0.0  # as a clock says that went on while the process stood still
        coach.open.set()
        await paused

    assert [got.number for got in coach.got] == [1]


async def test_a_worker_that_renews_keeps_what_it_holds_and_one_that_cannot_stops(
    service: Service, worker: Worker
) -> None:
    async with receiver(is_open=False) as coach:
        await service.listens(COACH, coach.url)
        await service.refer(a_referral("1"))
        await service.refer(a_referral("2"))
        [serving] = await worker._claim(1)
        before = serving.ends
        await worker._renew([serving])
        assert serving.ends > before
        assert await worker.deliver_due() == 0

        await service.rows(LEASE_ENDS)
        coach.open.set()
        assert await worker.deliver_due() == 2
        await worker._renew([serving])
        await serving.serve()
        assert len(coach.got) == 2


async def test_a_process_that_dies_between_numbering_and_sending_leaves_no_gap_and_no_double(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
        for number in range(3):
            await service.refer(a_referral(str(number)))
        [held] = await outbox.claim(uuid7(), seconds=60, now=clock.now(), room=1)
        taken = await outbox.take(held, now=clock.now(), beside=(), room=9)
        assert {event.number for event in taken} == {1, 2, 3}
        assert await worker.deliver_due() == 0  # it has not been dead for long enough
        await service.rows(LEASE_ENDS)
        await service.refer(a_referral("after"))
        assert await outbox.take(held, now=clock.now(), beside=(), room=9) == []
        assert await worker.deliver_due() == 4

    assert sorted(got.number for got in coach.got) == [1, 2, 3, 4]
    assert {got.number: got.headers["webhook-id"] for got in coach.got if got.number < 4} == {
        event.number: str(event.id) for event in taken
    }


async def test_what_commits_late_is_not_skipped(service: Service, worker: Worker) -> None:
    """A reader that asks for ids after the last one it saw would never see it."""
    async with receiver() as coach:
        referral = await service.refer(a_referral("late"))
        await service.listens(COACH, coach.url)
        connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
        late = connection.transaction()
        await late.start()
        await connection.execute(TELL, COACH, UUID(referral["Task"][5:]))
        await service.refer(a_referral("quick"))
        assert await worker.deliver_due() == 1
        await late.commit()
        await connection.close()
        assert await worker.deliver_due() == 1

    assert [got.number for got in coach.got] == [1, 2]
    assert referral["Task"] in coach.got[1].focus


async def test_it_goes_on_after_the_database_was_away_and_stops_when_asked(
    service: Service, outbox: Outbox, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "PAUSE_S", 0.01)
    away = [Unavailable(), Unavailable()]

    def new_id():
        if away:
            raise away.pop()
        return uuid7()

    survivor = Worker(replace(tools, world=replace(tools.world, new_id=new_id)), asyncio.Event())
    stop = asyncio.Event()
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        with capture_logs() as logs:
            running = asyncio.create_task(survivor.run(stop))
            await coach.arrived.acquire()
            stop.set()
            await running

    assert [line["event"] for line in logs] == ["KZ-OUT-004", "KZ-OUT-004", "KZ-OUT-001"]
    assert await outbox.state() == []


async def test_asked_to_stop_it_leaves_what_is_not_answered_to_the_next_worker(
    service: Service, outbox: Outbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "GRACE_S", 0)
    stop = asyncio.Event()
    async with receiver(OK, is_open=False) as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        running = asyncio.create_task(worker.run(stop))
        await coach.arrived.acquire()
        stop.set()
        await running
        [waiting] = await outbox.state()
        assert (waiting.state, waiting.last_error) == ("waiting", None)
        coach.open.set()
        assert await worker.deliver_due() == 1  # it gave the subscription back
    assert await outbox.state() == []
