"""What a receiver gets, when it gets it again, and what happens when it does not take it."""

import asyncio
import hmac
from base64 import b64encode
from hashlib import sha256

import pytest

from delivery.conftest import Clock
from ketenzorg.delivery.schedule import TRIP
from ketenzorg.delivery.worker import Worker
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.store.outbox import Outbox
from receivers import Got, answer, receiver
from referrals import a_referral
from services import REGION, SHARED, Service, looks

COACH = REGION.of_client("welzijn-demo").id
PRACTICE = REGION.of_client("his-demo").id
LONGEST_WAIT = {"hours": 1.2}  # with its jitter


async def reasons(outbox: Outbox) -> list[tuple[str, str | None]]:
    return [(event.state, event.last_error) for event in await outbox.state()]


def is_ours(got: Got) -> bool:
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = b64encode(hmac.digest(SHARED, content, sha256)).decode()
    return got.headers["webhook-signature"] == f"v1,{expected}"


async def all_of_it(worker: Worker) -> int:
    """Rounds until there is nothing left to send; how many messages that were."""
    sent = 0
    while now := await worker.deliver_due():
        sent += now
    return sent


async def test_both_parties_hear_which_task_to_read_and_nothing_about_the_patient(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver() as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        await service.listens(PRACTICE, practice.url)
        referral = await service.refer()

        assert await worker.deliver_due() == 2
        assert await worker.deliver_due() == 0

    [got] = coach.got
    assert [each.focus for each in (got, *practice.got)] == [
        f"http://test/fhir/{referral['Task']}/_history/1"
    ] * 2
    assert is_ours(got)
    assert got.headers["content-type"] == "application/fhir+json"
    bundle = decode_as(got.body, r4.Bundle)
    address = bundle.entry[1].fullUrl
    assert bundle.entry[1].resource is None
    assert (await service.coach.get(str(address))).json()["id"] == referral["Task"].partition("/")[2]
    for personal in ("Veldkamp", "999990019", "1948-05", "5550100", "welzijn", "Singel", "Patient", "Z04"):
        assert personal not in got.body.decode()
    assert await outbox.state() == []


async def test_each_subscription_numbers_its_own_events_without_gaps(
    service: Service, worker: Worker
) -> None:
    async with receiver() as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        first = await service.refer(a_referral("1"))
        await service.listens(PRACTICE, practice.url)
        await service.refer(a_referral("2"))
        await service.happens(first["Task"], "aannemen")
        await all_of_it(worker)

    assert sorted(got.number for got in coach.got) == [1, 2, 3]
    assert sorted(got.number for got in practice.got) == [1, 2]
    assert {got.status["subscription"] for got in coach.got}.isdisjoint(
        got.status["subscription"] for got in practice.got
    )


async def test_the_next_version_waits_until_the_one_before_it_has_arrived(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver(answer(500)) as coach:
        await service.listens(COACH, coach.url)
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")

        assert await worker.deliver_due() == 1
        assert await worker.deliver_due() == 0
        assert await reasons(outbox) == [("waiting", "http 500"), ("queued", None)]
        clock.passes(seconds=2)
        assert await all_of_it(worker) == 2

    assert [got.version for got in coach.got] == [1, 1, 2]
    first, again, second = coach.got
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"] != second.headers["webhook-id"]


async def test_what_is_refused_for_three_days_is_parked_and_holds_up_its_own_task_only(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver(answer(400), answer(400)) as coach:
        await service.listens(COACH, coach.url)
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")
        await worker.deliver_due()
        assert await reasons(outbox) == [("waiting", "http 400"), ("queued", None)]
        clock.passes(hours=72)
        await worker.deliver_due()
        assert await reasons(outbox) == [("parked", "http 400"), ("queued", None)]

        other = await service.refer(a_referral("2"))
        assert await all_of_it(worker) == 1
        assert coach.got[-1].focus.endswith(f"{other['Task']}/_history/1")

        parked, queued = await outbox.state()
        assert not await outbox.release(queued.id, looks(COACH), now=clock.now())
        assert await outbox.release(parked.id, looks(COACH), now=clock.now())
        assert await all_of_it(worker) == 2

    assert [got.version for got in coach.got if referral["Task"] in got.focus] == [1, 1, 1, 2]
    assert await outbox.state() == []


async def test_a_receiver_that_was_down_for_three_days_gets_everything_in_order_afterwards(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    """And while it is down it is asked about once an hour per event and once a minute in all, not for every event."""
    async with receiver() as practice:
        async with receiver() as coach:
            await service.listens(COACH, coach.url)
            await service.listens(PRACTICE, practice.url)
        tasks = [(await service.refer(a_referral(str(number))))["Task"] for number in range(8)]
        tried = 0
        for hour in range(73):
            if hour in (1, 30, 60):
                for task in tasks:
                    await service.happens(task, "niet bereikt")
            tried += await all_of_it(worker) - 8 * (hour in (0, 1, 30, 60))
            clock.passes(hours=1)
        assert 72 <= tried <= 72 + 2 * TRIP
        [status] = await service.rows(
            f"select status, error from ketenzorg.subscription where organisation = '{COACH}'"
        )
        assert tuple(status) == ("error", "connection")
        assert len(practice.got) == 32

        async with receiver() as back:
            await service.rows(
                f"update ketenzorg.subscription set endpoint = '{back.url}' where status = 'error'"
            )
            assert await all_of_it(worker) == 32

    assert sorted(got.number for got in back.got) == [*range(1, 33)]
    for task in tasks:
        assert [got.version for got in back.got if task in got.focus] == [1, 2, 3, 4]
    assert await outbox.state() == []
    assert await service.rows("select 1 from ketenzorg.subscription where status <> 'active'") == []


async def test_a_receiver_that_is_gone_gets_nothing_more_until_it_is_asked_for_anew(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver(answer(410)) as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        assert await all_of_it(worker) == 1
        await service.refer(a_referral("while it was gone"))
        clock.passes(hours=100)
        assert await all_of_it(worker) == 0
        [row] = await service.rows("select status, error from ketenzorg.subscription")
        assert tuple(row) == ("off", "http 410")

        await service.listens(COACH, coach.url)
        assert await all_of_it(worker) == 1

    assert [got.number for got in coach.got] == [1, 1]
    assert await outbox.state() == []


async def test_a_redirect_is_not_followed(service: Service, outbox: Outbox, worker: Worker) -> None:
    async with receiver() as elsewhere, receiver(answer(307, f"Location: {elsewhere.url}")) as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        await worker.deliver_due()

    assert elsewhere.got == []
    assert await reasons(outbox) == [("waiting", "http 307")]


@pytest.mark.parametrize(
    ("status", "asked", "least", "most"),
    [
        (429, "1800", 1800, 1800),
        (503, "1800", 1800, 1800),
        (429, "9" * 400, 3600, 3600),  # an hour at most
        (500, "1800", 0, 2),  # means something at 429 and 503 only
        (429, "soon", 0, 2),
        (429, "-5", 0, 2),
        (503, "Mon, 12 Jan 2026 09:00:00 GMT", 0, 2),  # has been
    ],
)
async def test_a_receiver_may_ask_to_wait(
    service: Service, worker: Worker, clock: Clock, status: int, asked: str, least: int, most: int
) -> None:
    async with receiver(answer(status, f"Retry-After: {asked}")) as coach:
        await service.listens(COACH, coach.url)
        await service.refer(a_referral("1"))
        assert await all_of_it(worker) == 1
        await service.refer(a_referral("2"))
        if least:
            clock.passes(seconds=least - 5)
            assert await all_of_it(worker) == 0  # it asked for itself, not for one message
        clock.passes(seconds=most - least + 6)
        assert await all_of_it(worker) == 2


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", None),  # taken, then died
        (b"HTTP/1.1 202 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz", None),
    ],
)
async def test_the_status_line_decides(
    service: Service, outbox: Outbox, worker: Worker, said: bytes, why: str | None
) -> None:
    async with receiver(said) as coach:
        await service.listens(COACH, coach.url)
        await service.refer()
        await worker.deliver_due()

    assert await reasons(outbox) == ([("waiting", why)] if why else [])


async def test_nobody_there_and_no_answer_are_tried_again(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver(is_open=False) as coach:
        await service.listens(COACH, coach.url)
        await service.rows("update ketenzorg.subscription set timeout_s = 0")
        await service.refer()
        await worker.deliver_due()
        assert await reasons(outbox) == [("waiting", "timeout")]
    clock.passes(seconds=2)
    await service.rows("update ketenzorg.subscription set timeout_s = 15")
    await worker.deliver_due()
    assert await reasons(outbox) == [("waiting", "connection")]


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(is_open=False) as slow, receiver() as practice:
        await service.listens(COACH, slow.url)
        await service.listens(PRACTICE, practice.url)
        referral = await service.refer()
        first_round = asyncio.create_task(worker.deliver_due())
        await slow.arrived.acquire()
        await practice.arrived.acquire()
        await service.happens(referral["Task"], "aannemen")
        while len(practice.got) < 2:
            await worker.deliver_due()

        assert [got.version for got in practice.got] == [1, 2]
        assert len(slow.got) == 1
        slow.open.set()
        await first_round


async def test_of_one_receiver_only_a_few_requests_are_under_way_at_once(
    service: Service, worker: Worker
) -> None:
    async with receiver(is_open=False) as coach:
        await service.listens(COACH, coach.url)
        for number in range(6):
            await service.refer(a_referral(str(number)))
        delivering = asyncio.create_task(worker.deliver_due())
        for _ in range(4):
            await coach.arrived.acquire()
        assert len(coach.got) == 4
        coach.open.set()
        assert await delivering == 6


async def test_s16_two_subscribers_never_get_what_is_the_others(service: Service, worker: Worker) -> None:
    elsewhere = REGION.file.organisations["welzijn-wadkant"].id
    async with receiver() as coach, receiver() as other:
        await service.listens(COACH, coach.url)
        await service.listens(elsewhere, other.url)
        for number in range(4):
            await service.refer(a_referral(str(number)))
        await asyncio.gather(*(worker.deliver_due() for _ in range(3)))

    assert len(coach.got) == 4
    assert other.got == []


MANY, VERSIONS = 203, 5  # over a thousand: more than is numbered in one piece
# As many Tasks, each in so many versions, in the order in which they happen; the practice hears of the first only.
BURST = """
    with tasks as (
        insert into ketenzorg.resource
        select r.* from ketenzorg.resource one, generate_series(1, {many}) n,
            jsonb_populate_record(one, jsonb_build_object('n', n, 'id', gen_random_uuid())) r
        where one.type = 'Task'
        returning id, traject
    )
    insert into ketenzorg.outbox (region, id, subscription, type, resource, version, traject, priority, created,
        owed_since)
    select 'groningen', ketenzorg.new_id(), s.id, 'Task', t.id, v, t.traject, 'routine', now(), now()
    from generate_series(1, {versions}) v, tasks t, ketenzorg.subscription s
    where v = 1 or s.organisation = '{coach}'
    order by v
"""


async def test_more_than_a_thousand_events_of_three_days_come_in_order_and_nobody_else_waits(
    service: Service, outbox: Outbox, worker: Worker, clock: Clock
) -> None:
    async with receiver() as practice:
        async with receiver() as coach:
            await service.listens(COACH, coach.url)
            await service.listens(PRACTICE, practice.url)
        await service.refer()
        await service.rows("delete from ketenzorg.outbox")
        await service.rows(BURST.format(many=MANY, versions=VERSIONS, coach=COACH))
        await all_of_it(worker)
        assert len(practice.got) == MANY  # while the other is down
        for hours in (1, 35, 36):
            clock.passes(hours=hours)
            await all_of_it(worker)
        assert {event.state for event in await outbox.state()} == {"waiting", "queued"}

        async with receiver() as back:
            await service.rows(
                f"update ketenzorg.subscription set endpoint = '{back.url}' where status = 'error'"
            )
            clock.passes(minutes=2)
            await all_of_it(worker)

    assert sorted(got.number for got in back.got) == [*range(1, MANY * VERSIONS + 1)]
    versions: dict[str, list[int]] = {}
    for got in back.got:
        versions.setdefault(got.focus.partition("/_history")[0], []).append(got.version)
    assert [*versions.values()] == [[*range(1, VERSIONS + 1)]] * MANY
    assert await outbox.state() == []
