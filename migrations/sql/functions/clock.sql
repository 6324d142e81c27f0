-- The clock: what runs in a traject, and telling of what is past.
set local search_path = ketenzorg, pg_temp;

-- The norms and controls that run after a step. One that no longer runs and was past by then stays until it was told
-- of: what was too late was too late, also when nobody looked. p_ended null: what is gone had never begun.
create function set_dues(
    p_region text, p_traject uuid, p_parties uuid[], p_dues jsonb, p_ended timestamptz, p_step text
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    update due d set until = p_ended, step = p_step, look = d.at
    where d.region = p_region and d.traject = p_traject and d.until is null and d.look is not null and d.at < p_ended
        and not exists (
            select from jsonb_to_recordset(p_dues) as n(norm text, began timestamptz, at timestamptz)
            where n.norm = d.norm and n.began = d.began and n.at = d.at);
    delete from due d
    where d.region = p_region and d.traject = p_traject and d.until is null
        and not exists (
            select from jsonb_to_recordset(p_dues) as n(norm text, began timestamptz, at timestamptz)
            where n.norm = d.norm and n.began = d.began and n.at = d.at);
    -- What runs as before keeps its place: the log knows what was told of it, so looking again is never wrong.
    insert into due as d (region, traject, norm, began, within, at, look, parties)
    select p_region, p_traject, n.norm, n.began, n.within, n.at, n.look, p_parties
    from jsonb_to_recordset(p_dues)
        as n(norm text, began timestamptz, within text, at timestamptz, look timestamptz)
    on conflict (region, traject, norm, began, at) do update
        set within = excluded.within, look = excluded.look, until = null, step = null, parties = excluded.parties
        where (d.within, d.until, d.parties) is distinct from (excluded.within, null::timestamptz, excluded.parties);
end
$$;

-- What must be looked at now, the earliest moment first, with all that decides what is told of it. Its trajecten are
-- locked until the transaction ends, and those that somebody else holds are passed over: what is told is told once.
create function claim_due(p_region text, p_now timestamptz, p_most int) returns table (
    traject uuid, norm text, began timestamptz, within text, at timestamptz, look timestamptz, until timestamptz,
    step text, pathway text, version text, municipality text, counts jsonb, roles jsonb, parties uuid[],
    involved uuid[], task uuid, told jsonb)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_past uuid[];
    v_parties text;
    v_trajecten uuid[];
begin
    select array_agg(distinct past.traject), string_agg(distinct party::text, ',') into v_past, v_parties
    from (
        select d.traject, d.parties from due d where d.region = p_region and d.look < p_now
        order by d.look, d.traject, d.norm limit p_most) past, unnest(past.parties) party;
    if v_past is null then
        return;
    end if;
    perform set_config('ketenzorg.callers', v_parties, true);
    -- By its key, one by one: a join would read the whole table for a handful of rows.
    select array_agg(held.id), string_agg(held.parties, ',') into v_trajecten, v_parties
    from unnest(v_past) as past(id)
    cross join lateral (
        select t.id, array_to_string(t.parties, ',') as parties from traject t
        where t.region = p_region and t.id = past.id for update skip locked) held;
    if v_trajecten is null then
        return;
    end if;
    -- The log is that of all who ever took part.
    perform set_config('ketenzorg.callers', v_parties, true);
    -- Read again, now that nobody else writes here.
    return query
    select d.traject, d.norm, d.began, d.within, d.at, d.look, d.until, coalesce(d.step, t.step), t.pathway, t.version,
        t.municipality, t.counts, t.roles, t.parties, coalesce(t.involved, t.parties), t.task,
        (select coalesce(jsonb_agg(jsonb_build_object('kind', e.body -> 'kind', 'after', e.body -> 'after')), '[]')
         from event e
         where e.region = p_region and e.traject = d.traject and e.body ->> 'norm' = d.norm
            and (e.body ->> 'began')::timestamptz = d.began and e.body ->> 'within' = d.within)
    from unnest(v_trajecten) as held(id)
    cross join lateral (
        select * from due d where d.region = p_region and d.traject = held.id and d.look < p_now offset 0) d
    cross join lateral (select * from traject t where t.region = p_region and t.id = held.id limit 1) t
    order by d.look, d.traject, d.norm limit p_most;
end
$$;

-- Write what was told, in the same transaction: the events in their order, who hears of them, and when to look again.
create function tell_due(p_region text, p_callers uuid[], p_now timestamptz, p_told jsonb, p_looks jsonb) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);

    with told as (
        select e.*, row_number() over (partition by e.traject order by e.n) as place
        from rows from (jsonb_to_recordset(p_told) as (
            traject uuid, id uuid, event text, at timestamptz, step text, body jsonb, parties jsonb)) with ordinality
            as e(traject, id, event, at, step, body, parties, n)
    ), moved as (
        update traject t set seq = t.seq + told_of.n
        from (select told.traject, count(*) as n from told group by told.traject) told_of
        where t.region = p_region and t.id = told_of.traject
        returning t.id, t.seq - told_of.n as seq
    )
    insert into event (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)
    select p_region, told.traject, moved.seq + told.place, told.id, told.event, told.at, p_now, told.step, told.step,
        told.body, ids(told.parties)
    from told join moved on moved.id = told.traject
    order by told.n;

    -- Nothing in the Task changed, so it has no new version: the message is about the one that there is.
    perform tell(p_region, ids(e.told), e.traject, e.priority, array['Task'], array[e.task], array[r.version])
    from jsonb_to_recordset(p_told) as e(traject uuid, told jsonb, task uuid, priority text)
    join resource r on r.region = p_region and r.type = 'Task' and r.id = e.task;

    update due d set look = l.look
    from jsonb_to_recordset(p_looks) as l(traject uuid, norm text, began timestamptz, at timestamptz, look timestamptz)
    where d.region = p_region and d.traject = l.traject and d.norm = l.norm and d.began = l.began and d.at = l.at;
    delete from due d
    using jsonb_to_recordset(p_looks) as l(traject uuid, norm text, began timestamptz, at timestamptz)
    where d.region = p_region and d.traject = l.traject and d.norm = l.norm and d.began = l.began and d.at = l.at
        and d.until is not null and d.look is null;
end
$$;

-- When the clock must be looked at next: for a sandbox, in which time passes in leaps.
create function next_look(p_region text) returns timestamptz
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select min(d.look) from due d where d.region = p_region and d.look is not null
$$;

grant execute on function claim_due, tell_due, next_look to ketenzorg_app;
