-- A step in a traject: what it is now, and what a party made of it.
set local search_path = ketenzorg, pg_temp;

-- The traject that a Task belongs to, with the three resources that tell of it. p_shown: its reader gets to see the Task,
-- which goes on record here; who only loads it to change it is on record by the change. So is who may not.
create function load_traject(p_region text, p_callers uuid[], p_task uuid, p_access jsonb, p_shown boolean) returns table (
    id uuid, pathway text, version text, step text, counts jsonb, happened jsonb, seq int, service_request uuid,
    care_plan uuid, task uuid, roles jsonb, phases jsonb, parties uuid[], involved uuid[], municipality text,
    started timestamptz, ended timestamptz, task_version int, task_updated timestamptz, task_parties uuid[],
    task_body bytea,
    request_version int, request_parties uuid[], request_body bytea,
    plan_version int, plan_parties uuid[], plan_body bytea,
    asides jsonb, aside_ids uuid[], aside_versions int[], aside_bodies bytea[])
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return query
    select t.id, t.pathway, t.version, t.step, t.counts, t.happened, t.seq, t.service_request, t.care_plan, t.task,
        t.roles, t.phases, t.parties, coalesce(t.involved, t.parties), t.municipality, t.started, t.ended,
        task.version, task.updated, task.parties, task.body, request.version, request.parties, request.body,
        plan.version, plan.parties, plan.body,
        t.asides, aside.ids, aside.versions, aside.bodies
    -- Each by its key: a join may choose to read all resources of a type for one of them.
    from (select * from resource r where r.region = p_region and r.type = 'Task' and r.id = p_task limit 1) task
    cross join lateral (select * from traject t where t.region = p_region and t.id = task.traject limit 1) t
    -- Who was asked and has not been chosen no longer sees what was asked.
    left join lateral (
        select * from resource r where r.region = p_region and r.type = 'ServiceRequest' and r.id = t.service_request
        limit 1
    ) request on true
    -- Who has no part in the hand-over that runs now no longer follows the plan.
    left join lateral (
        select * from resource r where r.region = p_region and r.type = 'CarePlan' and r.id = t.care_plan limit 1
    ) plan on true
    left join lateral (
        select array_agg(each.id) as ids, array_agg(each.version) as versions, array_agg(each.body) as bodies
        from jsonb_each_text(t.asides) named
        cross join lateral (
            select * from resource r where r.region = p_region and r.type = 'Task' and r.id = named.value::uuid limit 1
        ) each
    ) aside on t.asides <> '{}';
    if not found then
        perform note(p_region, p_access, 'Task/' || p_task, null, '{}', '4');
    elsif p_shown then
        perform note(p_region, p_access, 'Task/' || p_task, task.version, array[task.traject])
        from resource task where task.region = p_region and task.type = 'Task' and task.id = p_task;
    end if;
end
$$;

-- Before several steps in one transaction: nobody else steps in the trajecten of these resources until it ends, and two
-- that hold the same wait in one order. The versions as they are now, of those that the callers see.
create function hold_trajecten(p_region text, p_callers uuid[], p_types text[], p_ids uuid[])
returns table (type text, id uuid, version int)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_traject uuid;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    for v_traject in
        select distinct r.traject from unnest(p_types, p_ids) as asked(type, id)
        cross join lateral (
            select * from resource r where r.region = p_region and r.type = asked.type and r.id = asked.id limit 1
        ) r
        order by r.traject
    loop
        perform from traject t where t.region = p_region and t.id = v_traject for update;
    end loop;
    return query
    select asked.type, asked.id, r.version from unnest(p_types, p_ids) as asked(type, id)
    cross join lateral (
        select * from resource r where r.region = p_region and r.type = asked.type and r.id = asked.id limit 1
    ) r;
end
$$;

-- Store a step: the traject, the new versions, what happened, who must hear. False: somebody was first, and
-- nothing was written.
create function store_step(
    p_region text, p_callers uuid[], p_step jsonb,
    r_type text[], r_id uuid[], r_version int[], r_body bytea[],
    t_add boolean[], t_resource int[], t_parties text[], t_param text[], t_code text[], t_system text[],
    f_add boolean[], f_resource int[], f_parties text[], f_param text[], f_target uuid[], f_type text[],
    d_add boolean[], d_resource int[], d_parties text[], d_param text[], d_low timestamptz[], d_high timestamptz[]
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_traject uuid := p_step ->> 'traject';
    v_at timestamptz := p_step ->> 'at';
    written int := 0;
    sees text[];  -- who sees each of the resources: arrays of an array must be equally long
    further record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    if p_step -> 'consent' -> 'weighed' <> 'null' then
        perform insist_on_weighed(p_region, v_traject, ids(p_step -> 'consent' -> 'weighed'));
    end if;

    update traject set step = p_step ->> 'step', counts = p_step -> 'counts', happened = p_step -> 'happened',
        roles = p_step -> 'roles', phases = p_step -> 'phases', parties = ids(p_step -> 'parties'), involved = ids(p_step -> 'involved'),
        asides = coalesce(p_step -> 'asides', asides), seq = seq + 1, task = (p_step ->> 'open_task')::uuid, ended = (p_step ->> 'ended')::timestamptz,
        due = (p_step -> 'dues' -> 0 ->> 'at')::timestamptz, due_norm = p_step -> 'dues' -> 0 ->> 'norm'
    where region = p_region and id = v_traject and seq = (p_step ->> 'seq')::int;
    if not found then
        return false;
    end if;
    if p_step -> 'identity' <> 'null' then  -- data that were sent before are not taken a second time
        insert into referral_identity (region, organisation, system, value, hash, traject, locations)
        select p_region, (p_step ->> 'organisation')::uuid, i.system, i.value, decode(i.value, 'hex'), v_traject,
            i.locations
        from jsonb_to_record(p_step -> 'identity') as i(system text, value text, locations text[])
        on conflict do nothing;
        if not found then
            raise exception 'sent twice at one moment' using errcode = 'serialization_failure';
        end if;
    end if;
    -- The caller had the right to this step; what follows from it is written for all parties.
    perform set_config('ketenzorg.callers', array_to_string(
        ids(p_step -> 'parties') || ids(coalesce(p_step -> 'consent' -> 'withdrawn', '[]')), ','), true);

    perform set_dues(p_region, v_traject, ids(p_step -> 'involved'), p_step -> 'dues',
        (p_step ->> 'was_until')::timestamptz, p_step ->> 'from_step');

    -- One by one, by its key: a join may choose to read the whole table for a handful of rows.
    for place in 1 .. cardinality(r_id) loop
        insert into resource_history
        select old.* from resource old
        where old.region = p_region and old.type = r_type[place] and old.id = r_id[place];

        update resource set version = r_version[place], updated = v_at, body = r_body[place]
        where resource.region = p_region and resource.type = r_type[place] and resource.id = r_id[place]
            and resource.version = r_version[place] - 1;
        written := written + found::int;
    end loop;

    -- A new hand-over or round has a new Task, and new data have resources of their own.
    insert into resource (region, type, id, version, updated, traject, source, parties, body)
    select p_region, r.type, r.id, 1, v_at, v_traject, (p_step ->> 'organisation')::uuid,
        ids(coalesce(p_step -> 'seen_by' -> r.id::text, p_step -> 'seen_by' -> r.type)), r.body
    from unnest(r_type, r_id, r_version, r_body) as r(type, id, version, body)
    where r.version = 1;

    if written + (select count(*) from unnest(r_version) as version where version = 1) <> cardinality(r_id) then
        -- The traject's seq guards its resources, so this says that the two have come apart.
        raise exception 'resource versions do not follow the traject' using errcode = 'data_corrupted';
    end if;

    -- Each is found by who sees the resource, and that element of it.
    sees := array(
        select (
            select r.parties::text from resource r
            where r.region = p_region and r.type = r_type[place] and r.id = r_id[place] limit 1
        )
        from generate_subscripts(r_id, 1) as place order by place
    );
    for place in 1 .. cardinality(t_add) loop
        delete from search_token old
        where not t_add[place] and old.region = p_region and old.type = r_type[t_resource[place]]
            and old.param = t_param[place] and old.code = t_code[place] and old.system = t_system[place]
            and old.id = r_id[t_resource[place]];
    end loop;
    if true = any (t_add) then
        insert into search_token (region, type, param, code, system, id, parties)
        select p_region, r_type[t.resource], t.param, t.code, t.system, r_id[t.resource], finds.parties
        from unnest(t_add, t_resource, t_parties, t_param, t_code, t_system)
            as t(add, resource, parties, param, code, system)
        cross join lateral (select array(
            select party from unnest(sees[t.resource]::uuid[]) as party where party = any (t.parties::uuid[])
        ) as parties) finds
        where t.add and finds.parties <> '{}';
    end if;

    for place in 1 .. cardinality(f_add) loop
        delete from search_reference old
        where not f_add[place] and old.region = p_region and old.type = r_type[f_resource[place]]
            and old.param = f_param[place] and old.target = f_target[place] and old.target_type = f_type[place]
            and old.id = r_id[f_resource[place]];
    end loop;
    if true = any (f_add) then
        insert into search_reference (region, type, param, target, target_type, id, parties)
        select p_region, r_type[f.resource], f.param, f.target, f.type, r_id[f.resource], finds.parties
        from unnest(f_add, f_resource, f_parties, f_param, f_target, f_type)
            as f(add, resource, parties, param, target, type)
        cross join lateral (select array(
            select party from unnest(sees[f.resource]::uuid[]) as party where party = any (f.parties::uuid[])
        ) as parties) finds
        where f.add and finds.parties <> '{}';
    end if;

    for place in 1 .. cardinality(d_add) loop
        delete from search_date old
        where not d_add[place] and old.region = p_region and old.type = r_type[d_resource[place]]
            and old.param = d_param[place] and old.low = d_low[place] and old.high = d_high[place]
            and old.id = r_id[d_resource[place]];
    end loop;
    if true = any (d_add) then
        insert into search_date (region, type, param, low, high, id, parties)
        select p_region, r_type[d.resource], d.param, d.low, d.high, r_id[d.resource], finds.parties
        from unnest(d_add, d_resource, d_parties, d_param, d_low, d_high)
            as d(add, resource, parties, param, low, high)
        cross join lateral (select array(
            select party from unnest(sees[d.resource]::uuid[]) as party where party = any (d.parties::uuid[])
        ) as parties) finds
        where d.add and finds.parties <> '{}';
    end if;

    insert into event (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)
    select p_region, t.id, t.seq, (p_step ->> 'event_id')::uuid, p_step ->> 'event',
        (p_step ->> 'happened_at')::timestamptz, v_at, p_step ->> 'from_step', t.step, p_step -> 'event_body',
        ids(p_step -> 'witnesses')
    from traject t where t.region = p_region and t.id = v_traject;

    -- What the rules make of new data happens with them.
    for further in
        select f.id, f.event, f.from_step, f.to_step, f.body
        from jsonb_to_recordset(p_step -> 'further') as f(
            id uuid, event text, from_step text, to_step text, body jsonb)
    loop
        update traject set seq = seq + 1 where region = p_region and id = v_traject;
        insert into event (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)
        select p_region, t.id, t.seq, further.id, further.event, v_at, v_at, further.from_step, further.to_step,
            further.body, ids(p_step -> 'witnesses')
        from traject t where t.region = p_region and t.id = v_traject;
    end loop;

    if p_step -> 'joining' <> '[]' or p_step -> 'losing' <> '[]' or p_step -> 'leaving' <> '[]'
        or p_step -> 'found_by' <> '[]'
    then
        perform let_in(p_region, v_traject, v_at, p_step -> 'joining', p_step -> 'losing', ids(p_step -> 'leaving'),
            p_step -> 'found_by');
    end if;

    if p_step -> 'consent' <> 'null' then
        perform change_consent(
            p_region, v_traject, v_at, (p_step ->> 'organisation')::uuid, p_step ->> 'priority', p_step -> 'consent');
    end if;

    perform place(p_region, array[v_traject]);

    perform tell(p_region, ids(p_step -> 'witnesses') || ids(coalesce(p_step -> 'listeners', '[]')), v_traject, p_step ->> 'priority', r_type, r_id, r_version);

    perform note(p_region, p_step -> 'access', 'Task/' || (p_step ->> 'task'),
        r_version[array_position(r_id, (p_step ->> 'task')::uuid)], array[v_traject]);
    return true;
end
$$;

-- Whether a caller could claim a Task that is no longer open: its earlier versions were for the caller, it is not.
create function was_open(p_region text, p_callers uuid[], p_task uuid) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return exists (select from resource_history h where h.region = p_region and h.type = 'Task' and h.id = p_task)
        and not exists (select from resource r where r.region = p_region and r.type = 'Task' and r.id = p_task)
        and not exists (  -- a practice that passed its part on was a party, and not one that could claim
            select from part p
            where p.region = p_region and p.organisation = any (p_callers) and p.task = p_task);
end
$$;

grant execute on function load_traject, hold_trajecten, store_step, was_open to ketenzorg_app;
