-- What there was to hear, and hearing it again.
set local search_path = ketenzorg, pg_temp;

-- Of these resources the earliest that has not arrived is the one to send. Runs with the subscription locked.
create function line_up(p_region text, p_subscription uuid, p_resources uuid[], p_now timestamptz) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update outbox o set run_at = case when heads.is_first then p_now else o.run_at end,
        state = case when heads.is_first then 'waiting' else 'queued' end
    from (
        select line.id, line.state, row_number() over (partition by line.resource order by line.version) = 1 as is_first
        from outbox line
        where line.region = p_region and line.subscription = p_subscription and line.resource = any (p_resources)
            and line.state in ('waiting', 'queued', 'parked')
    ) heads
    where o.region = p_region and o.id = heads.id and heads.state <> 'parked'
        and o.state <> case when heads.is_first then 'waiting' else 'queued' end
$$;

-- Events from one number to another, as far as there are, for who asks for them itself. Who polls is numbered here, and
-- says by the number that it asks from that all before it has arrived. On record is of whom something was heard; asking
-- again and again whether there is anything is no look.
create function events_of(
    p_region text, p_callers uuid[], p_access jsonb, p_subscription uuid, p_since bigint, p_until bigint,
    p_now timestamptz, p_limit int
) returns table (
    id uuid, number bigint, type text, resource uuid, version int, created timestamptz, attempts int,
    tried_since timestamptz, readable boolean)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    polling subscription;
begin
    select s.* into polling from subscription s
    where s.region = p_region and s.id = p_subscription and s.organisation = any (p_callers) and s.channel = 'polling'
        and s.status <> 'off'
    for no key update;
    if found then
        perform number_events(p_region, p_subscription, polling.organisation, p_now);
        update outbox o set state = 'delivered', ended = p_now
        where o.region = p_region and o.subscription = p_subscription and o.number < p_since
            and o.state <> 'delivered';
    end if;
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return query
    with heard as materialized (
        select o.*, readable(p_region, s.organisation, o.type, o.resource, o.version) as readable
        from outbox o join subscription s on s.region = p_region and s.id = o.subscription
        where o.region = p_region and o.subscription = p_subscription and s.organisation = any (p_callers)
            and o.number between p_since and p_until
        order by o.number
        limit p_limit
    ), noted as materialized (
        select note(p_region, p_access, 'Subscription/' || p_subscription, null,
            array(select distinct h.traject from heard h where h.readable))
    )
    select h.id, h.number, h.type, h.resource, h.version, h.created, h.attempts, h.tried_since, h.readable
    from heard h cross join noted
    order by h.number;
end
$$;

-- Send again what is in one of these states, from one number to another, the first so many; how many that are. Null: no
-- such subscription of the caller. On record is of whom something is told again.
create function resend_events(
    p_region text, p_callers uuid[], p_subscription uuid, p_since bigint, p_until bigint, p_now timestamptz,
    p_access jsonb, p_states text[], p_most int
) returns int
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
    v_chosen uuid[];
    v_again uuid[];
    v_trajecten uuid[];
begin
    perform from subscription s
    where s.region = p_region and s.id = p_subscription and s.organisation = any (p_callers)
    for no key update;
    if not found then
        perform note(p_region, p_access, 'Subscription/' || p_subscription, null, '{}', '4');
        return null;
    end if;
    if p_states = '{parked}' then  -- of which there are few, and anywhere
        v_chosen := array(
            select o.id from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.state = 'parked'
                and o.number between p_since and p_until
            order by o.number limit p_most);
    else
        v_chosen := array(
            select o.id from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.number between p_since and p_until
                and o.state = any (p_states)
            order by o.number limit p_most);
    end if;
    with again as (
        update outbox o set state = 'queued', attempts = 0, tried_since = null, last_error = null, ended = null,
            told = null, owed_since = p_now
        where o.region = p_region and o.id = any (v_chosen) and o.state = any (p_states)
        returning o.resource, o.traject
    )
    select array_agg(again.resource), array_agg(distinct again.traject) into v_again, v_trajecten from again;
    perform line_up(p_region, p_subscription, v_again, p_now);
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    perform note(p_region, p_access, 'Subscription/' || p_subscription, null, coalesce(v_trajecten, '{}'));
    return coalesce(cardinality(v_again), 0);
end
$$;

-- What has not arrived, for the people who keep the service running: ids and reasons only.
create function outbox_state(p_region text)
returns table (id uuid, receiver uuid, type text, resource uuid, version int, number bigint, state text,
    attempts int, run_at timestamptz, last_error text)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select o.id, s.organisation, o.type, o.resource, o.version, o.number, o.state, o.attempts, o.run_at, o.last_error
    from outbox o join subscription s on s.region = o.region and s.id = o.subscription
    where o.region = p_region and o.state <> 'delivered'
    order by s.organisation, s.id, o.resource, o.version
$$;

-- Send a parked event again, from the start of its tries.
create function release_event(p_region text, p_id uuid, p_now timestamptz, p_access jsonb) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select coalesce(sum(resend_events(p_region, array[s.organisation], s.id, o.number, o.number, p_now, p_access,
        array['parked'], 1)), 0) > 0
    from outbox o join subscription s on s.region = o.region and s.id = o.subscription
    where o.region = p_region and o.id = p_id and o.state = 'parked'
$$;

grant execute on function events_of, resend_events, outbox_state, release_event to ketenzorg_app;
