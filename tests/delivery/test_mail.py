"""Parties without a system hear by e-mail that there is something to read; nothing about anybody stands in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from delivery.conftest import Clock
from ketenzorg.coordination.hearing.subscription_asked import CONTENT
from ketenzorg.delivery.mail_carrier import MailCarrier
from ketenzorg.delivery.mailing import Mailer
from ketenzorg.delivery.serving import Tools
from ketenzorg.delivery.worker import Worker
from ketenzorg.environment import MailServer
from ketenzorg.store.outbox import Outbox
from mailboxes import Mailbox, mailbox
from services import Service
from subscriptions import subscription

SENDER = "keten@keten.example"
COACHES = "team@stadsbreed.example"


def by_mail(content: str = "id-only") -> dict[str, Any]:
    channel = {
        "type": "email",
        "endpoint": f"mailto:{COACHES}",
        "_payload": {"extension": [{"url": CONTENT, "valueCode": content}]},
    }
    return subscription(channel=channel)


def mailing(worker: Worker, mail: Mailbox) -> Worker:
    """The same worker, with a mail server."""
    tools: Tools = worker.tools
    carrier = MailCarrier(Mailer(mail.server, SENDER), tools.world.region, "https://keten.example")
    return Worker(replace(tools, carriers={**tools.carriers, "email": carrier}), worker.bell)


@pytest.fixture
async def mail() -> AsyncIterator[Mailbox]:
    async with mailbox() as one:
        yield one


async def test_a_mail_names_the_page_and_nobody(service: Service, worker: Worker, mail: Mailbox) -> None:
    made = await service.coach.post("/fhir/Subscription", json=by_mail())
    assert made.status_code == 201, made.text
    referral = await service.refer()
    while await mailing(worker, mail).deliver_due():
        pass

    welcome, news = mail.got
    for each in mail.got:
        assert (each["From"], each["To"], each["Auto-Submitted"]) == (SENDER, COACHES, "auto-generated")
        words = each.as_string()
        for personal in (
            "Veldkamp",
            "999990019",
            "1948",
            "5550100",
            "Singel",
            "Patient",
            "Z04",
            "Welzijn op Recept",
        ):
            assert personal not in words
    assert "voortaan bericht" in welcome["Subject"]
    assert f"https://keten.example/werk/{referral['Task'][5:]}" in news.get_content()
    [row] = await service.rows("select id, state from ketenzorg.outbox")
    assert row["state"] == "delivered"
    assert news["Message-ID"] == f"<{row['id']}@keten.example>"


async def test_who_asked_for_nothing_of_it_gets_the_address_of_its_list(
    service: Service, worker: Worker, mail: Mailbox
) -> None:
    await service.coach.post("/fhir/Subscription", json=by_mail("empty"))
    referral = await service.refer()
    while await mailing(worker, mail).deliver_due():
        pass
    assert "https://keten.example/werk" in mail.got[1].get_content().split()
    assert referral["Task"][5:] not in mail.got[1].as_string()


async def test_a_whole_resource_does_not_go_by_mail(service: Service) -> None:
    response = await service.coach.post("/fhir/Subscription", json=by_mail("full-resource"))
    assert response.status_code == 422
    assert "Subscription.channel.payload.extension" in response.text


async def test_an_address_that_the_mail_server_refuses_does_not_become_active(
    service: Service, worker: Worker, clock: Clock
) -> None:
    async with mailbox("550 no such user", "451 try later") as mail:
        made = (await service.coach.post("/fhir/Subscription", json=by_mail())).json()
        await mailing(worker, mail).deliver_due()
        [row] = await service.rows("select status, error from ketenzorg.subscription")
        assert tuple(row) == ("requested", "handshake: smtp 550")
        for _ in range(2):
            clock.passes(seconds=10)
            await mailing(worker, mail).deliver_due()
        active = (await service.coach.get(f"/fhir/Subscription/{made['id']}")).json()
        assert active["status"] == "active"


async def test_a_mail_server_that_is_away_or_missing_loses_nothing(
    service: Service, outbox: Outbox, worker: Worker, mail: Mailbox, clock: Clock
) -> None:
    await service.coach.post("/fhir/Subscription", json=by_mail())
    while await mailing(worker, mail).deliver_due():
        pass
    await service.refer()
    nowhere = MailServer("127.0.0.1", 9, False, None, None)
    for server, why in ((None, "no mail server"), (nowhere, "connection")):
        without = mailing(worker, Mailbox(server))
        await without.deliver_due()
        [event] = await outbox.state()
        assert (event.state, event.last_error) == ("waiting", why)
        clock.passes(minutes=2)
    while await mailing(worker, mail).deliver_due():
        pass
    assert len(mail.got) == 2
