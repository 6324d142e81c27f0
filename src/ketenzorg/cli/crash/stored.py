"""What the database holds after a crash test, read past every wall: the first of the three readers."""

from collections import Counter
from typing import Any

import msgspec

from ketenzorg.cli.bench.payloads import SYSTEM
from ketenzorg.cli.crash.stand import Stand

# Each table is read once and joined as a whole: looked up per referral, thousands of them would take minutes.
REFERRALS = """
    with parts as materialized (
        select traject, array_agg(type order by type) as types from ketenzorg.resource group by traject),
    events as materialized (
        select traject, array_agg(seq order by seq) as events,
            (array_agg(to_step order by seq desc))[1:1] as last_step
        from ketenzorg.event group by traject),
    versions as materialized (
        select id, array_agg(version order by version) as versions from (
            select id, version from ketenzorg.resource where type = 'Task'
            union all select id, version from ketenzorg.resource_history where type = 'Task') v group by id),
    lines as materialized (
        select traject, count(*) filter (where a.action = 'C') as created,
            count(*) filter (where a.action = 'U') as changed
        from ketenzorg.audit a cross join unnest(a.trajecten) traject group by traject),
    statuses as materialized (
        select id, count(*) as n from ketenzorg.search_token
        where type = 'Task' and param = 'status' group by id),
    dues as materialized (select traject, count(*) as n from ketenzorg.due group by traject),
    told as materialized (
        select subscription, resource, array_agg(version order by version) as versions
        from ketenzorg.outbox group by subscription, resource),
    untold as materialized (
        select owed.traject, count(*) as n
        from ketenzorg.subscription s
        join ketenzorg.resource owed on owed.type = s.type and owed.parties @> array[s.organisation]
        left join told on told.subscription = s.id and told.resource = owed.id
        where told.versions is distinct from array(select generate_series(1, owed.version))
        group by owed.traject)
    select identity.code as key, r.id::text as request, t.id::text as traject, t.task::text, t.seq, t.step,
        coalesce(parts.types, '{}') as types, coalesce(events.events, '{}') as events,
        coalesce(events.last_step, '{}') as last_step, coalesce(versions.versions, '{}') as versions,
        coalesce(lines.created, 0) as created, coalesce(lines.changed, 0) as changed,
        coalesce(statuses.n, 0) as statuses, coalesce(dues.n, 0) as dues, coalesce(untold.n, 0) as untold
    from ketenzorg.resource r
    join ketenzorg.search_token identity on identity.type = 'ServiceRequest' and identity.id = r.id
        and identity.param = 'identifier' and identity.system = $1
    left join ketenzorg.traject t on t.id = r.traject
    left join parts on parts.traject = r.traject
    left join events on events.traject = r.traject
    left join lines on lines.traject = r.traject
    left join dues on dues.traject = r.traject
    left join untold on untold.traject = r.traject
    left join versions on versions.id = t.task
    left join statuses on statuses.id = t.task
    where r.type = 'ServiceRequest'
"""
# What belongs to no referral: parts without their whole.
STRAY = """
    select 'a resource without a traject' as what, r.type || '/' || r.id as which from ketenzorg.resource r
    where not exists (select from ketenzorg.traject t where t.id = r.traject)
    union all
    select 'an event without a traject', e.traject::text from ketenzorg.event e
    where not exists (select from ketenzorg.traject t where t.id = e.traject)
    union all
    select 'an identity without a traject', i.value from ketenzorg.referral_identity i
    where not exists (select from ketenzorg.traject t where t.id = i.traject)
    union all
    select 'a traject without an identity', t.id::text from ketenzorg.traject t
    where not exists (select from ketenzorg.referral_identity i where i.traject = t.id)
    union all
    select 'a search row without a resource', s.id::text from ketenzorg.search_token s
    where not exists (select from ketenzorg.resource r where r.type = s.type and r.id = s.id)
"""
AUDITED = "select request, count(*) as n from ketenzorg.audit group by request"
NUMBERED = "select id::text, number from ketenzorg.subscription"
# What a subscription must have heard: every version of every resource of its type that it is a party to.
OWED = """
    select s.id::text as subscription, r.type || '/' || r.id as resource, r.version
    from ketenzorg.subscription s
    join ketenzorg.resource r on r.type = s.type and r.parties @> array[s.organisation]
"""
UNDELIVERED = "select count(*) as n from ketenzorg.outbox where state not in ('delivered', 'withdrawn')"
UNCHAINED = """
    select (select count(*) from ketenzorg.audit) - (select count(*) from ketenzorg.audit_chain) as n
"""


class Referral(msgspec.Struct, frozen=True, kw_only=True):
    """A ServiceRequest that is stored, and what belongs to it."""

    key: str
    request: str
    traject: str | None
    task: str | None
    seq: int | None
    step: str | None
    types: list[str]
    events: list[int]
    last_step: list[str]
    versions: list[int]  # of its Task
    created: int  # audit lines
    changed: int
    statuses: int  # search rows
    dues: int
    untold: int  # resources of which some subscription does not hear every version


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    referrals: dict[str, list[Referral]]  # by key
    stray: list[str]
    audited: Counter[str]  # by X-Request-Id
    numbered: dict[str, int]  # subscription -> its last number
    owed: dict[str, dict[str, int]]  # subscription -> resource -> its version


async def read_stored(stand: Stand) -> Stored:
    """One look at everything."""
    referrals: dict[str, list[Referral]] = {}
    for row in await stand.rows(REFERRALS, SYSTEM):
        found = msgspec.convert(dict(row), Referral)
        referrals.setdefault(found.key, []).append(found)
    owed: dict[str, dict[str, int]] = {}
    for row in await stand.rows(OWED):
        owed.setdefault(row["subscription"], {})[row["resource"]] = row["version"]
    return Stored(
        referrals=referrals,
        stray=[f"{row['what']}: {row['which']}" for row in await stand.rows(STRAY)],
        audited=Counter({row["request"]: row["n"] for row in await stand.rows(AUDITED)}),
        numbered={row["id"]: row["number"] for row in await stand.rows(NUMBERED)},
        owed=owed,
    )


async def number(stand: Stand, statement: str) -> int:
    """Of something that is counted."""
    rows: list[Any] = await stand.rows(statement)
    return int(rows[0]["n"])
