-- What one party may find, a row for each resource of the types of which search rows are kept. A search walks its own
-- rows, in the order in which it wants them, and stops when it has enough: what it costs does not grow with what is
-- stored, and what others have does not change what it reads.
set local search_path = ketenzorg, pg_temp;

create table findable (
    region  text collate "C" not null,
    traject uuid not null,
    type    text collate "C" not null,
    id      uuid not null,
    party   uuid not null,
    status  text collate "C" not null,  -- as the party sees it; '' where it sees none
    owner   uuid,                       -- of a Task
    updated timestamptz not null,
    low     timestamptz,                -- from when, and before when, it was authored or runs; null where it sees none
    high    timestamptz not null,       -- then: as updated, so that it has a place
    primary key (region, traject, type, id, party)
);
-- With a condition, so that who looks by traject never takes these (see 0019).
create index findable_by_id on findable (region, party, type, status, id) include (owner, updated, low, high)
    where party is not null;
create index findable_by_change on findable (region, party, type, status, updated, id) include (owner, low, high)
    where party is not null;
create index findable_by_date on findable (region, party, type, status, high, id) include (owner, updated, low)
    where party is not null;
-- What is looked up of one resource.
create index search_token_of on search_token (region, type, id) where id is not null;
create index search_date_of on search_date (region, type, id) where id is not null;

-- Those that are here already. Nobody asks here, so the wall stands aside.
alter table resource no force row level security;
alter table search_token no force row level security;
alter table search_reference no force row level security;
alter table search_date no force row level security;
insert into findable (region, traject, type, id, party, status, owner, updated, low, high)
select r.region, r.traject, r.type, r.id, party, coalesce(s.code, ''), o.target, r.updated, d.low,
    coalesce(d.high, r.updated)
from resource r
cross join unnest(r.parties) party
left join search_token s
    on (s.region, s.type, s.param, s.id) = (r.region, r.type, 'status', r.id) and s.parties @> array[party]
left join search_reference o
    on (o.region, o.type, o.param, o.id) = (r.region, r.type, 'owner', r.id) and o.parties @> array[party]
left join search_date d on (d.region, d.type, d.id) = (r.region, r.type, r.id) and d.parties @> array[party]
where r.type in ('Task', 'ServiceRequest', 'CarePlan', 'Patient')
on conflict do nothing;
alter table resource force row level security;
alter table search_token force row level security;
alter table search_reference force row level security;
alter table search_date force row level security;

alter table findable enable row level security;
alter table findable force row level security;
create policy own_only on findable for select to ketenzorg_app using (party = any ((select callers())::uuid[]));
create policy through_functions on findable to ketenzorg_owner using (true);
grant select on findable to ketenzorg_app;
