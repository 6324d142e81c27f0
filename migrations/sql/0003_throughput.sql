-- What is counted: the event log, folded into cells of a few numbers. Codes and organisations only; no cell names
-- a person or a traject.
set local search_path = ketenzorg, pg_temp;

create table throughput_cell (
    region       text collate "C" not null,
    pathway      text collate "C" not null,
    organisation uuid not null,             -- requester or owner; nil: everybody
    kind         text collate "C" not null, -- ketenzorg.throughput.facts says which there are
    day          date not null,             -- Monday of the week that it belongs to; of what is open the day itself
    municipality text collate "C" not null,
    name         text collate "C" not null, -- of the step, the norm or the exit
    detail       text collate "C" not null,
    outcome      text collate "C" not null,
    days         integer not null,
    due          timestamptz not null,      -- of what is open; infinity: nothing
    n            integer not null,
    firsts       integer not null,          -- of those, how many are the first of their traject
    primary key (region, pathway, organisation, kind, day, municipality, name, detail, outcome, days, due)
);
create index throughput_cell_empty on throughput_cell (region) where n = 0;

-- Up to where the log is counted, in the order of commits. While `sweep` is there, the trajecten up to it are
-- counted as they were at (xid, id).
create table throughput_cursor (
    region text collate "C" primary key,
    xid    xid8 not null,
    id     uuid not null,
    sweep  uuid,
    stamp  text collate "C" not null        -- of the definitions that the cells were counted with
);

do $$
declare name text;
begin
    foreach name in array array['throughput_cell', 'throughput_cursor'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;

-- Counting reads the log of everybody, inside the functions below only; they take the setting back.
create policy counted on event for select to ketenzorg_owner
    using (region = (select nullif(current_setting('ketenzorg.counting', true), '')));

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
                and e.xid < pg_snapshot_xmin(pg_current_snapshot())
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

-- Add what a piece of work changes, and move on. False: another one did that piece, and nothing was written.
create function add_counts(
    p_region text, p_xid text, p_id uuid, p_sweep uuid, p_stamp text,
    p_next_xid text, p_next_id uuid, p_next_sweep uuid,
    d_pathway text[], d_organisation uuid[], d_kind text[], d_day date[], d_municipality text[], d_name text[],
    d_detail text[], d_outcome text[], d_days int[], d_due timestamptz[], d_n int[], d_firsts int[]
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update throughput_cursor set xid = p_next_xid::xid8, id = p_next_id, sweep = p_next_sweep
    where region = p_region and xid = p_xid::xid8 and id = p_id and sweep is not distinct from p_sweep
        and stamp = p_stamp;
    if not found then
        return false;
    end if;
    insert into throughput_cell as c (region, pathway, organisation, kind, day, municipality, name, detail, outcome,
        days, due, n, firsts)
    select p_region, d.pathway, d.organisation, d.kind, d.day, d.municipality, d.name, d.detail, d.outcome,
        d.days, coalesce(d.due, 'infinity'), d.n, d.firsts
    from unnest(d_pathway, d_organisation, d_kind, d_day, d_municipality, d_name, d_detail, d_outcome, d_days,
        d_due, d_n, d_firsts)
        as d(pathway, organisation, kind, day, municipality, name, detail, outcome, days, due, n, firsts)
    on conflict (region, pathway, organisation, kind, day, municipality, name, detail, outcome, days, due)
        do update set n = c.n + excluded.n, firsts = c.firsts + excluded.firsts;
    delete from throughput_cell where region = p_region and n = 0;
    return true;
end
$$;

-- How many events stand in the log that are not counted yet, as far as p_most.
create function counts_behind(p_region text, p_most int) returns int
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    behind int;
begin
    perform set_config('ketenzorg.counting', p_region, true);
    select count(*) into behind from (
        select 1 from event e left join throughput_cursor c on c.region = p_region
        where e.region = p_region and (c.region is null or c.sweep is not null or (e.xid, e.id) > (c.xid, c.id))
        limit p_most) s;
    perform set_config('ketenzorg.counting', '', true);
    return behind;
end
$$;

-- The cells of a pathway, for everybody (nil) or for these organisations, each apart, and apart as far as asked:
-- what has a length and began in the period, what is open now with its age, and what came and went.
create function read_counts(
    p_region text, p_pathway text, p_organisations uuid[], p_municipality text, p_from date, p_to date,
    p_kinds text[], p_by_municipality boolean, p_by_week boolean, p_now timestamptz, p_today date
) returns table (organisation uuid, municipality text, week date, kind text, name text, detail text, outcome text,
    days int[], n int[], firsts int[])
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with summed as (
        select c.organisation, case when p_by_municipality then c.municipality else '' end as municipality,
            case when p_by_week or c.kind in ('in', 'out') then c.day - (extract(isodow from c.day)::int - 1)
            end as week,
            c.kind, c.name, c.detail, case when c.due < p_now then 'late' else c.outcome end as outcome,
            -- Of what is open, only what began in the period has a length that counts.
            case when c.kind in ('stay', 'clock', 'out') then c.days
                when c.kind in ('open-stay', 'open-clock') and c.day between p_from and p_to
                    then greatest(0, p_today - c.day)
                else -1 end as days,
            sum(c.n)::int as n, sum(c.firsts)::int as firsts
        from throughput_cell c
        where c.region = p_region and c.pathway = p_pathway and c.organisation = any (p_organisations)
            and c.kind = any (p_kinds) and (p_municipality is null or c.municipality = p_municipality)
            -- What is open now, and what came and went, is needed from before the period too.
            and (c.day between p_from and p_to or c.kind not in ('stay', 'clock'))
        group by 1, 2, 3, 4, 5, 6, 7, 8
    )
    select s.organisation, s.municipality, s.week, s.kind, s.name, s.detail, s.outcome,
        array_agg(s.days), array_agg(s.n), array_agg(s.firsts)
    from summed s group by 1, 2, 3, 4, 5, 6, 7
$$;

revoke execute on function reset_counts, next_counts, logs_to_count, add_counts, counts_behind, read_counts
    from public;
grant execute on function reset_counts, next_counts, logs_to_count, add_counts, counts_behind, read_counts
    to ketenzorg_app;
