-- The event log folded into cells, and read from them.
set local search_path = ketenzorg, pg_temp;

-- Count everything again from nothing, with these definitions.
create function reset_counts(p_region text, p_stamp text) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into throughput_cursor as c (region, xid, id, sweep, stamp)
    values (p_region, pg_snapshot_xmin(pg_current_snapshot()), '00000000-0000-0000-0000-000000000000',
        '00000000-0000-0000-0000-000000000000', p_stamp)
    on conflict (region) do update set xid = excluded.xid, id = excluded.id, sweep = excluded.sweep,
        stamp = excluded.stamp;
    delete from throughput_cell where region = p_region;
end
$$;

-- The next piece of work: the trajecten of the next events that can no longer be overtaken by an earlier one, or
-- the next trajecten of a sweep. No row: nothing was ever counted.
create function next_counts(p_region text, p_events int, p_trajecten int)
returns table (xid text, id uuid, sweep uuid, stamp text, next_xid text, next_id uuid, next_sweep uuid,
    events int, trajecten uuid[])
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    here throughput_cursor%rowtype;
    v_trajecten uuid[];
    v_events int := 0;
    v_xid xid8;
    v_id uuid;
begin
    select c.* into here from throughput_cursor c where c.region = p_region;
    if not found then
        return;
    end if;
    perform set_config('ketenzorg.counting', p_region, true);
    if here.sweep is not null then
        select array_agg(s.traject order by s.traject) into v_trajecten from (
            select e.traject from event e
            where e.region = p_region and e.traject > here.sweep and e.seq = 1
            order by e.traject limit p_trajecten) s;
    else
        with page as materialized (
            select e.traject, e.xid, e.id from event e
            where e.region = p_region and (e.xid, e.id) > (here.xid, here.id)
                and e.xid < settled()
            order by e.xid, e.id limit p_events
        )
        select count(*), array_agg(distinct p.traject),
            (select last.xid from page last order by last.xid desc, last.id desc limit 1),
            (select last.id from page last order by last.xid desc, last.id desc limit 1)
        into v_events, v_trajecten, v_xid, v_id from page p;
    end if;
    perform set_config('ketenzorg.counting', '', true);
    return query select here.xid::text, here.id, here.sweep, here.stamp, coalesce(v_xid, here.xid)::text,
        coalesce(v_id, here.id), case when here.sweep is not null then v_trajecten[cardinality(v_trajecten)] end,
        v_events, v_trajecten;
end
$$;

-- The events of these trajecten up to (p_next_xid, p_next_id); `counted` are those up to (p_xid, p_id).
create function logs_to_count(p_region text, p_trajecten uuid[], p_xid text, p_id uuid, p_next_xid text, p_next_id uuid)
returns table (traject uuid, seq int, counted boolean, body text)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.counting', p_region, true);
    return query
    select e.traject, e.seq, (e.xid, e.id) <= (p_xid::xid8, p_id), e.body::text from event e
    where e.region = p_region and e.traject = any (p_trajecten) and (e.xid, e.id) <= (p_next_xid::xid8, p_next_id)
    order by e.traject, e.seq;
    perform set_config('ketenzorg.counting', '', true);
end
$$;

-- The first Monday of the block of eight weeks of a Monday; ketenzorg.throughput.selection cuts periods alike.
create function block_of(p_monday date) returns date language sql immutable as $$
    select p_monday - (((p_monday - date '2001-01-01') % 56) + 56) % 56
$$;

-- Add what a piece of work changes, and move on. False: another one did that piece, and nothing was written.
create function add_counts(
    p_region text, p_xid text, p_id uuid, p_sweep uuid, p_stamp text,
    p_next_xid text, p_next_id uuid, p_next_sweep uuid,
    d_pathway text[], d_requester uuid[], d_owner uuid[], d_municipality text[], d_kind text[], d_day date[],
    d_name text[], d_detail text[], d_outcome text[], d_place int[], d_first boolean[], d_n int[]
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update throughput_cursor set xid = p_next_xid::xid8, id = p_next_id, sweep = p_next_sweep
    where region = p_region and xid = p_xid::xid8 and id = p_id and sweep is not distinct from p_sweep
        and stamp = p_stamp;
    if not found then
        return false;
    end if;
    with changed as (
        select d.pathway, o.side, o.organisation, d.kind, d.day, d.municipality, d.name, d.detail, d.outcome, d.first,
            sum(d.n * ('1e' || 8 * d.place)::numeric) as numbers
        from unnest(d_pathway, d_requester, d_owner, d_municipality, d_kind, d_day, d_name, d_detail, d_outcome, d_place,
            d_first, d_n)
            as d(pathway, requester, owner, municipality, kind, day, name, detail, outcome, place, first, n)
        cross join lateral (values ('everybody', '00000000-0000-0000-0000-000000000000'::uuid), ('owner', d.owner),
            ('requester', d.requester)) as o(side, organisation)
        where o.side <> 'requester' or d.requester <> d.owner  -- who refers to itself has one traject, not two
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    )
    insert into throughput_cell as c (region, pathway, side, organisation, kind, grain, day, municipality, name, detail,
        outcome, first, numbers)
    select p_region, d.pathway, d.side, d.organisation, d.kind, g.grain, g.day, g.municipality, d.name, d.detail,
        d.outcome, d.first, sum(d.numbers)
    from changed d
    cross join lateral (values
        ('place', d.day, d.municipality, d.kind not in ('stay', 'clock')),
        ('week', d.day, d.municipality, d.kind in ('stay', 'clock')),
        ('block', block_of(d.day), d.municipality, d.kind in ('stay', 'clock') and d.side = 'everybody'),
        ('week everywhere', d.day, '', d.kind in ('stay', 'clock') and d.side = 'everybody'),
        ('block everywhere', block_of(d.day), '', d.kind in ('stay', 'clock') and d.side <> 'requester')
    ) as g(grain, day, municipality, kept)
    where g.kept
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    on conflict (region, pathway, side, organisation, kind, grain, day, municipality, name, detail, outcome, first)
        do update set numbers = c.numbers + excluded.numbers;
    return true;
end
$$;

-- How many events stand in the log that are not counted yet, as far as p_most.
create function counts_behind(p_region text, p_most int) returns int
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    here throughput_cursor%rowtype;
    behind int := p_most;
begin
    select c.* into here from throughput_cursor c where c.region = p_region;
    if found and here.sweep is null then
        perform set_config('ketenzorg.counting', p_region, true);
        select count(*) into behind from (
            select from event e where e.region = p_region and (e.xid, e.id) > (here.xid, here.id) limit p_most) s;
        perform set_config('ketenzorg.counting', '', true);
    end if;
    return behind;
end
$$;

-- The cells of a pathway, of these sides, for everybody (nil) or for these organisations, each apart, added up: what has
-- a length over these spans (a grain, and days from and to; each is of a part of the period), and all of what is open
-- now and of what came and went. Of one municipality, or (null) of all, which `p_places` keeps apart. Only clocks with
-- these names, or (null) all. `day` only where days are apart, and why only of what was refused.
create function read_counts(
    p_region text, p_pathway text, p_sides text[], p_organisations uuid[], p_municipality text, p_kinds text[],
    p_names text[], p_grains text[], p_from date[], p_to date[], p_parts int[], p_places boolean, p_by_week boolean
) returns table (organisation uuid, municipality text, kind text, name text, detail text, outcome text,
    first boolean, part int, day date, numbers text)
language sql security definer set search_path = ketenzorg, pg_temp
-- Span by span along the key: it reads a tenth of the table, but the planner cannot know that of the arguments.
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off as $$
    select c.organisation, case when p_places then c.municipality end, c.kind, c.name, c.detail, c.outcome, c.first, s.part,
        case when p_by_week then c.day end, sum(c.numbers)::text
    from unnest(p_grains, p_from, p_to, p_parts) as s(grain, first_day, last_day, part)
    join throughput_cell c on c.grain = s.grain and c.day between s.first_day and s.last_day
    where c.region = p_region and c.pathway = p_pathway and c.side = any (p_sides)
        and c.organisation = any (p_organisations) and c.kind = any (p_kinds) and c.kind in ('stay', 'clock')
        and (p_municipality is null or c.municipality = p_municipality) and (p_names is null or c.kind not in ('clock', 'open-clock', 'due-clock') or c.name = any (p_names))
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    union all
    select c.organisation, case when p_places then c.municipality end, c.kind, c.name,
        case when c.kind <> 'out' or c.name = 'rejected_by_receiver' then c.detail else '' end, c.outcome, c.first, 0, c.day,
        sum(c.numbers)::text
    from throughput_cell c
    where c.region = p_region and c.pathway = p_pathway and c.side = any (p_sides)
        and c.organisation = any (p_organisations) and c.kind = any (p_kinds) and c.grain = 'place'
        and (p_municipality is null or c.municipality = p_municipality) and (p_names is null or c.kind not in ('clock', 'open-clock', 'due-clock') or c.name = any (p_names))
    group by 1, 2, 3, 4, 5, 6, 7, 9
$$;

grant execute on function reset_counts, next_counts, logs_to_count, add_counts, counts_behind, read_counts
    to ketenzorg_app;
