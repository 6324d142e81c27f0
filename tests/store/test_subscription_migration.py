"""An endpoint of before there were subscriptions keeps its secret, and what waited for it goes on waiting in order."""

from uuid import UUID

import asyncpg

from databases import APP_PASSWORD, new_database
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.migrate import migrate

WHO, TASK, OTHER = (UUID(int=number) for number in (1, 2, 3))
BEFORE = f"""
    insert into ketenzorg.endpoint (region, organisation, url, secret)
    values ('groningen', '{WHO}', 'https://x', 'sealed');
    insert into ketenzorg.resource (region, type, id, version, updated, traject, source, parties, body)
    select 'groningen', 'Task', id, 3, now(), id, '{WHO}', array['{WHO}']::uuid[], ''
    from unnest(array['{TASK}', '{OTHER}']::uuid[]) id;
    insert into ketenzorg.outbox (region, id, receiver, task, task_version, created, run_at, attempts, state)
    select 'groningen', gen_random_uuid(), '{WHO}', task::uuid, version, now() + n * interval '1 second', now(), 1,
        state
    from (values (1, '{TASK}', 1, 'delivered'), (2, '{TASK}', 2, 'waiting'), (3, '{TASK}', 3, 'waiting'),
        (4, '{OTHER}', 1, 'parked'), (5, '{OTHER}', 2, 'waiting')) as o(n, task, version, state);
"""
AFTER = """
    select o.resource, o.version, o.state, o.number from ketenzorg.outbox o
    join ketenzorg.subscription s on s.id = o.subscription where s.organisation = $1 and s.type = 'Task' order by number
"""


async def test_what_was_an_endpoint_is_a_subscription(postgres: str) -> None:
    async with new_database(postgres) as database:
        await migrate(database.admin_url, app_password=APP_PASSWORD, to="0008")
        connection = await asyncpg.connect(for_asyncpg(database.admin_url))
        await connection.execute(BEFORE)
        await migrate(database.admin_url, app_password=APP_PASSWORD)
        events = [tuple(row) for row in await connection.fetch(AFTER, WHO)]
        kept = await connection.fetchrow(
            "select e.id, e.secret, s.status, s.number from ketenzorg.endpoint e"
            " join ketenzorg.subscription s on s.id = e.subscription"
        )
        await connection.close()

    assert events == [
        (TASK, 1, "delivered", 1),
        (TASK, 2, "waiting", 2),
        (TASK, 3, "queued", 3),
        (OTHER, 1, "parked", 4),
        (OTHER, 2, "queued", 5),
    ]
    assert tuple(kept) == (WHO, b"sealed", "active", 5)
