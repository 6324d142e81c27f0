"""Organisations that want to hear of something, put into a database without asking for it over HTTP."""

from collections.abc import Iterable
from uuid import UUID


def listening(organisations: Iterable[UUID | str], *, to: str = "Task") -> str:
    """The statement after which these hear of new versions of a type, at an endpoint that has answered."""
    ids = ", ".join(f"'{id_}'" for id_ in organisations)
    return f"""
        with subscribed as (
            insert into ketenzorg.subscription (region, id, organisation, client, version, updated, body, type,
                channel, endpoint, content, timeout_s, contact, status, since, answered)
            select 'groningen', gen_random_uuid(), id::uuid, 'a test', 1, now(), '', '{to}', 'rest-hook',
                'https://' || id, 'id-only', 15, '', 'active', now(), true
            from unnest(array[{ids}]) id
            returning *
        )
        insert into ketenzorg.endpoint (region, id, subscription, secret)
        select region, id, id, 'in clear' from subscribed
    """
