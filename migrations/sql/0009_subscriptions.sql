-- Who wants to hear of what, where, and how that goes; and what there is to hear, numbered per subscription.
set local search_path = ketenzorg, pg_temp;

-- What somebody asked for (https://hl7.org/fhir/uv/subscriptions-backport/), and where its one sender is with it.
create table subscription (
    region        text collate "C" not null,
    id            uuid not null,
    organisation  uuid not null,
    client        text collate "C" not null,  -- who asked; '': who keeps the service running
    version       integer not null,
    updated       timestamptz not null,
    body          bytea not null,             -- as it was sent; what changes by itself stands in the columns below
    type          text collate "C" not null,  -- its topic: new versions of this type
    filter        jsonb,                      -- what of those; as ketenzorg.store.subscriptions.Clause writes it
    channel       text collate "C" not null check (channel in ('rest-hook', 'email', 'polling')),
    endpoint      text not null,
    content       text collate "C" not null check (content in ('empty', 'id-only', 'full-resource')),
    heartbeat_s   integer,
    timeout_s     integer not null,
    ends          timestamptz,
    contact       text not null,              -- e-mail address of who looks after the receiver; '': not known
    status        text collate "C" not null check (status in ('requested', 'active', 'error', 'off')),
    since         timestamptz not null,       -- it has this status
    error         text collate "C" not null default '',
    answered      boolean not null default false,  -- its endpoint has answered a handshake
    number        bigint not null default 0,  -- of its last event
    failures      integer not null default 0, -- one after the other
    rest_until    timestamptz,                -- until then nothing is sent
    beat_at       timestamptz,                -- then it hears that we are still there
    served        timestamptz,                -- who waited longest comes first
    lease         uuid,                       -- who lost its lease can write nothing
    lease_until   timestamptz,
    primary key (region, id)
) with (fillfactor = 70);
create index subscription_of on subscription (region, organisation, type) where status <> 'off';

alter table outbox rename to outbox_before;
alter table outbox_before rename constraint outbox_pkey to outbox_before_pkey;
drop index outbox_waiting, outbox_line;

-- A version that a subscription must hear of, written with that version. Order is kept per subscription and resource:
-- of each only the earliest that has not arrived is 'waiting', the next ones are 'queued' behind it.
create table outbox (
    region       text collate "C" not null,
    id           uuid not null,
    subscription uuid not null,
    type         text collate "C" not null,
    resource     uuid not null,
    version      integer not null,
    traject      uuid not null,
    priority     text collate "C" not null,  -- http://hl7.org/fhir/request-priority
    created      timestamptz not null,       -- real time: delivery does not follow the sandbox clock
    owed_since   timestamptz not null,       -- the same, or when somebody asked for it again
    xid          xid8 not null default pg_current_xact_id(),
    state        text collate "C" not null default 'new'
        check (state in ('new', 'waiting', 'queued', 'parked', 'delivered')),
    number       bigint,                     -- without gaps, from when it is no longer new
    run_at       timestamptz,
    attempts     integer not null default 0,
    tried_since  timestamptz,
    last_error   text collate "C",
    ended        timestamptz,
    told         timestamptz,                -- since then a person knows that it has not arrived
    primary key (region, id)
) with (fillfactor = 70);
-- What commits late has an earlier xid than what was numbered already: it is found because it is still new.
create index outbox_new on outbox (region, subscription, xid, id) where state = 'new';
create index outbox_waiting on outbox (region, subscription, run_at) where state = 'waiting';
create index outbox_line on outbox (region, subscription, resource, version) where state <> 'delivered';
create index outbox_untold on outbox (region, priority, owed_since) where told is null and state <> 'delivered';
create unique index outbox_number on outbox (region, subscription, number) where number is not null;

select set_config('ketenzorg.callers', coalesce((select string_agg(organisation::text, ',') from endpoint), ''), true);

-- What was an endpoint is a subscription of that organisation to Tasks, and what it must still hear it hears.
insert into subscription (region, id, organisation, client, version, updated, body, type, channel, endpoint, content,
    timeout_s, contact, status, since, answered)
select e.region, gen_random_uuid(), e.organisation, '', 1, now(), convert_to(jsonb_build_object(
        'resourceType', 'Subscription', 'status', 'requested', 'reason', 'ketenzorg endpoint set',
        'criteria', 'https://ketenzorg.example/fhir/SubscriptionTopic/task',
        'channel', jsonb_build_object('type', 'rest-hook', 'endpoint', e.url, 'payload', 'application/fhir+json',
            '_payload', jsonb_build_object('extension', jsonb_build_array(jsonb_build_object('url',
                'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content',
                'valueCode', 'id-only')))))::text, 'UTF8'),
    'Task', 'rest-hook', e.url, 'id-only', 15, '', 'active', now(), true
from endpoint e;

insert into outbox (region, id, subscription, type, resource, version, traject, priority, created, owed_since, state, number,
    run_at, attempts, tried_since, last_error, ended)
select o.region, o.id, s.id, 'Task', o.task, o.task_version, r.traject, 'routine', o.created, o.created,
    case when o.state <> 'waiting' then o.state
         when min(o.task_version) filter (where o.state <> 'delivered')
            over (partition by o.region, o.receiver, o.task) = o.task_version then 'waiting'
         else 'queued' end,
    row_number() over (partition by o.region, o.receiver order by o.created, o.task, o.task_version),
    o.run_at, o.attempts, case when o.attempts > 0 then o.created end, o.last_error, o.ended
from outbox_before o
join subscription s on s.region = o.region and s.organisation = o.receiver
join resource r on r.region = o.region and r.type = 'Task' and r.id = o.task;

update subscription s set number = (
    select count(*) from outbox o where o.region = s.region and o.subscription = s.id);

drop table outbox_before;

-- What we share with an endpoint is sealed for the id of its row: who had one keeps it. More than one of a subscription:
-- the older ones sign along, so that a receiver can change over.
alter table endpoint rename column organisation to id;
alter table endpoint add column subscription uuid, add column signs_until timestamptz, drop column url;
update endpoint e set subscription = s.id
from subscription s where s.region = e.region and s.organisation = e.id;
alter table endpoint alter column subscription set not null;
create index endpoint_of on endpoint (region, subscription);
select set_config('ketenzorg.callers', '', true);

do $$
declare name text;
begin
    foreach name in array array['outbox', 'subscription']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;
