-- Objections: what a patient does not want shared, with whom and for what. Nothing is taken out: one that was taken back
-- has its end.
set local search_path = ketenzorg, pg_temp;

create table objection (
    region       text collate "C" not null,
    id           uuid not null,         -- of the Consent that says it
    person       uuid not null,         -- of traject.person; leaves the database nowhere
    traject      uuid not null,         -- in which it was recorded
    recorder     uuid not null,         -- the organisation that recorded it
    recorded     timestamptz not null,
    since        timestamptz not null,  -- as the patient said it
    -- Against what; null: all.
    organisation uuid,
    kind         text collate "C",      -- of organisation
    pathway      text collate "C",
    data         uuid,                  -- one traject: its consent was withdrawn
    ended        timestamptz,
    ended_by     uuid,
    primary key (region, id)
);
create index objection_of_person on objection (region, person) where ended is null;

alter table objection enable row level security;
alter table objection force row level security;
create policy through_functions on objection to ketenzorg_owner using (true);

-- What a person decides is about all trajecten of that person, whoever takes part in them: a function of the owner names
-- the person, as it names the callers.
create policy of_person on traject for select to ketenzorg_owner
    using (person = nullif(current_setting('ketenzorg.person', true), '')::uuid);

-- The version of the Task that told this organisation that consent was withdrawn; 0: it had no work any more.
alter table part add column withdrawn integer;
create index part_withdrawn on part (region, organisation, task) where withdrawn is not null;

-- What may not be sent any more, and is no failure.
alter table outbox drop constraint outbox_state_check1;
alter table outbox add constraint outbox_state_check
    check (state in ('new', 'waiting', 'queued', 'parked', 'delivered', 'withdrawn'));
