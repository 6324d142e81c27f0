"""What the database holds after a crash test, read past every wall: the first of the three readers."""

from collections import Counter
from typing import Any

import msgspec

from ketenzorg.cli.bench_payloads import SYSTEM
from ketenzorg.cli.crash_stand import Stand

REFERRALS = """
    with lines as materialized (
        select traject, count(*) filter (where a.action = 'C') as created,
            count(*) filter (where a.action = 'U') as changed
        from ketenzorg.audit a cross join unnest(a.trajecten) traject group by traject)
    select identity.code as key, r.id::text as request, t.id::text as traject, t.task::text, t.seq, t.step,
        array(select part.type from ketenzorg.resource part where part.traject = r.traject order by 1) as types,
        array(select e.seq from ketenzorg.event e where e.traject = r.traject order by 1) as events,
        array(select e.to_step from ketenzorg.event e where e.traject = r.traject
            order by e.seq desc limit 1) as last_step,
        array(select version from (
            select h.version from ketenzorg.resource_history h where h.type = 'Task' and h.id = t.task
            union all
            select n.version from ketenzorg.resource n where n.type = 'Task' and n.id = t.task) v
            order by 1) as versions,
        coalesce(lines.created, 0) as created, coalesce(lines.changed, 0) as changed,
        (select count(*) from ketenzorg.search_token s where s.id = t.task and s.param = 'status') as statuses,
        (select count(*) from ketenzorg.due d where d.traject = t.id) as dues,
        (select count(*) from ketenzorg.subscription s
            join ketenzorg.resource told on told.type = s.type and told.traject = t.id
                and told.parties @> array[s.organisation]
            where array(select o.version from ketenzorg.outbox o
                    where o.subscription = s.id and o.resource = told.id order by 1)
                <> array(select generate_series(1, told.version))) as untold
    from ketenzorg.resource r
    join ketenzorg.search_token identity on identity.type = 'ServiceRequest' and identity.id = r.id
        and identity.param = 'identifier' and identity.system = $1
    left join ketenzorg.traject t on t.id = r.traject
    left join lines on lines.traject = t.id
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
