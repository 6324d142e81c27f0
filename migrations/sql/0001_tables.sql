-- Every key starts with the region, ids are uuid7 made by us, and nothing refers across a region.
-- Text is COLLATE "C": equality and order are of bytes; folding happens in Python at write.
set local search_path = ketenzorg, pg_temp;

-- A FHIR resource as it is now. The body is bytes: digits, order and precision stay as they were sent.
create table resource (
    region   text collate "C" not null,
    type     text collate "C" not null,
    id       uuid not null,
    version  integer not null,
    updated  timestamptz not null,
    traject  uuid not null,
    source   uuid not null,             -- the organisation that sent it
    parties  uuid[] not null,           -- the organisations that may see it
    body     bytea not null,
    primary key (region, type, id)
);

-- What a resource was before: written when a newer version replaces it, so that a create writes one row.
create table resource_history (like resource including all);
alter table resource_history drop constraint resource_history_pkey;
alter table resource_history add primary key (region, type, id, version);

-- Search rows: one table per kind of value, only for declared parameters, with what decides who sees them.
create table search_token (
    region  text collate "C" not null,
    type    text collate "C" not null,
    param   text collate "C" not null,
    code    text collate "C" not null,
    system  text collate "C" not null,
    id      uuid not null,
    parties uuid[] not null,
    primary key (region, type, param, code, system, id)
);

create table search_reference (
    region  text collate "C" not null,
    type    text collate "C" not null,
    param   text collate "C" not null,
    target  uuid not null,
    target_type text collate "C" not null,
    id      uuid not null,
    parties uuid[] not null,
    primary key (region, type, param, target, target_type, id)
);

-- A FHIR date is a period: 2026 runs from the first instant of the year up to the first of the next.
create table search_date (
    region  text collate "C" not null,
    type    text collate "C" not null,
    param   text collate "C" not null,
    low     timestamptz not null,
    high    timestamptz not null,
    id      uuid not null,
    parties uuid[] not null,
    primary key (region, type, param, low, high, id)
);

-- The key that makes the same referral the same: the represented organisation and its own identifier.
create table referral_identity (
    region       text collate "C" not null,
    organisation uuid not null,
    system       text collate "C" not null,
    value        text collate "C" not null,
    hash         bytea not null,        -- keyed digest of the canonical content
    traject      uuid not null,
    locations    text[] not null,       -- "Type/id" of each entry of the bundle, in its order
    primary key (region, organisation, system, value)
);

-- One run of one pathway by one patient. The step is here; replaying the events gives the same one.
create table traject (
    region          text collate "C" not null,
    id              uuid not null,
    pathway         text collate "C" not null,
    version         text collate "C" not null,
    step            text collate "C" not null,
    counts          jsonb not null,     -- how often, e.g. {"pogingen": 2}
    happened        jsonb not null,     -- when each named event last happened; norms run from these
    seq             integer not null,   -- of the last event: who writes must have seen it
    person          uuid not null,      -- links one person's Patients inside the region; leaves the database nowhere
    patient         uuid not null,
    service_request uuid not null,
    care_plan       uuid not null,
    task            uuid not null,      -- the Coordination Task that is open now
    roles           jsonb not null,     -- role of the pathway -> organisation
    parties         uuid[] not null,
    municipality    text collate "C" not null,
    started         timestamptz not null,
    ended           timestamptz,
    due             timestamptz,        -- the norm that ends soonest
    due_norm        text collate "C",
    primary key (region, id)
);
create index traject_of_task on traject (region, task);
-- Only what is open: finding a second open traject or the overdue does not grow with what is finished.
create index traject_open_of_person on traject (region, person, pathway) where ended is null;
create index traject_due on traject (region, due) where ended is null and due is not null;

-- What happened. Never changed afterwards; ids and codes only.
create table event (
    region    text collate "C" not null,
    traject   uuid not null,
    seq       integer not null,
    id        uuid not null,
    event     text collate "C" not null,
    happened  timestamptz not null,
    recorded  timestamptz not null,
    from_step text collate "C" not null,
    to_step   text collate "C" not null,
    body      jsonb not null,           -- the whole event as ketenzorg.events writes it
    parties   uuid[] not null,
    xid       xid8 not null default pg_current_xact_id(),
    primary key (region, traject, seq)
);
-- Readers follow commits by (xid, id) up to pg_snapshot_xmin: id order alone skips what commits late.
create index event_in_commit_order on event (region, xid, id);

-- A message to send, written with what it tells of. Order is kept per receiver and Task.
create table outbox (
    region       text collate "C" not null,
    id           uuid not null,
    receiver     uuid not null,
    task         uuid not null,
    task_version integer not null,
    created      timestamptz not null,  -- real time: delivery does not follow the sandbox clock
    run_at       timestamptz not null,
    attempts     integer not null default 0,
    lease_until  timestamptz,
    lease        uuid,                  -- a worker that lost its lease cannot write with it
    state        text collate "C" not null default 'waiting' check (state in ('waiting', 'delivered', 'parked')),
    last_error   text collate "C",
    ended        timestamptz,
    primary key (region, id)
);
create index outbox_waiting on outbox (region, receiver, run_at) where state = 'waiting';
create index outbox_line on outbox (region, receiver, task, task_version) where state <> 'delivered';

-- Where an organisation wants to hear of changes.
create table endpoint (
    region       text collate "C" not null,
    organisation uuid not null,
    url          text not null,
    secret       bytea not null,        -- signs what we send
    primary key (region, organisation)
);

-- Who did what (NEN 7513), written with what was done.
create table audit (
    region       text collate "C" not null,
    id           uuid not null,
    at           timestamptz not null,
    request      text collate "C" not null,
    client       text collate "C" not null,
    organisation uuid not null,
    action       text collate "C" not null,  -- C R U D E of http://hl7.org/fhir/audit-event-action
    what         text collate "C" not null,  -- "Task/<id>", or the type searched
    traject      uuid,
    rule         text collate "C" not null,  -- what allowed it
    primary key (region, id)
);

-- A personal number: encrypted here and nowhere else; in bodies stands its token.
create table personal_number (
    region      text collate "C" not null,
    token       uuid not null,
    blind_index bytea not null,         -- keyed digest, for look-up
    key_id      text collate "C" not null,
    ciphertext  bytea not null,
    parties     uuid[] not null,        -- who sent it, and so knows it
    primary key (region, token),
    unique (region, blind_index)
);
