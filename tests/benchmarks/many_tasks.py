"""A database with very many Tasks, filled from a few real ones by one statement a table; it stays in its folder.

Half are of one team, a few of another, the rest of forty; one practice sent them all. Most ended long ago. Ids are in
the order of creation, and a Task changed for the last time up to four weeks later.
"""

# ruff: noqa: T201

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from databases import APP_PASSWORD, APP_ROLE, Database, execute
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.embedded import DATABASE, EmbeddedPostgres
from ketenzorg.store.migrate import migrate
from referrals import a_referral
from services import REGION, Service, serving

PRACTICE, MANY = (REGION.of_client(each).id for each in ("his-demo", "welzijn-demo"))
FEW = next(each.id for each in REGION.organisations if each.ura == "99990016")
SOME = "00000000-0000-4000-9000-0000000000"  # and two digits: the others
WHOLE = 10_000  # of the first and of the last so many, the request and the patient are there too
AT_ONCE = 50_000
REAL: dict[str, tuple[str, ...]] = {  # status -> what happened
    "requested": (),
    "accepted": ("aannemen",),
    "in-progress": ("aannemen", "eerste contact", "kennismaking gehouden"),
    "rejected": ("overleden",),
    "failed": ("aannemen", "overleden"),
}
TABLES = ("traject", "resource", "search_token", "search_reference", "search_date", "findable")
PREPARE = f"""
    create schema filling;
    create table filling.original as
    select s.code as status, t.id as traject, t.task, t.service_request, t.patient
    from traject t join search_token s on s.id = t.task and s.param = 'status';
    create function filling.new_id(at timestamptz, n bigint, kind int) returns uuid language sql immutable as $$
        select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0')
            || '8' || substr(md5(n::text || kind), 1, 15))::uuid
    $$;
    create table filling.copy as
    select n, o.status, o.traject, at,
        least(at + n::bigint * 7919 % 40320 * interval '1 minute', '2026-01-12T09:30Z') as updated,
        case when n % 2 = 0 then '{MANY}'::uuid when n % ({{many}} / 20) = 1 then '{FEW}'
            else ('{SOME}' || lpad((n % 40)::text, 2, '0'))::uuid end as team,
        filling.new_id(at, n, 1) as new_traject, filling.new_id(at, n, 2) as new_task,
        filling.new_id(at, n, 3) as new_request, filling.new_id(at, n, 4) as new_patient
    from generate_series(1, {{many}}) n
    cross join lateral (select '2026-01-12T09:30Z'::timestamptz - ({{many}} - n) * interval '1 minute' as at) t
    join filling.original o on o.status = (array['requested', 'accepted', 'in-progress', 'rejected', 'failed'])[
        case when n::bigint * 31 % 97 < 3 then (1 + n::bigint * 31 % 97)::int else 4 + n / 3 % 2 end];
    create index on filling.copy (n);
""" + "".join(f"create table filling.{table} as table ketenzorg.{table};" for table in TABLES)
# Each as its original, with ids and owner of its own.
COPY = f"""
    create temporary table made on commit drop as
    select c.*, k.type, k.old, k.new
    from filling.copy c join filling.original o using (traject)
    cross join lateral (values ('Task', o.task, c.new_task), ('Patient', o.patient, c.new_patient),
        ('ServiceRequest', o.service_request, c.new_request)) as k(type, old, new)
    where c.n between {{first}} and {{last}} and (k.type = 'Task' or c.n <= {WHOLE} or c.n > {{many}} - {WHOLE});

    insert into traject
    select copied.*
    from made c join filling.traject t on t.id = c.traject
    cross join lateral jsonb_populate_record(t, jsonb_build_object('id', c.new_traject, 'task', c.new_task,
        'person', c.new_patient, 'patient', c.new_patient, 'service_request', c.new_request,
        'pseudonym', c.new_patient, 'started', c.at,
        'roles', jsonb_build_object('verwijzer', '{PRACTICE}', 'welzijnscoach', c.team),
        'parties', array['{PRACTICE}', c.team], 'involved', array['{PRACTICE}', c.team])) copied
    where c.type = 'Task';

    insert into resource
    select r.region, r.type, c.new, r.version, c.updated, c.new_traject, r.source, array['{PRACTICE}'::uuid, c.team],
        convert_to(replace(replace(replace(replace(convert_from(r.body, 'UTF8'), c.old::text, c.new::text),
            t.service_request::text, c.new_request::text), t.patient::text, c.new_patient::text),
            '{MANY}', c.team::text), 'UTF8')
    from made c join filling.resource r on (r.type, r.id) = (c.type, c.old) join filling.traject t on t.id = c.traject;

    insert into search_token
    select s.region, s.type, s.param, case s.param when 'identifier' then s.code || '-' || c.n else s.code end,
        s.system, c.new, array['{PRACTICE}'::uuid, c.team]
    from made c join filling.search_token s on (s.type, s.id) = (c.type, c.old) where s.param <> 'bsn';

    insert into search_reference
    select s.region, s.type, s.param, case s.param when 'owner' then c.team when 'performer' then c.team
            when 'patient' then c.new_patient when 'focus' then c.new_request else s.target end, s.target_type,
        c.new, array['{PRACTICE}'::uuid, c.team]
    from made c join filling.search_reference s on (s.type, s.id) = (c.type, c.old) where s.param <> 'based-on';

    insert into search_date
    select s.region, s.type, s.param, c.at, c.at + interval '1 second', c.new, array['{PRACTICE}'::uuid, c.team]
    from made c join filling.search_date s on (s.type, s.id) = (c.type, c.old);

    insert into findable
    select f.region, c.new_traject, f.type, c.new, case f.party when '{PRACTICE}' then f.party else c.team end,
        f.status, case f.type when 'Task' then c.team end, c.updated,
        case when f.low is not null then c.at end,
        case when f.low is null then c.updated else c.at + interval '1 second' end
    from made c join filling.findable f on (f.type, f.id) = (c.type, c.old);
"""
# They are made at the end, all at once.
INDEXES = """
    select case when c.oid is null then format('drop index %s', i.indexrelid::regclass)
            else format('alter table %s drop constraint %s', i.indrelid::regclass, c.conname) end as away,
        case when c.oid is null then pg_get_indexdef(i.indexrelid)
            else format('alter table %s add constraint %s %s', i.indrelid::regclass, c.conname,
                pg_get_constraintdef(c.oid)) end as back
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'p'
    where i.indrelid::regclass::text = any ($1)
"""
SET = "set search_path = ketenzorg; set synchronous_commit = off; set session_replication_role = replica; set jit = off"
THERE = "select count(*) from (select from ketenzorg.findable where type = 'Task' limit {many}) f"


@asynccontextmanager
async def many_tasks(folder: Path, many: int) -> AsyncIterator[Service]:
    """The service on so many Tasks; filled once, when there are fewer in the folder."""
    with EmbeddedPostgres(folder) as postgres:
        url = postgres.admin_url
        await migrate(url, app_password=APP_PASSWORD)
        database = Database(DATABASE, url, postgres.url(DATABASE, APP_ROLE, APP_PASSWORD))
        async with serving(database) as service:
            if (await service.rows(THERE.format(many=many)))[0]["count"] < many:
                await fill(service, many)
            yield service


async def fill(service: Service, many: int) -> None:
    """All of them, and the database counts them."""
    began = time.perf_counter()
    async for last in copied(service, many):
        print(f"{last:>9,} Tasks: {time.perf_counter() - began:.0f} s", flush=True)
    await execute(service.database.admin_url, "vacuum analyze")
    print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)


async def copied(service: Service, many: int) -> AsyncIterator[int]:
    """Real ones first, then copies of them; how many there are so far."""
    for status, events in REAL.items():
        task = (await service.refer(a_referral(status)))["Task"]
        for event in events:
            await service.happens(task, event)
    connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    try:
        await connection.execute(SET)
        await connection.execute(PREPARE.format(many=many))
        indexes = await connection.fetch(INDEXES, list(TABLES))
        await connection.execute("; ".join(each["away"] for each in indexes))
        for first in range(1, many + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, many)
            async with connection.transaction():
                await connection.execute(COPY.format(first=first, last=last, many=many))
            yield last
        await connection.execute("set maintenance_work_mem = '512MB'")
        for each in indexes:
            await connection.execute(each["back"])
        await connection.execute("drop schema filling cascade")
    finally:
        await connection.close()
