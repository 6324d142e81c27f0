-- How far the work in the background is behind, for who keeps the service running: counts and times, of nobody.
set local search_path = ketenzorg, pg_temp;

create function lags(p_region text, p_now timestamptz)
returns table (waiting bigint, parked bigint, oldest_s float8, clock_s float8, chain_s float8)
language sql stable security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
    select line.waiting, line.parked, coalesce(extract(epoch from p_now - line.oldest), 0)::float8,
        coalesce(extract(epoch from p_now - clock.look), 0)::float8,
        coalesce(extract(epoch from p_now - unchained.at), 0)::float8
    from (
        select count(*) filter (where o.state <> 'parked') as waiting, count(*) filter (where o.state = 'parked') as parked,
            min(o.owed_since) filter (where o.state <> 'parked') as oldest
        from (
            select o.state, o.owed_since from outbox o
            where o.region = p_region and o.state <> 'delivered' and o.state <> 'withdrawn' limit 100000) o
    ) line
    left join lateral (
        select d.look from due d where d.region = p_region and d.look < p_now order by d.look limit 1) clock on true
    left join lateral (
        select a.at from audit a
        where a.region = p_region and (a.xid, a.id) > (
            coalesce((select h.xid from audit_head h where h.region = p_region order by h.n desc limit 1), '0'::xid8),
            coalesce((select h.id from audit_head h where h.region = p_region order by h.n desc limit 1),
                '00000000-0000-0000-0000-000000000000'))
        order by a.xid, a.id limit 1) unchained on true
$$;

grant execute on function lags(text, timestamptz) to ketenzorg_app;

-- Whether rows are stamped later than anything that could be written now: somebody else than `ketenzorg restore` put
-- them there, and what comes now would be told, chained and counted before them.
create function stamped_ahead() returns boolean
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select exists (
        select from (select distinct region from data_key) r cross join lateral (
            select a.xid from audit a where a.region = r.region order by a.xid desc, a.id desc limit 1) newest
        where newest.xid::text::bigint
            >= transactions_before() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
$$;

grant execute on function stamped_ahead() to ketenzorg_app;
