-- What arrived long ago goes, so that the tables do not grow with time; what has not arrived stays, however old it is.
set local search_path = ketenzorg, pg_temp;

-- Take away some of what was over before a moment; how many events went.
create function forget_events(p_region text, p_before timestamptz, p_most int) returns int
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
    v_old uuid[];
    v_gone int;
begin
    select array(
        select old.id from subscription s
        cross join lateral (
            select o.id from outbox o
            where o.region = p_region and o.subscription = s.id and o.state in ('delivered', 'withdrawn')
                and o.ended < p_before
            order by o.ended limit p_most) old
        where s.region = p_region
        limit p_most
    ) into v_old;
    -- Who asks for one of them again at this moment gets it.
    delete from outbox o
    where o.region = p_region and o.id = any (v_old) and o.state in ('delivered', 'withdrawn') and o.ended < p_before;
    get diagnostics v_gone = row_count;
    delete from warning w where w.region = p_region and w.mailed < p_before;
    return v_gone;
end
$$;

-- The first number from one on that is still there; null: none is.
create function first_number_from(p_region text, p_callers uuid[], p_subscription uuid, p_since bigint) returns bigint
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select o.number
    from subscription s
    cross join lateral (
        select o.number from outbox o
        where o.region = p_region and o.subscription = s.id and o.number >= p_since
        order by o.number limit 1) o
    where s.region = p_region and s.id = p_subscription and s.organisation = any (p_callers)
$$;

grant execute on function forget_events, first_number_from to ketenzorg_app;
