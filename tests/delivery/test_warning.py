"""A person hears in time that something has not arrived: within minutes when it is in a hurry, and once."""

from datetime import timedelta
from typing import Any

import pytest

from delivery.conftest import Clock
from delivery.test_mail import SENDER
from ketenzorg.coordination.steps.urgency import limits
from ketenzorg.delivery.mailing import Mailer
from ketenzorg.delivery.warning import Warner
from ketenzorg.delivery.worker import Worker
from ketenzorg.store.database import Database
from ketenzorg.store.warnings import Warnings
from log_lines import capture_logs
from mailboxes import Mailbox, mailbox
from receivers import answer, receiver
from referrals import a_referral, of
from services import REGION, SETTINGS, Service
from subscriptions import subscription

LIMITS = limits(REGION.file.undelivered)
CONTACT = "beheer@his.example"
OPERATOR = "beheer@keten.example"
PRACTICE = REGION.of_client("his-demo").id


def warner(service: Service, mail: Mailbox, operator: str = OPERATOR) -> Warner:
    state = service.app.litestar.state
    warnings = Warnings(Database(service.database.app_url), SETTINGS.region)
    return Warner(warnings, Mailer(mail.server, SENDER), operator, "https://keten.example", state.world)


def referral(priority: str, number: int = 1) -> dict[str, Any]:
    bundle = a_referral(f"{priority}-{number}")
    of(bundle, "ServiceRequest")["priority"] = priority
    return bundle


@pytest.mark.parametrize("priority", ["stat", "asap", "urgent", "routine"])
async def test_each_urgency_has_its_own_limit(
    service: Service, worker: Worker, clock: Clock, priority: str
) -> None:
    async with receiver(*[answer(500)] * 9) as his, mailbox() as mail:
        contact = [{"system": "email", "value": CONTACT}]
        await service.his.post("/fhir/Subscription", json=subscription(his.url, contact=contact))
        his.answers.insert(0, answer(204))
        await service.refer(referral(priority))
        await worker.deliver_due()
        looks = warner(service, mail)
        with capture_logs() as logs:
            await looks.look(clock.now() + LIMITS[priority] - timedelta(seconds=30))
            assert (mail.got, logs) == ([], [])
            for _ in range(2):
                await looks.look(clock.now() + LIMITS[priority] + timedelta(seconds=5))
        await looks.warnings._database.close()

    [line] = logs
    assert (line["event"], line["priority"], line["events"]) == ("KZ-OUT-006", priority, 1)
    [told] = mail.got
    assert told["To"] == CONTACT
    words = told.get_content()
    assert "Er wacht 1 bericht" in words
    assert "http 500" in words
    assert "https://keten.example/berichten" in words
    assert ("spoed" in words) == (priority in ("stat", "asap"))
    assert "Veldkamp" not in told.as_string()


def test_what_is_in_a_hurry_is_a_matter_of_minutes() -> None:
    assert LIMITS["stat"] <= LIMITS["asap"] <= timedelta(minutes=10) < LIMITS["urgent"] < LIMITS["routine"]


async def test_about_the_rest_somebody_hears_once_an_hour_and_about_a_hurry_each_time(
    service: Service, worker: Worker, clock: Clock
) -> None:
    async with mailbox() as mail:
        await service.listens(PRACTICE, "http://127.0.0.1:9/")
        looks = warner(service, mail)
        for priority, mails in (("routine", [1, 1, 2]), ("stat", [3, 4, 5])):
            for number, expected in enumerate(mails):
                await service.refer(referral(priority, number))
                clock.passes(minutes=LIMITS[priority].total_seconds() / 60 + 1 if number == 0 else 31)
                await looks.look(clock.now() + LIMITS[priority])
                assert len(mail.got) == expected, (priority, number)
        await looks.warnings._database.close()
    assert {each["To"] for each in mail.got} == {OPERATOR}  # nobody else looks after that receiver


async def test_who_looks_after_a_receiver_hears_that_we_stopped(
    service: Service, worker: Worker, clock: Clock
) -> None:
    async with receiver(answer(410)) as his, mailbox("451 later") as mail:
        await service.listens(PRACTICE, his.url)
        await service.refer()
        await worker.deliver_due()
        looks = warner(service, mail)
        await looks.look(clock.now())
        assert mail.got == []  # the mail server had no time
        await service.rows("update ketenzorg.warning set lease_until = now()")
        await looks.look(clock.now())
        await looks.look(clock.now())
        await looks.warnings._database.close()
    [told] = mail.got
    assert "geen berichten meer" in told["Subject"]
    assert "http 410" in told.get_content()
