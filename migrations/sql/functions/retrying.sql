-- A sender's Idempotency-Key: claimed before the work, answered after it, kept for as long as we promise.
set local search_path = ketenzorg, pg_temp;

-- Claim a key: `mine`, or what is known of it. `same`: it came with the same body; no answer: somebody works on it.
-- Who died at work holds it for p_under_way_s seconds. An answer that is given again goes on record as a reading.
create function claim_key(
    p_region text, p_organisation uuid, p_key bytea, p_body bytea, p_claim uuid, p_access jsonb,
    p_kept_s float8, p_under_way_s float8
) returns table (mine boolean, same boolean, about text, answer bytea)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    now timestamptz := clock_timestamp();
    too_old timestamptz := now - make_interval(secs => p_kept_s);
    known idempotency_key;
begin
    perform set_config('ketenzorg.callers', p_organisation::text, true);
    -- Each that comes takes two that are too old with it: so there are never more than come in that time.
    delete from idempotency_key old
    using (
        select k.organisation, k.key from idempotency_key k where k.region = p_region and k.at < too_old
        order by k.region, k.at limit 2 for update skip locked
    ) gone
    where old.region = p_region and old.organisation = gone.organisation and old.key = gone.key;

    insert into idempotency_key as k (region, organisation, key, body, claim, at)
    values (p_region, p_organisation, p_key, p_body, p_claim, now)
    on conflict (region, organisation, key) do update
        set claim = excluded.claim, at = excluded.at, body = excluded.body, about = null, answer = null
        where k.at < too_old
            or (k.answer is null and k.body = excluded.body and k.at < now - make_interval(secs => p_under_way_s))
    returning * into known;
    if found then
        return query select true, true, null::text, null::bytea;
        return;
    end if;

    select * into known from idempotency_key k
    where k.region = p_region and k.organisation = p_organisation and k.key = p_key;
    if known.body = p_body and known.answer is not null then
        perform note(p_region, p_access || '{"action": "R"}', known.about, 1, array(
            select r.traject from resource r
            where r.region = p_region and r.type = split_part(known.about, '/', 1)
                and r.id = split_part(known.about, '/', 2)::uuid and r.traject is not null));
    end if;
    return query select false, known.body = p_body, known.about, case when known.body = p_body then known.answer end;
end
$$;

create function keep_answer(
    p_region text, p_organisation uuid, p_key bytea, p_claim uuid, p_about text, p_answer bytea
) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update idempotency_key k set about = p_about, answer = p_answer
    where k.region = p_region and k.organisation = p_organisation and k.key = p_key and k.claim = p_claim
$$;

-- Nothing came of it: the same key may come again.
create function give_key_back(p_region text, p_organisation uuid, p_key bytea, p_claim uuid) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    delete from idempotency_key k
    where k.region = p_region and k.organisation = p_organisation and k.key = p_key and k.claim = p_claim
        and k.answer is null
$$;

grant execute on function claim_key, keep_answer, give_key_back to ketenzorg_app;
