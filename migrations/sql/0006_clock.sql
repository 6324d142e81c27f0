-- The clock: every norm and control that runs in a traject, with the moment at which somebody must be told of it.
-- What it holds follows from the event log; it is here to be found by its moment.
set local search_path = ketenzorg, pg_temp;

create table due (
    region  text collate "C" not null,
    traject uuid not null,
    norm    text collate "C" not null,  -- the name of the norm or control
    began   timestamptz not null,       -- when it was armed: what comes back is armed anew each time
    within  text collate "C" not null,  -- how long it may take: 2 weken
    at      timestamptz not null,       -- the last moment at which it is still met; a clock that stood still moves it
    look    timestamptz,                -- when somebody must be told next; null: all that must were told
    until   timestamptz,                -- it was past when it ended then, and nobody was told of that yet
    step    text collate "C",           -- and the step in which it ended
    parties uuid[] not null,            -- who takes part in the traject now
    primary key (region, traject, norm, began, at)
);
-- What nobody need be told of is not in it: a look at the clock costs what is past, not what runs.
create index due_to_tell on due (region, look, traject, norm) where look is not null;
-- Each norm has its own row now, and the worklist its index on the part of an organisation.
drop index traject_due;

alter table due enable row level security;
alter table due force row level security;
create policy parties_only on due for select to ketenzorg_app using (parties && (select callers()));
create policy through_functions on due to ketenzorg_owner using (true);
grant select on due to ketenzorg_app;
