-- What was answered under a sender's Idempotency-Key, so that the same request has the same answer.
set local search_path = ketenzorg, pg_temp;

create table idempotency_key (
    region       text collate "C" not null,
    organisation uuid not null,
    key          bytea not null check (octet_length(key) = 32),  -- keyed digests: a key may be anything
    body         bytea not null check (octet_length(body) = 32),
    claim        uuid not null,      -- of whoever works on it
    at           timestamptz not null,
    about        text collate "C",   -- the first resource in the answer
    answer       bytea,              -- without resources; null: somebody works on it
    primary key (region, organisation, key)
);
create index idempotency_key_by_age on idempotency_key (region, at);

alter table idempotency_key enable row level security;
alter table idempotency_key force row level security;
create policy through_functions on idempotency_key to ketenzorg_owner using (true);
