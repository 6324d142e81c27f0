"""Who asked for notifications, changed or ended that, or had something sent again is on record; who tried to, too."""

from delivery.test_subscription import all_of_it, subscribed
from ketenzorg.cli.messages import _on_record
from ketenzorg.delivery.worker import Worker
from ketenzorg.store.outbox import Outbox
from receivers import receiver
from services import Service
from subscriptions import subscription

PARAMETERS = {"resourceType": "Parameters"}
RULE = "keeps-own-subscriptions"


async def lines(service: Service, of: str) -> list[tuple[object, ...]]:
    """The lines of one program: what was done to which version, and whether it was."""
    rows = await service.rows(
        "select a.interaction, a.action, a.version, a.outcome, a.rule, a.trajecten = array(select id from"
        f" ketenzorg.traject) as about_it from ketenzorg.audit a where client = '{of}' and what like 'Subscription/%'"
        " order by id"
    )
    return [tuple(row) for row in rows]


async def test_what_an_organisation_does_with_its_subscriptions(service: Service, worker: Worker) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        address = f"/fhir/Subscription/{made['id']}"
        await service.refer()
        await all_of_it(worker)
        for client in (service.coach, service.his):  # the first of them has no part in it
            await client.put(address, json={**subscription(his.url), "id": made["id"]})
            await client.post(f"{address}/$renew-secret", json=PARAMETERS)
            await client.post(f"{address}/$resend", json=PARAMETERS)
            await client.delete(address)

    assert await lines(service, "his-demo") == [
        ("subscribe", "C", 1, "0", RULE, False),
        ("resubscribe", "U", 3, "0", RULE, False),  # that its endpoint answered was a version too
        ("renew-secret", "U", None, "0", RULE, False),
        ("resend", "U", None, "0", RULE, True),  # of whom something is told again
        ("unsubscribe", "D", None, "0", RULE, False),
    ]
    refused = [
        (interaction, outcome) for interaction, _, _, outcome, *_ in await lines(service, "welzijn-demo")
    ]
    assert refused == [(each, "4") for each in ("resubscribe", "renew-secret", "resend", "unsubscribe")]


async def test_what_an_operator_releases(service: Service, outbox: Outbox, worker: Worker) -> None:
    async with receiver() as his:
        await subscribed(service.his, subscription(his.url))
        await service.refer()
        await all_of_it(worker)
    await service.rows("update ketenzorg.outbox set state = 'parked'")
    [parked] = await outbox.state()
    access = _on_record("resend")
    assert await outbox.release(parked.id, access, now=parked.run_at)
    assert await lines(service, access.client) == [("resend", "U", None, "0", "keeps-the-service", True)]
