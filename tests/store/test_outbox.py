"""The outbox as the database keeps it: nobody gets a message that another one has, and nobody reads it directly."""

import asyncio

import asyncpg
import pytest

from ketenzorg.settings import for_asyncpg
from ketenzorg.store.database import Database
from ketenzorg.store.ids import uuid7
from ketenzorg.store.outbox import Outbox
from referrals import a_referral
from services import REGION, Service

COACH = REGION.of_client("welzijn-demo").id


async def test_workers_that_claim_at_once_get_each_message_once_and_the_oldest_of_each_task(
    service: Service,
) -> None:
    database = Database(service.database.app_url)
    outbox = Outbox(database, "groningen")
    await service.hears(COACH, "https://coach.example/hook", b"secret")
    for number in range(6):
        referral = await service.refer(a_referral(str(number)))
        await service.happens(referral["Task"], "aannemen")

    claims = await asyncio.gather(*(outbox.claim(uuid7(), seconds=60, per_receiver=2) for _ in range(8)))
    again = await outbox.claim(uuid7(), seconds=60, per_receiver=100)
    await database.close()

    claimed = [message for claim in [*claims, again] for message in claim]
    assert len({message.id for message in claimed}) == len(claimed)
    assert len({message.task for message in claimed}) == 6
    assert {message.task_version for message in claimed} == {1}
    assert max(map(len, claims)) <= 2


async def test_a_message_is_of_one_region_and_of_who_asked_to_hear(service: Service) -> None:
    database = Database(service.database.app_url)
    await service.refer(a_referral("before anybody listened"))
    await service.hears(COACH, "https://coach.example/hook", b"secret")
    await service.refer(a_referral("after"))

    waiting = await Outbox(database, "groningen").state()
    elsewhere = await Outbox(database, "drenthe").claim(uuid7(), seconds=60, per_receiver=9)
    await database.close()

    assert [(message.receiver, message.state, message.attempts) for message in waiting] == [
        (COACH, "waiting", 0)
    ]
    assert elsewhere == []


@pytest.mark.parametrize("table", ["outbox", "endpoint"])
async def test_the_application_has_no_way_around_the_functions(service: Service, table: str) -> None:
    connection = await asyncpg.connect(for_asyncpg(service.database.app_url))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch(f"select * from ketenzorg.{table}")
    await connection.close()
