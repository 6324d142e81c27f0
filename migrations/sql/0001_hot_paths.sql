-- The hot paths: one call, one round trip, one transaction. They run as the owner (the application has no right
-- to write), behind the wall of 0001_walls.sql for the callers that they are given.
set local search_path = ketenzorg, pg_temp;

-- What comes once per referral; the rest comes as arrays. Made from JSON once, read many times.
create type incoming as (
    n int, organisation uuid, system text, value text, hash text, traject uuid, locations text[], at timestamptz,
    pathway text, version text, step text, counts jsonb, happened jsonb, person uuid, patient uuid,
    service_request uuid, care_plan uuid, task uuid, roles jsonb, parties uuid[], municipality text,
    due timestamptz, due_norm text, event_id uuid, event text, event_body jsonb, outbox jsonb, audit_id uuid,
    request text, client text, knows uuid[]
);

-- Store referrals, each with all that belongs to it, or tell what is stored under its identifier already.
-- Identities are claimed first: of two that come at once the second waits for the first and then sees its row.
-- Plans are made once a connection: planning a dozen statements again at each call costs as much as running them.
create function receive_referrals(
    p_region text, p_callers uuid[], p_referrals jsonb,
    r_referral int[], r_type text[], r_id uuid[], r_parties text[], r_body bytea[],
    t_resource int[], t_param text[], t_code text[], t_system text[],
    f_resource int[], f_param text[], f_target uuid[], f_type text[],
    d_resource int[], d_param text[], d_low timestamptz[], d_high timestamptz[],
    n_referral int[], n_token uuid[], n_index bytea[], n_key text[], n_ciphertext bytea[]
) returns table (n int, claimed boolean, hash bytea, traject uuid, locations text[], others uuid[])
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    won uuid[];      -- trajecten whose referral is new
    winners int[];   -- and their places in p_referrals
    referrals incoming[];
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select array_agg(i) into referrals from jsonb_populate_recordset(null::incoming, p_referrals) i;

    -- In key order, so that two batches that share keys cannot wait for each other.
    with new as (
        insert into referral_identity (region, organisation, system, value, hash, traject, locations)
        select p_region, i.organisation, i.system, i.value, decode(i.hash, 'hex'), i.traject, i.locations
        from unnest(referrals) i
        order by i.organisation, i.system collate "C", i.value collate "C"
        on conflict do nothing
        returning referral_identity.traject
    )
    select array_agg(new.traject) into won from new;

    if won is not null then
        select array_agg(i.n) into winners
        from unnest(referrals) i where i.traject = any (won);

        insert into traject (region, id, pathway, version, step, counts, happened, seq, person, patient,
            service_request, care_plan, task, roles, parties, municipality, started, due, due_norm)
        select p_region, i.traject, i.pathway, i.version, i.step, i.counts, i.happened, 1, i.person, i.patient,
            i.service_request, i.care_plan, i.task, i.roles, i.parties, i.municipality, i.at, i.due, i.due_norm
        from unnest(referrals) i
        where i.n = any (winners);

        insert into event (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)
        select p_region, i.traject, 1, i.event_id, i.event, i.at, i.at, '', i.step, i.event_body, i.parties
        from unnest(referrals) i
        where i.n = any (winners);

        insert into outbox (region, id, receiver, task, task_version, created, run_at)
        select p_region, o.id, o.receiver, o.task, o.task_version, clock_timestamp(), clock_timestamp()
        from unnest(referrals) i
        cross join jsonb_to_recordset(i.outbox) as o(id uuid, receiver uuid, task uuid, task_version int)
        join endpoint e on e.region = p_region and e.organisation = o.receiver
        where i.n = any (winners);

        insert into resource (region, type, id, version, updated, traject, source, parties, body)
        select p_region, r.type, r.id, 1, i.at, i.traject, i.organisation, r.parties::uuid[], r.body
        from unnest(r_referral, r_type, r_id, r_parties, r_body) as r(referral, type, id, parties, body)
        join unnest(referrals) i
            on i.n = r.referral
        where r.referral = any (winners);

        insert into search_token (region, type, param, code, system, id, parties)
        select p_region, r.type, t.param, t.code, t.system, r.id, r.parties::uuid[]
        from unnest(t_resource, t_param, t_code, t_system) as t(resource, param, code, system)
        join unnest(r_referral, r_type, r_id, r_parties) with ordinality as r(referral, type, id, parties, place)
            on r.place = t.resource
        where r.referral = any (winners);

        insert into search_reference (region, type, param, target, target_type, id, parties)
        select p_region, r.type, f.param, f.target, f.type, r.id, r.parties::uuid[]
        from unnest(f_resource, f_param, f_target, f_type) as f(resource, param, target, type)
        join unnest(r_referral, r_type, r_id, r_parties) with ordinality as r(referral, type, id, parties, place)
            on r.place = f.resource
        where r.referral = any (winners);

        insert into search_date (region, type, param, low, high, id, parties)
        select p_region, r.type, d.param, d.low, d.high, r.id, r.parties::uuid[]
        from unnest(d_resource, d_param, d_low, d_high) as d(resource, param, low, high)
        join unnest(r_referral, r_type, r_id, r_parties) with ordinality as r(referral, type, id, parties, place)
            on r.place = d.resource
        where r.referral = any (winners);

        insert into personal_number as known (region, token, blind_index, key_id, ciphertext, parties)
        select p_region, p.token, (array_agg(p.blind_index))[1], (array_agg(p.key_id))[1],
            (array_agg(p.ciphertext))[1], array_agg(distinct k.party)
        from unnest(n_referral, n_token, n_index, n_key, n_ciphertext)
            as p(referral, token, blind_index, key_id, ciphertext)
        join unnest(referrals) i on i.n = p.referral
        cross join unnest(i.knows) as k(party)
        where p.referral = any (winners)
        group by p.token
        order by p.token
        on conflict (region, token) do update set parties = array(
            select distinct unnest(known.parties || excluded.parties))
        where not known.parties @> excluded.parties;
    end if;

    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    select p_region, i.audit_id, clock_timestamp(), i.request, i.client, i.organisation,
        case when i.n = any (winners) then 'C' else 'R' end, 'ServiceRequest/' || i.service_request, i.traject,
        'referral of the own organisation'
    from unnest(referrals) i;

    return query
    select i.n, coalesce(i.n = any (winners), false), known.hash, known.traject, known.locations,
        array(select other.id from traject other
              where other.region = p_region and other.person = i.person and other.pathway = i.pathway
                and other.ended is null and other.id <> known.traject
                and other.parties @> array[i.organisation])
    from unnest(referrals) i
    -- By its key, one by one: a join would read the whole table for a handful of rows.
    cross join lateral (
        select k.* from referral_identity k
        where k.region = p_region and k.organisation = i.organisation and k.system = i.system collate "C"
            and k.value = i.value collate "C"
        limit 1
    ) known;
end
$$;

-- The traject that a Task belongs to, with the three resources that tell of it.
create function load_traject(p_region text, p_callers uuid[], p_task uuid) returns table (
    id uuid, pathway text, version text, step text, counts jsonb, happened jsonb, seq int, service_request uuid,
    care_plan uuid, task uuid, roles jsonb, parties uuid[], municipality text, started timestamptz,
    ended timestamptz, task_version int, task_updated timestamptz, task_parties uuid[], task_body bytea,
    request_version int, request_parties uuid[], request_body bytea,
    plan_version int, plan_parties uuid[], plan_body bytea)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return query
    select t.id, t.pathway, t.version, t.step, t.counts, t.happened, t.seq, t.service_request, t.care_plan, t.task,
        t.roles, t.parties, t.municipality, t.started, t.ended,
        task.version, task.updated, task.parties, task.body, request.version, request.parties, request.body,
        plan.version, plan.parties, plan.body
    from resource task
    join traject t on t.region = task.region and t.id = task.traject
    join resource request on request.region = t.region and request.type = 'ServiceRequest'
        and request.id = t.service_request
    -- Who has no part in the hand-over that runs now no longer follows the plan.
    left join resource plan on plan.region = t.region and plan.type = 'CarePlan' and plan.id = t.care_plan
    where task.region = p_region and task.type = 'Task' and task.id = p_task;
end
$$;

-- Store a step: the traject, the new versions, what happened, who must hear. False: somebody was first, and
-- nothing was written.
create function store_step(
    p_region text, p_callers uuid[], p_step jsonb,
    r_type text[], r_id uuid[], r_version int[], r_body bytea[],
    t_add boolean[], t_resource int[], t_param text[], t_code text[], t_system text[],
    f_add boolean[], f_resource int[], f_param text[], f_target uuid[], f_type text[],
    d_add boolean[], d_resource int[], d_param text[], d_low timestamptz[], d_high timestamptz[]
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_traject uuid := p_step ->> 'traject';
    v_at timestamptz := p_step ->> 'at';
    written int := 0;
    further record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);

    update traject set step = p_step ->> 'step', counts = p_step -> 'counts', happened = p_step -> 'happened',
        roles = p_step -> 'roles', parties = ids(p_step -> 'parties'), involved = ids(p_step -> 'involved'),
        seq = seq + 1, task = (p_step ->> 'open_task')::uuid, ended = (p_step ->> 'ended')::timestamptz,
        due = (p_step ->> 'due')::timestamptz, due_norm = p_step ->> 'due_norm'
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
    perform set_config('ketenzorg.callers', array_to_string(ids(p_step -> 'parties'), ','), true);

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
        ids(p_step -> 'seen_by' -> r.type), r.body
    from unnest(r_type, r_id, r_version, r_body) as r(type, id, version, body)
    where r.version = 1;

    if written + (select count(*) from unnest(r_version) as version where version = 1) <> cardinality(r_id) then
        -- The traject's seq guards its resources, so this says that the two have come apart.
        raise exception 'resource versions do not follow the traject' using errcode = 'data_corrupted';
    end if;

    for place in 1 .. cardinality(t_add) loop
        delete from search_token old
        where not t_add[place] and old.region = p_region and old.type = r_type[t_resource[place]]
            and old.param = t_param[place] and old.code = t_code[place] and old.system = t_system[place]
            and old.id = r_id[t_resource[place]];
    end loop;
    if true = any (t_add) then
        insert into search_token (region, type, param, code, system, id, parties)
        select p_region, r.type, t.param, t.code, t.system, r.id, r.parties
        from unnest(t_add, t_resource, t_param, t_code, t_system) as t(add, resource, param, code, system)
        cross join lateral (
            select * from resource r
            where r.region = p_region and r.type = r_type[t.resource] and r.id = r_id[t.resource] limit 1
        ) r
        where t.add;
    end if;

    for place in 1 .. cardinality(f_add) loop
        delete from search_reference old
        where not f_add[place] and old.region = p_region and old.type = r_type[f_resource[place]]
            and old.param = f_param[place] and old.target = f_target[place] and old.target_type = f_type[place]
            and old.id = r_id[f_resource[place]];
    end loop;
    if true = any (f_add) then
        insert into search_reference (region, type, param, target, target_type, id, parties)
        select p_region, r.type, f.param, f.target, f.type, r.id, r.parties
        from unnest(f_add, f_resource, f_param, f_target, f_type) as f(add, resource, param, target, type)
        cross join lateral (
            select * from resource r
            where r.region = p_region and r.type = r_type[f.resource] and r.id = r_id[f.resource] limit 1
        ) r
        where f.add;
    end if;

    for place in 1 .. cardinality(d_add) loop
        delete from search_date old
        where not d_add[place] and old.region = p_region and old.type = r_type[d_resource[place]]
            and old.param = d_param[place] and old.low = d_low[place] and old.high = d_high[place]
            and old.id = r_id[d_resource[place]];
    end loop;
    if true = any (d_add) then
        insert into search_date (region, type, param, low, high, id, parties)
        select p_region, r.type, d.param, d.low, d.high, r.id, r.parties
        from unnest(d_add, d_resource, d_param, d_low, d_high) as d(add, resource, param, low, high)
        cross join lateral (
            select * from resource r
            where r.region = p_region and r.type = r_type[d.resource] and r.id = r_id[d.resource] limit 1
        ) r
        where d.add;
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

    if p_step -> 'joining' <> '[]' or p_step -> 'leaving' <> '[]' then
        perform let_in(p_region, v_traject, v_at, p_step -> 'joining', ids(p_step -> 'leaving'), p_step -> 'found_by');
    end if;

    insert into outbox (region, id, receiver, task, task_version, created, run_at)
    select p_region, o.id, o.receiver, o.task, o.task_version, clock_timestamp(), clock_timestamp()
    from jsonb_to_recordset(p_step -> 'outbox') as o(id uuid, receiver uuid, task uuid, task_version int)
    join endpoint e on e.region = p_region and e.organisation = o.receiver;

    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    select p_region, a.audit_id, clock_timestamp(), a.request, a.client, a.organisation, 'U',
        'Task/' || a.task, v_traject, a.rule
    from jsonb_to_record(p_step)
        as a(audit_id uuid, request text, client text, organisation uuid, task uuid, rule text);
    return true;
end
$$;

-- One resource (null: its latest version), with what decides how much of it the caller sees; the reading is on
-- record before it is answered.
create function read_resource(
    p_region text, p_callers uuid[], p_type text, p_id uuid, p_version int, p_audit_id uuid, p_request text,
    p_client text
) returns table (version int, updated timestamptz, body bytea, pathway text, pathway_version text, roles jsonb)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    select p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'R',
        p_type || '/' || p_id, r.traject, 'part in the traject'
    from resource r where r.region = p_region and r.type = p_type and r.id = p_id;
    return query
    select r.version, r.updated, r.body, t.pathway, t.version, t.roles
    from (
        select * from resource now
        where now.region = p_region and now.type = p_type and now.id = p_id
            and now.version = coalesce(p_version, now.version)
        union all
        select * from resource_history old
        where old.region = p_region and old.type = p_type and old.id = p_id and old.version = p_version
    ) r
    join traject t on t.region = r.region and t.id = r.traject;
end
$$;

create function record_search(
    p_region text, p_callers uuid[], p_type text, p_audit_id uuid, p_request text, p_client text
) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    values (p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'E', p_type, null,
        'part in the traject')
$$;

-- The encrypted numbers behind tokens, for an organisation that sent them itself. One row serves all who sent
-- the number, so the wall of this table is this function.
create function personal_numbers(p_region text, p_callers uuid[], p_tokens uuid[])
returns table (token uuid, key_id text, ciphertext bytea)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select p.token, p.key_id, p.ciphertext from personal_number p
    where p.region = p_region and p.token = any (p_tokens) and p.parties && p_callers
$$;

-- Lease what may be sent now: per receiver and Task only the oldest that has not arrived, so that order holds.
-- What is parked holds up the rest of its own Task at its own receiver, and nothing else.
create function claim_outbox(p_region text, p_lease uuid, p_seconds double precision, p_per_receiver int)
returns table (id uuid, receiver uuid, task uuid, task_version int, created timestamptz, attempts int,
    url text, secret bytea)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with ready as (
        select o.id, e.url, e.secret
        from endpoint e
        cross join lateral (
            select w.id from outbox w
            where w.region = p_region and w.receiver = e.organisation and w.state = 'waiting'
                and w.run_at <= clock_timestamp()
                and (w.lease_until is null or w.lease_until < clock_timestamp())
                and not exists (
                    select from outbox earlier
                    where earlier.region = p_region and earlier.receiver = w.receiver and earlier.task = w.task
                        and earlier.task_version < w.task_version and earlier.state <> 'delivered')
            order by w.run_at
            -- What is under way counts too, so that a slow receiver does not gather ever more sends.
            limit greatest(0, p_per_receiver - (
                select count(*) from outbox leased
                where leased.region = p_region and leased.receiver = e.organisation and leased.state = 'waiting'
                    and leased.lease_until >= clock_timestamp()))
            for update skip locked
        ) o
        where e.region = p_region
    )
    update outbox set lease = p_lease, lease_until = clock_timestamp() + make_interval(secs => p_seconds),
        attempts = outbox.attempts + 1
    from ready where outbox.region = p_region and outbox.id = ready.id
    returning outbox.id, outbox.receiver, outbox.task, outbox.task_version, outbox.created, outbox.attempts,
        ready.url, ready.secret
$$;

-- Write down how a sending ended. False: the lease had passed to another worker, whose answer counts.
create function settle_outbox(
    p_region text, p_id uuid, p_lease uuid, p_state text, p_retry_seconds double precision, p_error text
) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with settled as (
        update outbox set state = p_state, last_error = p_error, lease = null, lease_until = null,
            run_at = clock_timestamp() + make_interval(secs => p_retry_seconds),
            ended = case when p_state = 'waiting' then null else clock_timestamp() end
        where region = p_region and id = p_id and lease = p_lease
        returning 1
    )
    select exists (select from settled)
$$;

-- What has not arrived, for the people who keep the service running: ids and reasons only.
create function outbox_state(p_region text)
returns table (id uuid, receiver uuid, task uuid, task_version int, state text, attempts int, run_at timestamptz,
    last_error text)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select o.id, o.receiver, o.task, o.task_version, o.state, o.attempts, o.run_at, o.last_error
    from outbox o where o.region = p_region and o.state <> 'delivered' order by o.receiver, o.task, o.task_version
$$;

-- Send a parked message again, from the start of its retries.
create function release_outbox(p_region text, p_id uuid) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with released as (
        update outbox set state = 'waiting', attempts = 0, run_at = clock_timestamp(), ended = null
        where region = p_region and id = p_id and state = 'parked' returning 1
    )
    select exists (select from released)
$$;

create function set_endpoint(p_region text, p_organisation uuid, p_url text, p_secret bytea) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    insert into endpoint (region, organisation, url, secret)
    values (p_region, p_organisation, p_url, p_secret)
    on conflict (region, organisation) do update set url = excluded.url, secret = excluded.secret
$$;

-- A function may be executed by everybody unless said otherwise.
revoke execute on all functions in schema ketenzorg from public;
grant execute on all functions in schema ketenzorg to ketenzorg_app;
