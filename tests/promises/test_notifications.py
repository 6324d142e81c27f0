"""What we do to have a notification arrive, and what happens while a receiver is down."""

import asyncio
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest

from delivery.conftest import Clock
from delivery.test_subscription import secret_in, subscribed
from delivery.test_warning import LIMITS, OPERATOR, referral, warner
from ketenzorg.coordination.hearing import replaying
from ketenzorg.coordination.hearing.subscribing import BOTH_SIGN
from ketenzorg.coordination.hearing.subscription_asked import DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S
from ketenzorg.delivery import schedule
from ketenzorg.delivery.forgetting import Forgetter
from ketenzorg.delivery.serving import AT_ONCE
from ketenzorg.delivery.worker import Worker
from ketenzorg.store.outbox import Outbox
from mailboxes import mailbox
from promises.talking import all_of_it, named
from receivers import Got, Receiver, answer, receiver
from referrals import a_referral
from services import REGION, SETTINGS, SHARED, Service
from subscriptions import extended, numbers, polling, subscription

COACH, PRACTICE = REGION.of_client("welzijn-demo").id, REGION.of_client("his-demo").id


def events(one: Receiver) -> list[Got]:
    return [got for got in one.got if got.kind == "event-notification"]


def of_task(one: Receiver, task: str) -> list[int]:
    return [got.version for got in events(one) if task in got.focus]


def signs(got: Got, secret: bytes) -> bool:
    """As the specification says it, without a line of ours."""
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    ours = "v1," + b64encode(hmac.new(secret, content, sha256).digest()).decode()
    return ours in got.headers["webhook-signature"].split(" ")


async def test_every_version(service: Service, worker: Worker) -> None:
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
        task = (await service.refer())["Task"]
        for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
            await service.happens(task, event)
        await all_of_it(worker)  # four versions were there before any was sent
    assert of_task(coach, task) == [1, 2, 3, 4]


async def test_order_of_a_task(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(answer(500), answer(500)) as coach:
        await service.listens(COACH, coach.url)
        task = (await service.refer())["Task"]
        await service.happens(task, "aannemen")
        for _ in range(3):
            await all_of_it(worker)
            clock.passes(seconds=10)
    assert of_task(coach, task) == [1, 1, 1, 2]


async def test_no_order_across(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(answer(500)) as coach:
        await service.listens(COACH, coach.url)
        first = (await service.refer(a_referral("1")))["Task"]
        await all_of_it(worker)
        second = (await service.refer(a_referral("2")))["Task"]
        await all_of_it(worker)
        assert (of_task(coach, first), of_task(coach, second)) == (
            [1],
            [1],
        )  # the second arrived before the first
        clock.passes(seconds=10)
        await all_of_it(worker)
    assert of_task(coach, first) == [1, 1]


async def test_numbers(service: Service, worker: Worker) -> None:
    async with receiver() as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        task = (await service.refer(a_referral("1")))["Task"]
        await service.listens(PRACTICE, practice.url)
        await service.refer(a_referral("2"))
        await service.happens(task, "aannemen")
        await all_of_it(worker)
    assert [sorted(got.number for got in one.got) for one in (coach, practice)] == [[1, 2, 3], [1, 2]]


async def test_at_least_once(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(b"") as coach:  # it took the message and died before it said so
        await service.listens(COACH, coach.url)
        await service.refer()
        await all_of_it(worker)
        clock.passes(seconds=10)
        await all_of_it(worker)
    first, again = coach.got
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)


async def test_arrived(service: Service, worker: Worker, outbox: Outbox) -> None:
    for status in (200, 202, 204):
        async with receiver(answer(status)) as coach:
            await service.listens(COACH, coach.url)
            await service.refer(a_referral(str(status)))
            await all_of_it(worker)
            assert await outbox.state() == []
    rows = await service.rows("select timeout_s from ketenzorg.subscription")
    assert [row["timeout_s"] for row in rows] == [DEFAULT_TIMEOUT_S]
    for asked, status in ((LONGEST_TIMEOUT_S, 201), (LONGEST_TIMEOUT_S + 1, 422)):
        longer = extended(subscription(), timeout=asked)
        assert (await service.his.post("/fhir/Subscription", json=longer)).status_code == status
    async with receiver(is_open=False) as coach:
        await service.listens(COACH, coach.url)
        await service.rows("update ketenzorg.subscription set timeout_s = 0")
        await service.refer(a_referral("late"))
        await worker.deliver_due()
        assert [each.last_error for each in await outbox.state() if each.last_error] == ["timeout"]


async def test_signature(service: Service, worker: Worker) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        [text] = [each["valueString"] for each in made["extension"] if each["url"].endswith("webhook-secret")]
        await service.refer()
        await all_of_it(worker)
        assert "whsec_" not in (await service.his.get(f"/fhir/Subscription/{made['id']}")).text  # told once
    assert len(his.got) == 2
    secret = b64decode(text.removeprefix("whsec_"))
    assert all(signs(got, secret) and not signs(got, SHARED) for got in his.got)


async def test_two_secrets(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        renewed = await service.his.post(f"/fhir/Subscription/{made['id']}/$renew-secret")
        old, new = secret_in(made), b64decode(named(renewed, "secret").removeprefix("whsec_"))
        await all_of_it(worker)
        [row] = await service.rows(
            "select signs_until - now() as left from ketenzorg.endpoint where signs_until > now()"
        )
        assert abs(row["left"] - BOTH_SIGN) < timedelta(minutes=5)
        await service.rows("update ketenzorg.endpoint set signs_until = now() where signs_until is not null")
        await service.refer()
        await all_of_it(worker)
    both, later = his.got
    assert [signs(got, each) for got in (both, later) for each in (old, new)] == [True, True, False, True]


async def test_no_personal_data(service: Service, worker: Worker) -> None:
    async with receiver() as thin, receiver() as full:
        await subscribed(service.coach, subscription(thin.url, to="ServiceRequest"))
        await subscribed(service.coach, subscription(full.url, to="ServiceRequest", content="full-resource"))
        await service.refer()
        await all_of_it(worker)
        seen = (await service.coach.get(events(full)[0].focus.removeprefix("http://test"))).json()
    for personal in ("Veldkamp", "999990019", "1948-05", "5550100", "Singel"):
        assert not any(personal in got.body.decode() for got in thin.got)
    assert '"resource":{"resourceType":"ServiceRequest"' not in events(thin)[0].body.decode()
    assert f'"id":"{seen["id"]}"' in events(full)[0].body.decode()
    assert events(full)[0].body.decode().count("SUBSETTED") == str(seen).count("SUBSETTED")


async def test_rights_at_sending(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(answer(204), answer(500)) as coach:
        made = await subscribed(service.coach, subscription(coach.url, content="full-resource"))
        task = (await service.refer())["Task"]
        await all_of_it(worker)
        await service.rows(
            f"update ketenzorg.resource set parties = '{{{PRACTICE}}}' where id = '{task[5:]}'"
        )
        clock.passes(minutes=5)
        await all_of_it(worker)
    before, after = events(coach)
    assert (task in before.body.decode(), task[5:] in after.body.decode(), after.number) == (True, False, 1)
    assert made["id"] in after.body.decode()


async def test_back_off() -> None:
    for chance, factor in ((0.0, 1 - schedule.JITTER), (1.0, 1 + schedule.JITTER)):
        waits = [schedule.retry_s(attempts, 0, chance) for attempts in range(1, 40)]
        assert waits[0] == pytest.approx(schedule.FIRST_S * factor)
        assert max(waits) == pytest.approx(schedule.LONGEST_S * factor)
        doubled = [later / earlier for earlier, later in pairwise(waits)]
        assert doubled[:10] == pytest.approx([2.0] * 10)


async def test_down_for_days(service: Service, worker: Worker, clock: Clock, outbox: Outbox) -> None:
    async with receiver() as coach:
        await service.listens(COACH, coach.url)
    tasks = [(await service.refer(a_referral(str(number))))["Task"] for number in range(3)]
    for _ in range(4):
        for task in tasks[:1]:
            await service.happens(task, "niet bereikt") if _ < 2 else None
        await all_of_it(worker)
        clock.passes(seconds=schedule.PARKED_AFTER.total_seconds() / 2)
    assert "parked" not in {each.state for each in await outbox.state()}
    async with receiver() as back:
        await service.rows(f"update ketenzorg.subscription set endpoint = '{back.url}'")
        for _ in range(3):
            await all_of_it(worker)
            clock.passes(hours=2)
    assert of_task(back, tasks[0]) == [1, 2, 3]
    assert sorted(got.number for got in back.got) == [1, 2, 3, 4, 5]
    assert await outbox.state() == []


async def test_left_alone(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(*[answer(500)] * 50) as coach:
        await service.listens(COACH, coach.url)
        for number in range(schedule.TRIP + 3):
            await service.refer(a_referral(str(number)))
        await all_of_it(worker)
        assert len(coach.got) >= schedule.TRIP
        clock.passes(seconds=schedule.LONGEST_REST_S * (1 + schedule.JITTER))
        before = len(coach.got)
        await all_of_it(worker)
        assert len(coach.got) == before + 1


async def test_parked(service: Service, worker: Worker, clock: Clock, outbox: Outbox) -> None:
    async with receiver(answer(400), answer(400)) as coach:
        await service.listens(COACH, coach.url)
        task = (await service.refer(a_referral("1")))["Task"]
        await service.happens(task, "aannemen")
        await all_of_it(worker)
        clock.passes(seconds=schedule.PARKED_AFTER.total_seconds())
        await all_of_it(worker)
        assert [each.state for each in await outbox.state()] == ["parked", "queued"]
        other = (await service.refer(a_referral("2")))["Task"]
        await all_of_it(worker)
    assert (of_task(coach, task), of_task(coach, other)) == ([1, 1], [1])


async def test_resend(service: Service, worker: Worker, clock: Clock, outbox: Outbox) -> None:
    async with receiver(answer(204), answer(204), answer(400), answer(400)) as coach:
        made = await subscribed(service.coach, subscription(coach.url))
        await service.refer(a_referral("1"))
        await all_of_it(worker)
        await service.refer(a_referral("2"))
        await all_of_it(worker)
        clock.passes(seconds=schedule.PARKED_AFTER.total_seconds())
        await all_of_it(worker)
        assert [each.state for each in await outbox.state()] == ["parked"]
        range_ = [
            {"name": f"events{side}Number", "valueString": n} for side, n in (("Since", "1"), ("Until", "2"))
        ]
        asked = {"resourceType": "Parameters", "parameter": range_}
        assert (
            await service.coach.post(f"/fhir/Subscription/{made['id']}/$resend", json=asked)
        ).status_code == 200
        clock.passes(hours=2)
        await all_of_it(worker)
    ids = {
        number: {got.headers["webhook-id"] for got in events(coach) if got.number == number}
        for number in (1, 2)
    }
    assert sorted(got.number for got in events(coach)) == [1, 1, 2, 2, 2]
    assert [len(each) for each in ids.values()] == [1, 1]
    assert await outbox.state() == []


@pytest.mark.parametrize("status", [429, 503])
async def test_please_wait(service: Service, worker: Worker, clock: Clock, status: int) -> None:
    async with receiver(answer(status, "Retry-After: 999999")) as coach:
        await service.listens(COACH, coach.url)
        await service.refer(a_referral("1"))
        await all_of_it(worker)
        await service.refer(a_referral("2"))
        clock.passes(seconds=schedule.LONGEST_S - 5)
        await all_of_it(worker)
        assert len(coach.got) == 1
        clock.passes(seconds=10)
        await all_of_it(worker)
    assert len(coach.got) == 3


async def test_gone(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(answer(204), answer(204), answer(410)) as coach:
        made = await subscribed(service.coach, subscription(coach.url))
        for number in ("1", "2", "3"):
            await service.refer(a_referral(number))
            await all_of_it(worker)
            clock.passes(hours=1)
        assert [got.number for got in events(coach)] == [1, 2]
        address = f"/fhir/Subscription/{made['id']}"
        assert (await service.coach.get(address)).json()["status"] == "off"
        anew = subscription(coach.url, id=made["id"])
        assert (await service.coach.put(address, json=anew)).status_code == 200
        await service.refer(a_referral("4"))
        await all_of_it(worker)
    later = [got.number for got in events(coach)][2:]
    assert later[-1] > 2
    assert later == list(range(later[0], later[-1] + 1))


async def test_redirects(service: Service, worker: Worker, outbox: Outbox) -> None:
    for status in (301, 302, 307, 308):
        async with receiver() as elsewhere, receiver(answer(status, f"Location: {elsewhere.url}")) as coach:
            await service.listens(COACH, coach.url)
            await service.refer(a_referral(str(status)))
            await worker.deliver_due()
            assert elsewhere.got == []
            assert f"http {status}" in {each.last_error for each in await outbox.state()}
            await service.rows("delete from ketenzorg.outbox")
            await service.rows("update ketenzorg.subscription set failures = 0, rest_until = null")


async def test_nobody_else_waits(service: Service, worker: Worker) -> None:
    async with receiver(is_open=False) as slow, receiver() as practice:
        await service.listens(COACH, slow.url)
        await service.listens(PRACTICE, practice.url)
        for number in range(AT_ONCE + 2):
            await service.refer(a_referral(str(number)))
        first_round = asyncio.create_task(worker.deliver_due())
        for _ in range(AT_ONCE):
            await slow.arrived.acquire()
        for _ in range(AT_ONCE + 2):
            await practice.arrived.acquire()
        assert len(slow.got) == AT_ONCE
        slow.open.set()
        await first_round


@pytest.mark.parametrize("priority", ["stat", "routine"])
async def test_a_person_is_told(service: Service, worker: Worker, clock: Clock, priority: str) -> None:
    contact = [{"system": "email", "value": "beheer@his.example"}]
    async with receiver(answer(204), *[answer(500)] * 9) as his, mailbox() as mail:
        await subscribed(service.his, subscription(his.url, contact=contact))
        await subscribed(service.his, subscription(his.url))  # of this one nobody is known
        await service.refer(referral(priority))
        await worker.deliver_due()
        looks = warner(service, mail)
        await looks.look(clock.now() + LIMITS[priority] - timedelta(seconds=30))
        assert mail.got == []
        await looks.look(clock.now() + LIMITS[priority] + timedelta(seconds=30))
        await looks.warnings._database.close()
    assert {told["To"] for told in mail.got} == {"beheer@his.example", OPERATOR}


async def test_events_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "MOST", 2)
    made = await subscribed(service.coach, polling())
    address = f"/fhir/Subscription/{made['id']}/$events"
    for number in ("1", "2", "3"):
        await service.refer(a_referral(number))

    async def since(number: int) -> list[int]:
        return numbers((await service.coach.get(f"{address}?eventsSinceNumber={number}")).json())

    assert (await since(1), await since(3), await since(4)) == (
        [1, 2],
        [3],
        [],
    )  # which says that these arrived
    world, now = service.app.litestar.state.world, datetime.now(UTC)
    await service.refer(a_referral("4"))
    forgetter = Forgetter(world, SETTINGS.event_days)
    assert await forgetter.look(now + timedelta(days=SETTINGS.event_days, hours=-1)) == 0
    assert await since(1) == [1, 2]
    assert await forgetter.look(now + timedelta(days=3650)) == 3
    assert await since(4) == [4]
    assert await forgetter.look(now + timedelta(days=3650)) == 0
