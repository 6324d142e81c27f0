"""The outbox as the database keeps it: who gets a row, in which order it may go, and who reads it directly."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from ketenzorg.settings import for_asyncpg
from ketenzorg.store.database import Database
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Outbox
from referrals import a_referral
from services import REGION, Service
from subscribed import listening

COACH = REGION.of_client("welzijn-demo").id
PRACTICE = REGION.of_client("his-demo").id


async def test_of_workers_that_claim_at_once_one_gets_a_subscription(service: Service) -> None:
    database = Database(service.database.app_url)
    outbox = Outbox(database, "groningen")
    await service.rows(listening([COACH, PRACTICE]))
    for number in range(6):
        referral = await service.refer(a_referral(str(number)))
        await service.happens(referral["Task"], "aannemen")

    claims = await asyncio.gather(
        *(outbox.claim(uuid7(), seconds=60, now=datetime.now(UTC), room=9) for _ in range(8))
    )
    held = [each for claim in claims for each in claim]
    taken = await asyncio.gather(
        *(outbox.take(each, now=datetime.now(UTC), beside=(), room=100) for each in held)
    )
    await database.close()

    assert sorted(each.organisation for each in held) == sorted([COACH, PRACTICE])
    for events in taken:  # of each Task the first version only
        assert len({event.resource for event in events}) == len(events) == 6
        assert {event.version for event in events} == {1}
        assert {event.number for event in events} <= set(range(1, 13))


async def test_an_event_is_of_one_region_and_of_who_asked_to_hear(service: Service) -> None:
    database = Database(service.database.app_url)
    await service.refer(a_referral("before anybody listened"))
    await service.rows(listening([COACH]))
    await service.refer(a_referral("after"))

    waiting = await Outbox(database, "groningen").state()
    elsewhere = await Outbox(database, "drenthe").claim(uuid7(), seconds=60, now=datetime.now(UTC), room=9)
    await database.close()

    assert [(event.receiver, event.state, event.attempts) for event in waiting] == [(COACH, "new", 0)]
    assert elsewhere == []


@pytest.mark.parametrize("table", ["outbox", "subscription"])
async def test_the_application_has_no_way_around_the_functions(service: Service, table: str) -> None:
    connection = await asyncpg.connect(for_asyncpg(service.database.app_url))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch(f"select * from ketenzorg.{table}")
    await connection.close()
