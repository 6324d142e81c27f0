-- Telling a person what does not arrive.
set local search_path = ketenzorg, pg_temp;

-- What should have arrived by now (p_before: for each priority, from when on it is not too late) and of which nobody
-- knows it: it is known from now on. About what is in a hurry a warning goes out each time, about the rest once an hour.
create function warn_late(p_region text, p_now timestamptz, p_priorities text[], p_before timestamptz[])
returns table (subscription uuid, organisation uuid, priority text, events int)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with late as (
        update outbox o set told = p_now
        from unnest(p_priorities, p_before) as allowed(priority, before)
        cross join lateral (
            select u.id from outbox u
            where u.region = p_region and u.priority = allowed.priority and u.owed_since <= allowed.before
                and u.told is null and u.state <> 'delivered' and u.state <> 'withdrawn'
            order by u.owed_since limit 1000
            for no key update skip locked
        ) due
        where o.region = p_region and o.id = due.id
        returning o.subscription, o.priority, o.owed_since, o.last_error
    ), counted as (
        select s.id, s.organisation, late.priority, count(*)::int as events, min(late.owed_since) as oldest,
            coalesce(max(late.last_error), '') as why
        from late join subscription s on s.region = p_region and s.id = late.subscription
        group by s.id, s.organisation, late.priority
    ), warned as (
        insert into warning (region, id, subscription, at, kind, priority, events, oldest, why)
        select p_region, new_id(), c.id, p_now, 'late', c.priority, c.events, c.oldest, c.why
        from counted c
        where c.priority in ('stat', 'asap') or not exists (
            select from warning w
            where w.region = p_region and w.subscription = c.id and w.kind = 'late'
                and w.at > p_now - interval '1 hour')
    )
    select c.id, c.organisation, c.priority, c.events from counted c
$$;

-- Warnings that nobody has been mailed yet, leased for as long as a mail may take.
create function claim_warnings(p_region text, p_seconds double precision, p_room int)
returns table (id uuid, organisation uuid, contact text, kind text, priority text, events int, oldest timestamptz,
    why text)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with due as (
        select w.id from warning w
        where w.region = p_region and w.mailed is null
            and (w.lease_until is null or w.lease_until < clock_timestamp())
        order by w.at limit p_room
        for no key update skip locked
    ), leased as (
        update warning w set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
        from due where w.region = p_region and w.id = due.id
        returning w.*
    )
    select w.id, s.organisation, s.contact, w.kind, w.priority, w.events, w.oldest, w.why
    from leased w join subscription s on s.region = p_region and s.id = w.subscription
    order by w.at
$$;

create function warning_mailed(p_region text, p_id uuid, p_now timestamptz) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update warning w set mailed = p_now where w.region = p_region and w.id = p_id
$$;

grant execute on function warn_late, claim_warnings, warning_mailed to ketenzorg_app;
