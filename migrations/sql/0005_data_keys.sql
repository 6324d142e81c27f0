-- Keys that seal personal numbers and what we share with receivers. Each rests wrapped by a key that is in no database.
set local search_path = ketenzorg, pg_temp;

create table data_key (
    region  text collate "C" not null,
    id      text collate "C" not null,
    kek     text collate "C" not null,  -- the key-encryption key that wrapped it
    wrapped bytea not null,
    created timestamptz not null,       -- the newest seals, all open
    primary key (region, id)
);
alter table data_key enable row level security;
alter table data_key force row level security;
create policy through_functions on data_key to ketenzorg_owner using (true);

-- Which data key sealed the secret; '': in clear, from before there were data keys.
alter table endpoint add column key_id text collate "C" not null default '';
