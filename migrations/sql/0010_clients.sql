-- The systems that may ask for tokens, and what they have asked with.
set local search_path = ketenzorg, pg_temp;

-- One registration for ever: an id that was revoked is not given out again, so that the audit lines keep their meaning.
create table client (
    region        text collate "C" not null,
    id            text collate "C" not null,
    organisations uuid[] not null,          -- for whom it may speak
    scopes        text[] collate "C" not null,
    jwks_url      text collate "C",         -- where its public keys are, or
    jwks          text collate "C",         -- these keys themselves
    added         timestamptz not null,
    keys_since    timestamptz not null,
    revoked       timestamptz,
    primary key (region, id),
    check (num_nonnulls(jwks_url, jwks) = 1)
);

-- Grows at each change of `client`: by looking here a process knows whether what it remembers still holds.
create table client_epoch (
    region text collate "C" not null,
    epoch  bigint not null,
    primary key (region)
);

-- An assertion is good for one token: a digest of its jti, for as long as it would be valid.
create table client_assertion (
    region  text collate "C" not null,
    client  text collate "C" not null,
    jti     bytea not null,
    expires timestamptz not null,
    primary key (region, client, jti)
);
create index client_assertion_expired on client_assertion (region, expires);

do $$
declare name text;
begin
    foreach name in array array['client', 'client_epoch', 'client_assertion']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;
