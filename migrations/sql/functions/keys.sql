-- The data keys: kept wrapped, and moving what an older one sealed to the newest.
set local search_path = ketenzorg, pg_temp;

create function data_keys(p_region text)
returns table (id text, kek text, wrapped bytea, created timestamptz)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select k.id, k.kek, k.wrapped, k.created from data_key k where k.region = p_region
    order by k.created desc, k.id desc
$$;

-- A new key, the newest from now on. p_first: only where there is none; of processes that start at once one makes it.
create function add_data_key(p_region text, p_id text, p_kek text, p_wrapped bytea, p_first boolean) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    lock table data_key in share row exclusive mode;
    insert into data_key (region, id, kek, wrapped, created)
    select p_region, p_id, p_kek, p_wrapped, clock_timestamp()
    where not (p_first and exists (select from data_key where region = p_region));
end
$$;

-- The same key under another key-encryption key, if nobody was first.
create function rewrap_data_key(p_region text, p_id text, p_old_kek text, p_kek text, p_wrapped bytea)
returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with rewrapped as (
        update data_key set kek = p_kek, wrapped = p_wrapped
        where region = p_region and id = p_id and kek = p_old_kek returning 1
    )
    select exists (select from rewrapped)
$$;

-- A process may still seal with a key that was destroyed a moment ago: what nobody could open is not stored. Called
-- after the write, whose lock then keeps the key (destroy_data_key).
create function insist_on_data_keys(p_region text, p_ids text[]) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if exists (
        select from unnest(p_ids) as used(id)
        where not exists (select from data_key k where k.region = p_region and k.id = used.id)
    ) then
        raise foreign_key_violation using message = 'sealed with a data key that is no longer there';
    end if;
end
$$;

-- How much each key seals.
create function data_key_uses(p_region text) returns table (kind text, id text, uses bigint)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select 'personal_number', n.key_id, count(*) from personal_number n where n.region = p_region group by n.key_id
    union all
    select 'endpoint', e.key_id, count(*) from endpoint e where e.region = p_region group by e.key_id
$$;

-- A piece of what other keys than the newest sealed, in the order of the ids.
create function sealed_otherwise(p_region text, p_kind text, p_newest text, p_after uuid, p_limit int)
returns table (id uuid, key_id text, ciphertext bytea)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    (select n.token, n.key_id, n.ciphertext from personal_number n
    where p_kind = 'personal_number' and n.region = p_region and n.token > p_after and n.key_id <> p_newest
    order by n.token limit p_limit)
    union all
    (select e.id, e.key_id, e.secret from endpoint e
    where p_kind = 'endpoint' and e.region = p_region and e.id > p_after and e.key_id <> p_newest
    order by e.id limit p_limit)
$$;

-- Put what was sealed again in the place of what it was sealed from, where that is still there.
create function seal_again(
    p_region text, p_kind text, p_newest text, p_ids uuid[], p_old bytea[], p_ciphertexts bytea[]
) returns bigint
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    changed bigint;
begin
    if p_kind = 'personal_number' then
        update personal_number n set key_id = p_newest, ciphertext = s.ciphertext
        from unnest(p_ids, p_old, p_ciphertexts) as s(id, old, ciphertext)
        where n.region = p_region and n.token = s.id and n.ciphertext = s.old;
    else
        update endpoint e set key_id = p_newest, secret = s.ciphertext
        from unnest(p_ids, p_old, p_ciphertexts) as s(id, old, ciphertext)
        where e.region = p_region and e.id = s.id and e.secret = s.old;
    end if;
    get diagnostics changed = row_count;
    perform insist_on_data_keys(p_region, array[p_newest]);
    return changed;
end
$$;

-- Forget a key that seals nothing and that no process seals with any more: a newer one is there for a minute. The locks
-- wait for writes under way, and hold new ones back for as long as the counting takes.
create function destroy_data_key(p_region text, p_id text) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    lock table personal_number, endpoint in share row exclusive mode;
    if exists (select from personal_number where region = p_region and key_id = p_id)
        or exists (select from endpoint where region = p_region and key_id = p_id)
    then
        return false;
    end if;
    delete from data_key k
    where k.region = p_region and k.id = p_id
        and exists (
            select from data_key newer
            where newer.region = p_region and newer.created > k.created
                and newer.created < clock_timestamp() - interval '1 minute');
    return found;
end
$$;

grant execute on function data_keys, add_data_key, rewrap_data_key, data_key_uses, sealed_otherwise, seal_again,
    destroy_data_key to ketenzorg_app;
