"""A receiver that does what the page asks knows everything once, whatever comes twice or not at all."""

from datetime import timedelta
from typing import Any

import httpx

from delivery.conftest import Clock
from delivery.test_subscription import secret_in, subscribed
from ketenzorg.delivery.worker import Worker
from promises.talking import all_of_it
from receivers import Got, Receiver, answer, receiver
from referrals import a_referral
from services import Service
from subscriptions import subscription


class Handled:
    """What such a receiver keeps."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.numbers: set[int] = set()
        self.done: list[str] = []  # versions, as they were worked on

    def hear(self, got: Got) -> None:
        if got.kind == "event-notification" and got.headers["webhook-id"] not in self.ids:
            self.ids.add(got.headers["webhook-id"])
            self.work(got.number, got.focus)

    def work(self, number: int, focus: str) -> None:
        self.numbers.add(number)
        self.done.append(focus.partition("/fhir/")[2])

    @property
    def next(self) -> int:
        """The first number that is missing."""
        return next(number for number in range(1, len(self.numbers) + 2) if number not in self.numbers)


async def three_steps(service: Service) -> str:
    task = (await service.refer())["Task"]
    for event in ("aannemen", "eerste contact"):
        await service.happens(task, event)
    return task


def versions(task: str, *these: int) -> list[str]:
    return [f"{task}/_history/{version}" for version in these]


async def test_you_deduplicate(service: Service, worker: Worker, clock: Clock) -> None:
    async with receiver(answer(204), answer(500), b"") as coach:  # handled, and the answer was lost: twice
        await subscribed(service.coach, subscription(coach.url))
        task = await three_steps(service)
        for _ in range(4):
            await all_of_it(worker)
            clock.passes(seconds=10)
    handled = Handled()
    for got in coach.got:
        handled.hear(got)
    assert len(coach.got) == 1 + 3 + 2
    assert handled.done == versions(task, 1, 2, 3)


async def test_you_look_for_gaps(service: Service, worker: Worker) -> None:
    async with receiver() as coach:
        made = await subscribed(service.coach, subscription(coach.url))
        task = await three_steps(service)
        await all_of_it(worker)
    handled = Handled()
    for got in events_of(coach):
        if got.number != 2:  # lost after we were told that it had arrived
            handled.hear(got)
    assert handled.next == 2
    known = await service.coach.get(
        f"/fhir/Subscription/{made['id']}/$events?eventsSinceNumber={handled.next}"
    )
    for number, focus in told(known):
        if number not in handled.numbers:
            handled.work(number, focus)
    assert handled.next == 4
    assert sorted(handled.done) == versions(task, 1, 2, 3)


async def test_you_read_the_version(service: Service, worker: Worker) -> None:
    async with receiver() as coach:
        await subscribed(service.coach, subscription(coach.url))
        task = await three_steps(service)
        await all_of_it(worker)
    seen = [
        (await service.coach.get(got.focus.removeprefix("http://test"))).json() for got in events_of(coach)
    ]
    assert [each["status"] for each in seen][:2] == ["requested", "accepted"]
    assert [each["meta"]["versionId"] for each in seen] == ["1", "2", "3"]
    assert (await service.coach.get(f"/fhir/{task}")).json()["meta"]["versionId"] == "3"


async def test_you_verify_first(service: Service, worker: Worker, clock: Clock) -> None:
    from promises.test_notifications import signs  # noqa: PLC0415

    async with receiver(answer(204), answer(500)) as coach:
        made = await subscribed(service.coach, subscription(coach.url))
        await service.refer(a_referral())
        await all_of_it(worker)
        clock.passes(hours=1)
        await all_of_it(worker)
    first, again = events_of(coach)
    stamps = [int(got.headers["webhook-timestamp"]) for got in (first, again)]
    assert stamps[1] - stamps[0] >= timedelta(minutes=55).total_seconds()
    assert all(signs(got, secret_in(made)) for got in (first, again))
    assert not signs(Got(first.headers, first.body + b" "), secret_in(made))
    replayed = first.headers | {"webhook-timestamp": again.headers["webhook-timestamp"]}
    assert not signs(Got(replayed, first.body), secret_in(made))


def events_of(one: Receiver) -> list[Got]:
    return [got for got in one.got if got.kind == "event-notification"]


def told(response: httpx.Response) -> list[tuple[int, str]]:
    """Number and address of each event in an answer."""
    parameters: list[dict[str, Any]] = response.json()["entry"][0]["resource"]["parameter"]
    parts = [
        {each["name"]: each for each in one["part"]}
        for one in parameters
        if one["name"] == "notification-event"
    ]
    return [
        (int(each["event-number"]["valueString"]), each["focus"]["valueReference"]["reference"])
        for each in parts
    ]
