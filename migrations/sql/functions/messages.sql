-- What the people of an organisation see of its messages. There are numbers, moments and the organisation's own Tasks in it, and
-- nothing of a patient.
set local search_path = ketenzorg, pg_temp;

-- How many of something there are, as far as it is worth counting.
create function messages_in(p_region text, p_subscription uuid, p_states text[], p_most int) returns int
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select count(*)::int from (
        select from unnest(p_states) as wanted(state)
        cross join lateral (
            select from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.state <> 'delivered'
                and o.state = wanted.state
            limit p_most) found
        limit p_most) counted
$$;

-- The subscriptions of an organisation: how each fares, and how much there is of what has not arrived.
create function mailboxes_of(p_region text, p_callers uuid[], p_most int)
returns table (id uuid, type text, channel text, endpoint text, contact text, status text, since timestamptz, error text,
    number bigint, rest_until timestamptz, last timestamptz, parked int, waiting int)
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select s.id, s.type, s.channel, s.endpoint, s.contact, s.status, s.since, s.error, s.number, s.rest_until,
        (select o.ended from outbox o
         where o.region = p_region and o.subscription = s.id and o.state in ('delivered', 'withdrawn') and o.state = 'delivered'
         order by o.ended desc limit 1),
        messages_in(p_region, s.id, array['parked'], p_most),
        messages_in(p_region, s.id, array['new', 'waiting', 'queued'], p_most)
    from subscription s
    where s.region = p_region and s.organisation = any (p_callers)
    order by s.id
$$;

-- A page of one list: 'parked' by number, 'waiting' by when it is tried next, 'delivered' the last first; after the line that
-- is named. Of what waits only the first of each resource is tried: the others are counted as behind it.
create function messages_of(
    p_region text, p_callers uuid[], p_access jsonb, p_subscription uuid, p_list text, p_at timestamptz, p_number bigint,
    p_limit int
) returns table (number bigint, type text, version int, created timestamptz, ended timestamptz, attempts int,
    run_at timestamptz, error text, behind int, task uuid, pathway text, pathway_version text)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_ids uuid[];
begin
    perform from subscription s
    where s.region = p_region and s.id = p_subscription and s.organisation = any (p_callers);
    if not found then
        perform note_looks(p_region, p_callers, p_access, 'Subscription/' || p_subscription, '{}', '4');
        return;
    end if;
    if p_list = 'parked' then
        select array(
            select o.id from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.state = 'parked' and o.number > p_number
            order by o.number limit p_limit) into v_ids;
    elsif p_list = 'waiting' then
        select array(
            select o.id from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.state = 'waiting'
                and o.run_at >= p_at and (o.run_at, o.number) > (p_at, p_number)
            order by o.run_at, o.number limit p_limit) into v_ids;
    else
        select array(
            select o.id from outbox o
            where o.region = p_region and o.subscription = p_subscription and o.state in ('delivered', 'withdrawn')
                and o.state = 'delivered' and (o.ended, o.number) < (p_at, p_number)
            order by o.ended desc, o.number desc limit p_limit) into v_ids;
    end if;
    perform note_looks(p_region, p_callers, p_access, 'Subscription/' || p_subscription,
        array(select distinct o.traject from outbox o where o.region = p_region and o.id = any (v_ids)));
    return query
    select o.number, o.type, o.version, o.created, o.ended, o.attempts, o.run_at, coalesce(o.last_error, ''), (
            select count(*)::int from (
                select from outbox later
                where later.region = p_region and later.subscription = p_subscription and later.resource = o.resource
                    and later.state <> 'delivered' and later.version > o.version and later.state = 'queued'
                limit 100) counted),
        own.task, own.pathway, own.version
    from unnest(v_ids) with ordinality as listed(id, place)
    cross join lateral (select * from outbox x where x.region = p_region and x.id = listed.id limit 1) o
    left join lateral (
        select p.task, p.pathway, p.version from part p
        where p.region = p_region and p.organisation = any (p_callers) and p.traject = o.traject
        order by p.edition desc, p.role limit 1) own on true
    order by listed.place;
end
$$;

-- Who takes part in these trajecten and has not got what it was sent within its limit (p_before: from when on it is not too
-- late, for each priority), and did nothing there since: who acted knows. Who turned its own subscription off wants nothing.
create function not_reached(
    p_region text, p_callers uuid[], p_trajecten uuid[], p_priorities text[], p_before timestamptz[]
) returns table (traject uuid, organisation uuid)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return query
    select distinct course.id, receiver.organisation
    from unnest(p_trajecten) as asked(id)
    cross join lateral (
        select t.id, coalesce(t.involved, t.parties) as involved from traject t
        where t.region = p_region and t.id = asked.id limit 1) course
    cross join lateral (
        select o.subscription, o.xid from outbox o
        where o.region = p_region and o.traject = course.id and o.state <> 'delivered' and o.state <> 'withdrawn'
            and o.owed_since <= p_before[array_position(p_priorities, o.priority)]
        limit 1000) late
    cross join lateral (
        select s.organisation from subscription s
        where s.region = p_region and s.id = late.subscription and not (s.status = 'off' and s.error = '')
        limit 1) receiver
    where receiver.organisation <> all (p_callers) and course.involved @> array[receiver.organisation]
        and course.involved && p_callers
        and not exists (
            select from event e
            where e.region = p_region and e.traject = course.id and e.xid >= late.xid
                and e.body ->> 'kind' not like 'norm-%'
                and coalesce(e.body ->> 'organisation', e.body ->> 'requester') = receiver.organisation::text);
end
$$;

grant execute on function mailboxes_of, messages_of, not_reached to ketenzorg_app;
