-- The systems that may ask for tokens: registering, revoking, knowing them, and using an assertion once.
set local search_path = ketenzorg, pg_temp;

create function note_client_change(p_region text) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    insert into client_epoch (region, epoch) values (p_region, 1)
    on conflict (region) do update set epoch = client_epoch.epoch + 1
$$;

-- False: the id is or was somebody's.
create function add_client(
    p_region text, p_id text, p_organisations uuid[], p_scopes text[], p_jwks_url text, p_jwks text
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into client (region, id, organisations, scopes, jwks_url, jwks, added, keys_since)
    values (p_region, p_id, p_organisations, p_scopes, p_jwks_url, p_jwks, clock_timestamp(), clock_timestamp())
    on conflict (region, id) do nothing;
    if not found then return false; end if;
    perform note_client_change(p_region);
    return true;
end
$$;

-- Other keys from now on. False: no such client, or it was revoked.
create function replace_client_keys(p_region text, p_id text, p_jwks_url text, p_jwks text) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update client set jwks_url = p_jwks_url, jwks = p_jwks, keys_since = clock_timestamp()
    where region = p_region and id = p_id and revoked is null;
    if not found then return false; end if;
    perform note_client_change(p_region);
    return true;
end
$$;

-- For good. False: no such client, or it was revoked before.
create function revoke_client(p_region text, p_id text) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update client set revoked = clock_timestamp() where region = p_region and id = p_id and revoked is null;
    if not found then return false; end if;
    perform note_client_change(p_region);
    return true;
end
$$;

-- Strict or liberal from now on. False: no such client, or it was revoked.
create function set_client_validation(p_region text, p_id text, p_validation text) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update client set validation = p_validation where region = p_region and id = p_id and revoked is null;
    if not found then return false; end if;
    perform note_client_change(p_region);
    return true;
end
$$;

create function current_client_epoch(p_region text) returns bigint
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select coalesce((select epoch from client_epoch where region = p_region), 0)
$$;

create function registered_clients(p_region text)
returns table (id text, organisations uuid[], scopes text[], jwks_url text, jwks text, added timestamptz,
    keys_since timestamptz, revoked timestamptz)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select c.id, c.organisations, c.scopes, c.jwks_url, c.jwks, c.added, c.keys_since, c.revoked
    from client c where c.region = p_region order by c.id
$$;

-- Beside registered_clients, which programs of before still call as it is.
create function liberal_clients(p_region text) returns setof text
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select c.id from client c where c.region = p_region and c.validation = 'liberal'
$$;

-- Use an assertion. False: it was used before. What ended is cleared away, a minute late: clocks differ.
create function claim_assertion(p_region text, p_client text, p_jti bytea, p_expires timestamptz) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    delete from client_assertion where region = p_region and (client, jti) in (
        select a.client, a.jti from client_assertion a
        where a.region = p_region and a.expires < clock_timestamp() - interval '1 minute'
        limit 100 for update skip locked);
    insert into client_assertion (region, client, jti, expires) values (p_region, p_client, p_jti, p_expires)
    on conflict (region, client, jti) do nothing;
    return found;
end
$$;

grant execute on function add_client, replace_client_keys, revoke_client, current_client_epoch, registered_clients,
    set_client_validation, liberal_clients, claim_assertion to ketenzorg_app;
