-- Each organisation has one endpoint again, for Tasks; what else was asked for, and its numbers, are gone.
set local search_path = ketenzorg, pg_temp;

alter table outbox rename to outbox_after;
alter table outbox_after rename constraint outbox_pkey to outbox_after_pkey;
drop index outbox_waiting, outbox_line;

create table outbox (
    region       text collate "C" not null,
    id           uuid not null,
    receiver     uuid not null,
    task         uuid not null,
    task_version integer not null,
    created      timestamptz not null,
    run_at       timestamptz not null,
    attempts     integer not null default 0,
    lease_until  timestamptz,
    lease        uuid,
    state        text collate "C" not null default 'waiting' check (state in ('waiting', 'delivered', 'parked')),
    last_error   text collate "C",
    ended        timestamptz,
    primary key (region, id)
);
create index outbox_waiting on outbox (region, receiver, run_at) where state = 'waiting';
create index outbox_line on outbox (region, receiver, task, task_version) where state <> 'delivered';

-- Of an organisation that asked for Tasks more than once the first remains. Its secret was sealed for another row: only
-- what was sealed before there were subscriptions can be opened, and the others get a new one (ketenzorg endpoint set).
alter table endpoint add column url text, add column organisation uuid;
update endpoint e set url = heard.endpoint, organisation = heard.organisation
from (
    select distinct on (region, organisation) region, organisation, id, endpoint
    from subscription where type = 'Task' and channel = 'rest-hook' and status <> 'off'
    order by region, organisation, client, id
) heard
where e.region = heard.region and e.subscription = heard.id and e.signs_until is null;
delete from endpoint where organisation is null;

insert into outbox (region, id, receiver, task, task_version, created, run_at, attempts, state, last_error, ended)
select o.region, o.id, s.organisation, o.resource, o.version, o.created, coalesce(o.run_at, o.created), o.attempts,
    case when o.state in ('parked', 'delivered') then o.state else 'waiting' end, o.last_error, o.ended
from endpoint heard
join subscription s on s.region = heard.region and s.id = heard.subscription
join outbox_after o on o.region = s.region and o.subscription = s.id;

drop index endpoint_of;
alter table endpoint drop constraint endpoint_pkey, drop column id, drop column subscription, drop column signs_until,
    alter column url set not null, alter column organisation set not null,
    add primary key (region, organisation);
drop table outbox_after, subscription;

alter table outbox enable row level security;
alter table outbox force row level security;
create policy through_functions on outbox to ketenzorg_owner using (true);
