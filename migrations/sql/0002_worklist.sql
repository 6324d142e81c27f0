-- The part of an organisation in a traject: what its worklist shows, and what only it may know (who of its own
-- people has it, its own file number).
set local search_path = ketenzorg, pg_temp;

create table part (
    region       text collate "C" not null,
    organisation uuid not null,
    traject      uuid not null,
    role         text collate "C" not null,
    pathway      text collate "C" not null,
    version      text collate "C" not null,
    step         text collate "C" not null,
    task         uuid not null,
    patient      uuid not null,
    started      timestamptz not null,
    ended        timestamptz,
    due          timestamptz,
    due_norm     text collate "C",
    -- Where it stands in a list: what has no term comes after all that has, in the order in which it began. A column,
    -- because the wall does not let an index be searched for an expression.
    term         timestamptz not null,
    news         integer[] not null default '{}',  -- seqs of what another wrote or decided, in order
    seen         integer not null default 0,       -- seq of the last event that its people have looked at
    colleague    text collate "C",      -- key of one of the organisation's people
    file_number  text collate "C",
    edition      integer not null default 0,       -- grows with each write of colleague or file_number
    primary key (region, organisation, traject, role)
);
-- Each list of a worklist is a walk along one of these, soonest first and without a term last: what a page costs
-- does not grow with what is not on it.
create index part_open on part (region, organisation, term, traject, role) where ended is null;
create index part_at_step on part (region, organisation, step, pathway, version, role, term, traject)
    where ended is null;
create index part_of_colleague on part (region, organisation, colleague, term, traject, role)
    where ended is null and colleague is not null;
create index part_unread on part (region, organisation, term, traject, role)
    where news[cardinality(news)] > seen;
create index part_ended on part (region, organisation, ended, traject, role) where ended is not null;

alter table part enable row level security;
alter table part force row level security;
create policy own_only on part for select to ketenzorg_app
    using (organisation = any ((select callers())::uuid[]));
create policy through_functions on part to ketenzorg_owner using (true);
grant select on part to ketenzorg_app;
