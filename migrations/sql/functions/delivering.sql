-- Sending: which subscriptions have something to do, what they must hear now, and how it went. One process at a time
-- holds a subscription; `p_now` is the schedule's time, which is an argument, and a lease runs by the server's clock.
set local search_path = ketenzorg, pg_temp;

-- What signs for a subscription, the newest first.
create function signing(p_region text, p_subscription uuid) returns setof endpoint
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select e.* from endpoint e
    where e.region = p_region and e.subscription = p_subscription
        and (e.signs_until is null or e.signs_until > clock_timestamp())
    order by e.signs_until desc nulls first, e.id
$$;

-- Lease subscriptions that have something to do, who waited longest first. What waits behind a receiver that rests,
-- behind what was parked, or for a later try costs the others nothing: each is one look at an index.
create function claim_subscriptions(
    p_region text, p_lease uuid, p_seconds double precision, p_now timestamptz, p_room int
) returns table (
    id uuid, organisation uuid, type text, channel text, endpoint text, content text, timeout_s int, heartbeat_s int,
    contact text, status text, error text, answered boolean, failures int, beat_at timestamptz, number bigint,
    secret_ids uuid[], key_ids text[], secrets bytea[])
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    update subscription set status = 'off', error = '', since = p_now, version = version + 1, updated = p_now
    where region = p_region and status <> 'off' and ends <= p_now;

    return query
    with due as (
        select s.id from subscription s
        where s.region = p_region and s.channel <> 'polling'
            and (s.lease_until is null or s.lease_until < clock_timestamp())
            and (s.rest_until is null or s.rest_until <= p_now)
            and (s.status = 'requested' or s.status <> 'off' and s.answered and (
                s.beat_at <= p_now
                or exists (
                    select from outbox o
                    where o.region = p_region and o.subscription = s.id and o.state = 'waiting' and o.run_at <= p_now)
                or exists (
                    select from outbox o
                    where o.region = p_region and o.subscription = s.id and o.state = 'new')))
        order by s.served nulls first
        limit p_room
        for no key update skip locked
    )
    update subscription s set lease = p_lease, served = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    from due where s.region = p_region and s.id = due.id
    returning s.id, s.organisation, s.type, s.channel, s.endpoint, s.content, s.timeout_s, s.heartbeat_s, s.contact,
        s.status, s.error, s.answered, s.failures, s.beat_at, s.number,
        array(select e.id from signing(s.region, s.id) e), array(select e.key_id from signing(s.region, s.id) e),
        array(select e.secret from signing(s.region, s.id) e);
end
$$;

-- Keep leases for longer; what is not among the answers was lost.
create function renew_leases(p_region text, p_ids uuid[], p_leases uuid[], p_seconds double precision)
returns setof uuid
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update subscription s set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    from unnest(p_ids, p_leases) as held(id, lease)
    where s.region = p_region and s.id = held.id and s.lease = held.lease and s.lease_until > clock_timestamp()
    returning s.id
$$;

-- Number what is new. Whoever calls this has locked the subscription, so numbers have no gap and none is given twice;
-- and what is visible of a resource is visible up to some version, so they follow its order. What the organisation may
-- no longer see gets no number: it is as if it had not asked.
create function number_events(p_region text, p_subscription uuid, p_organisation uuid, p_now timestamptz) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
    v_new uuid[];  -- the first of them: who comes back after a long time is not numbered in one piece
begin
    select array(
        select o.id from outbox o
        where o.region = p_region and o.subscription = p_subscription and o.state = 'new'
        order by o.xid, o.id limit 1000
    ) into v_new;
    if v_new = '{}' then
        return;
    end if;
    perform set_config('ketenzorg.callers', p_organisation::text, true);
    delete from outbox o
    where o.region = p_region and o.id = any (v_new)
        and not readable(p_region, p_organisation, o.type, o.resource, o.version);

    with ordered as (
        select o.id, row_number() over (order by o.xid, o.created, o.id) as place
        from outbox o where o.region = p_region and o.id = any (v_new)
    ), numbered as (
        update outbox o set number = s.number + ordered.place, run_at = p_now,
            state = case when exists (
                select from outbox earlier
                where earlier.region = p_region and earlier.subscription = p_subscription
                    and earlier.resource = o.resource and earlier.version < o.version
                    and earlier.state <> 'delivered' and earlier.state <> 'withdrawn')
                then 'queued' else 'waiting' end
        from ordered, subscription s
        where o.region = p_region and o.id = ordered.id and s.region = p_region and s.id = p_subscription
        returning o.number
    )
    update subscription s set number = counted.last
    from (select max(numbered.number) as last from numbered) counted
    where s.region = p_region and s.id = p_subscription and counted.last is not null;
end
$$;

-- What may be sent now under this lease, beside what is being sent; nothing when the lease is no longer ours. Rights
-- are looked at here, at the last moment: an event whose resource may no longer be seen keeps its number, and no more.
create function take_events(
    p_region text, p_subscription uuid, p_lease uuid, p_now timestamptz, p_except uuid[], p_room int
) returns table (
    id uuid, number bigint, type text, resource uuid, version int, created timestamptz, attempts int,
    tried_since timestamptz, readable boolean)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_organisation uuid;
begin
    select s.organisation into v_organisation from subscription s
    where s.region = p_region and s.id = p_subscription and s.lease = p_lease and s.lease_until > clock_timestamp()
    for no key update;
    if not found then
        return;
    end if;
    perform number_events(p_region, p_subscription, v_organisation, p_now);
    perform set_config('ketenzorg.callers', v_organisation::text, true);
    return query
    select o.id, o.number, o.type, o.resource, o.version, o.created, o.attempts, o.tried_since,
        readable(p_region, v_organisation, o.type, o.resource, o.version)
    from outbox o
    where o.region = p_region and o.subscription = p_subscription and o.state = 'waiting' and o.run_at <= p_now
        and o.id <> all (p_except)
    order by o.run_at, o.number
    limit p_room;
end
$$;

-- Write down how sendings ended, of those whose lease still holds: the answer names them. What waited behind one
-- that arrived is next. The subscriptions are locked, so that nothing is queued behind what arrives at this moment.
create function settle_events(
    p_region text, p_now timestamptz, p_id uuid[], p_subscription uuid[], p_lease uuid[], p_state text[],
    p_run_at timestamptz[], p_error text[]
) returns table (id uuid, lease uuid)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform from subscription s where s.region = p_region and s.id = any (p_subscription)
    order by s.id for no key update;

    return query
    with settled as (
        update outbox o set run_at = ended.run_at, last_error = ended.error,
            -- Who asked for an earlier version again gets that first.
            state = case when ended.state = 'waiting' then o.state else ended.state end,
            attempts = o.attempts + 1, tried_since = coalesce(o.tried_since, p_now),
            ended = case when ended.state <> 'waiting' then p_now end
        from unnest(p_id, p_subscription, p_lease, p_state, p_run_at, p_error)
            as ended(id, subscription, lease, state, run_at, error)
        join subscription s on s.region = p_region and s.id = ended.subscription and s.lease = ended.lease
        where o.region = p_region and o.id = ended.id and o.state in ('waiting', 'queued')
        returning o.id, o.subscription, o.resource, o.version, o.state, ended.lease
    ), next as (
        update outbox o set state = 'waiting', run_at = p_now
        from settled
        where settled.state = 'delivered' and o.region = p_region and o.state = 'queued' and o.id = (
            select later.id from outbox later
            where later.region = p_region and later.subscription = settled.subscription
                and later.resource = settled.resource and later.version > settled.version
                and later.state <> 'delivered' and later.state <> 'withdrawn'
            order by later.version limit 1)
    )
    select settled.id, settled.lease from settled;
end
$$;

-- A receiver is back: what was put off because of it goes now.
create function wake(p_region text, p_subscription uuid, p_lease uuid, p_now timestamptz) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update outbox o set run_at = p_now
    from subscription s
    where s.region = p_region and s.id = p_subscription and s.lease = p_lease
        and o.region = p_region and o.subscription = s.id and o.state = 'waiting' and o.run_at > p_now
$$;

-- Give a subscription back, with how it stands. False: it was not ours any more, and nothing was written.
create function let_go(
    p_region text, p_subscription uuid, p_lease uuid, p_now timestamptz, p_status text, p_error text,
    p_answered boolean, p_failures int, p_rest_until timestamptz, p_beat_at timestamptz
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update subscription s set lease = null, lease_until = null, status = p_status, error = p_error,
        answered = p_answered, failures = p_failures, rest_until = p_rest_until, beat_at = p_beat_at,
        since = case when s.status = p_status then s.since else p_now end,
        updated = case when s.status = p_status then s.updated else p_now end,
        version = s.version + (s.status <> p_status)::int
    where s.region = p_region and s.id = p_subscription and s.lease = p_lease;
    if not found then
        return false;
    end if;
    if p_status = 'off' then  -- the receiver wants no more: of what happens from now on it will not hear
        insert into warning (region, id, subscription, at, kind, priority, events, why)
        values (p_region, new_id(), p_subscription, p_now, 'off', '', 0, p_error);
    end if;
    return true;
end
$$;

grant execute on function claim_subscriptions, renew_leases, take_events, settle_events, wake, let_go
    to ketenzorg_app;
