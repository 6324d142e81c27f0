"""What a receiver gets, when it gets it again, and what happens when it does not take it."""

import asyncio
import hmac
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from ketenzorg.delivery import sending
from ketenzorg.delivery import worker as worker_module
from ketenzorg.delivery.schedule import ATTEMPTS
from ketenzorg.delivery.worker import Worker
from ketenzorg.errors import Unavailable
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Outbox
from log_lines import capture_logs
from receivers import OK, Got, Receiver, answer, receiver
from referrals import a_referral
from services import REGION, START, Service

SECRET = b"shared by us and one receiver..."
COACH = REGION.of_client("welzijn-demo").id
PRACTICE = REGION.of_client("his-demo").id


async def listen(service: Service, coach: Receiver) -> None:
    await service.hears(COACH, coach.url, SECRET)


async def time_passes(service: Service) -> None:
    """Every wait, and every lease, is over."""
    await service.rows("update ketenzorg.outbox set run_at = now(), lease_until = now()")


async def reasons(outbox: Outbox) -> list[tuple[str, str | None]]:
    return [(message.state, message.last_error) for message in await outbox.state()]


def is_ours(got: Got) -> bool:
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = b64encode(hmac.digest(SECRET, content, sha256)).decode()
    return got.headers["webhook-signature"] == f"v1,{expected}"


async def test_both_parties_hear_which_task_to_read_and_nothing_about_the_patient(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver() as coach, receiver() as practice:
        await listen(service, coach)
        await service.hears(PRACTICE, practice.url, SECRET)
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
    for personal in ("Veldkamp", "999990019", "1948", "5550100", "welzijn", "Singel", "Patient", "Z04"):
        assert personal not in got.body.decode()
    assert await outbox.state() == []


async def test_the_next_version_waits_until_the_one_before_it_has_arrived(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(answer(500)) as coach:
        await listen(service, coach)
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")

        assert await worker.deliver_due() == 1
        assert await worker.deliver_due() == 0
        assert await reasons(outbox) == [("waiting", "http 500"), ("waiting", None)]
        await time_passes(service)
        assert [await worker.deliver_due() for _ in range(3)] == [1, 1, 0]

    assert [got.version for got in coach.got] == [1, 1, 2]
    first, again, second = coach.got
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"] != second.headers["webhook-id"]


async def test_a_receiver_that_wants_no_more_is_parked_until_it_is_released(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(answer(410)) as coach:
        await listen(service, coach)
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")
        await worker.deliver_due()
        other = await service.refer(a_referral("2"))

        # What is parked holds up its own Task and no other.
        await time_passes(service)
        assert [await worker.deliver_due() for _ in range(2)] == [1, 0]
        assert coach.got[-1].focus.endswith(f"{other['Task']}/_history/1")
        assert await reasons(outbox) == [("parked", "http 410"), ("waiting", None)]

        parked, waiting = await outbox.state()
        assert not await outbox.release(waiting.id)
        assert await outbox.release(parked.id)
        assert [await worker.deliver_due() for _ in range(3)] == [1, 1, 0]

    told = [got.version for got in coach.got if referral["Task"] in got.focus]
    assert told == [1, 1, 2]


async def test_the_last_attempt_parks(service: Service, outbox: Outbox, worker: Worker) -> None:
    async with receiver(answer(400), answer(400)) as coach:
        await listen(service, coach)
        await service.refer()
        await service.rows(f"update ketenzorg.outbox set attempts = {ATTEMPTS - 2}")

        await worker.deliver_due()
        assert await reasons(outbox) == [("waiting", "http 400")]
        await time_passes(service)
        await worker.deliver_due()
        assert await reasons(outbox) == [("parked", "http 400")]


async def test_a_redirect_is_not_followed(service: Service, outbox: Outbox, worker: Worker) -> None:
    async with receiver() as elsewhere, receiver(answer(307, f"Location: {elsewhere.url}")) as coach:
        await listen(service, coach)
        await service.refer()
        await worker.deliver_due()

    assert elsewhere.got == []
    assert await reasons(outbox) == [("waiting", "http 307")]


@pytest.mark.parametrize(
    ("status", "asked", "between"),
    [
        (429, "1800", (1700, 1800)),
        (503, "Mon, 12 Jan 2026 10:00:00 GMT", (1700, 1800)),
        (503, "Mon, 12 Jan 2026 09:00:00 GMT", (0, 2)),
        (429, "9" * 400, (3500, 3600)),  # an hour at most
        (500, "1800", (0, 2)),  # means something at 429 and 503 only
        (429, "soon", (0, 2)),
        (429, "-5", (0, 2)),
    ],
)
async def test_a_receiver_may_ask_to_wait(
    service: Service, outbox: Outbox, worker: Worker, status: int, asked: str, between: tuple[int, int]
) -> None:
    async with receiver(answer(status, f"Retry-After: {asked}")) as coach:
        await listen(service, coach)
        await service.refer()
        await replace(worker, now=lambda: START).deliver_due()

    [row] = await service.rows(
        "select extract(epoch from run_at - clock_timestamp()) as wait from ketenzorg.outbox"
    )
    least, most = between
    assert least - 60 < row["wait"] <= most


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
        await listen(service, coach)
        await service.refer()
        await worker.deliver_due()

    assert await reasons(outbox) == ([("waiting", why)] if why else [])


async def test_nobody_there_and_no_answer_are_tried_again(
    service: Service, outbox: Outbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiver(is_open=False) as coach:
        await listen(service, coach)
        await service.refer()
        monkeypatch.setattr(sending, "TIMEOUT_S", 0.1)
        await worker.deliver_due()
        assert await reasons(outbox) == [("waiting", "timeout")]
    await time_passes(service)
    await worker.deliver_due()
    assert await reasons(outbox) == [("waiting", "connection")]


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(is_open=False) as slow, receiver() as practice:
        await listen(service, slow)
        await service.hears(PRACTICE, practice.url, SECRET)
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
        assert await first_round == 2


async def test_a_worker_that_lost_its_lease_writes_nothing(
    service: Service, outbox: Outbox, worker: Worker
) -> None:
    async with receiver(answer(500), is_open=False) as coach:
        await listen(service, coach)
        await service.refer()
        paused = asyncio.create_task(worker.deliver_due())
        await coach.arrived.acquire()
        await time_passes(service)  # its lease runs out before its receiver answers
        other = asyncio.create_task(worker.deliver_due())
        await coach.arrived.acquire()
        await service.rows("update ketenzorg.outbox set last_error = 'of the other'")
        with capture_logs() as logs:
            coach.open.set()
            await asyncio.gather(paused, other)

    assert [line["event"] for line in logs] == ["KZ-OUT-001"]
    [row] = await service.rows("select state, attempts from ketenzorg.outbox")
    assert (row["state"], row["attempts"]) == ("delivered", 2)


async def test_it_goes_on_after_the_database_was_away_and_stops_when_asked(
    service: Service, outbox: Outbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "PAUSE_S", 0.01)
    away = [Unavailable(), Unavailable()]

    def new_id():
        if away:
            raise away.pop()
        return uuid7()

    survivor = replace(worker, new_id=new_id)
    stop = asyncio.Event()
    async with receiver() as coach:
        await listen(service, coach)
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
    monkeypatch.setattr(worker_module, "PAUSE_S", 0.01)
    stop = asyncio.Event()
    async with receiver(OK, is_open=False) as coach:
        await listen(service, coach)
        await service.refer()
        running = asyncio.create_task(worker.run(stop))
        await coach.arrived.acquire()
        stop.set()
        await running
        assert await reasons(outbox) == [("waiting", None)]
        coach.open.set()
        await time_passes(service)
        assert await worker.deliver_due() == 1
    assert await outbox.state() == []
