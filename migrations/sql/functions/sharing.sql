-- Consent: what patients objected to, who still gets what, and the end of it.
set local search_path = ketenzorg, pg_temp;

-- What is locked of a person. This, and what stands below without a search_path of its own, becomes a part of the query
-- that asks for it.
create function lock_of(p_region text, p_person uuid) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(p_region || p_person, 0)
$$;

-- Objections that are recorded at this moment are waited for; what is shared at this moment, by who records one.
create function lock_person(p_region text, p_person uuid, p_alone boolean) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if p_alone then
        perform pg_advisory_xact_lock(lock_of(p_region, p_person));
    else
        perform pg_advisory_xact_lock_shared(lock_of(p_region, p_person));
    end if;
end
$$;

-- The objections of a person that stand: those that are about all trajecten, or about this one.
create function standing(p_region text, p_person uuid, p_traject uuid) returns setof objection
language sql stable parallel safe as $$
    select o.* from objection o
    where o.region = p_region and o.person = p_person and o.ended is null and (o.data is null or o.data = p_traject)
$$;

-- The same for the rules of precedence.
create function objections_of(p_region text, p_person uuid, p_traject uuid default null)
returns table (id uuid, since timestamptz, organisation uuid, kind text, pathway text, data uuid)
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select o.id, o.since, o.organisation, o.kind, o.pathway, o.data
    from standing(p_region, p_person, p_traject) o
    order by o.id
$$;

-- Whether a Consent says what a patient does not want, or did not want.
create function objects(p_region text, p_consent uuid) returns boolean
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select exists (select from objection o where o.region = p_region and o.id = p_consent)
$$;

create function weighed(p_region text, p_person uuid, p_traject uuid, p_weighed uuid[]) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select p_weighed @> array(select o.id from standing(p_region, p_person, p_traject) o)
$$;

-- Before somebody joins: what the patient objects to was weighed. An objection that comes after this is about whoever
-- takes part by then.
create function insist_on_weighed(p_region text, p_traject uuid, p_weighed uuid[]) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    v_person uuid;
begin
    select t.person into v_person from traject t where t.region = p_region and t.id = p_traject;
    perform lock_person(p_region, v_person, false);
    if not weighed(p_region, v_person, p_traject, p_weighed) then
        raise exception 'the patient objected meanwhile' using errcode = 'serialization_failure';
    end if;
end
$$;

-- Places of the referrals that are not stored yet and whose patient objected to something that was not weighed.
create function held_back(p_region text, p_referrals incoming[]) returns int[]
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    -- As lock_person and weighed do, but of all referrals at once: two calls for each took twice as long.
    perform pg_advisory_xact_lock_shared(lock_of(p_region, i.person)) from unnest(p_referrals) i;
    return array(
        select i.n from unnest(p_referrals) i
        where not i.weighed @> array(select o.id from standing(p_region, i.person, null) o)
            -- By its key, one by one: `not exists` may be planned as a join over the whole table.
            and (
                select k.traject from referral_identity k
                where k.region = p_region and k.organisation = i.organisation and k.system = i.system collate "C"
                    and k.value = i.value collate "C" limit 1) is null);
end
$$;

-- Everything that tells what is shared in a traject in which the caller takes part (p_all: in every traject of that
-- person), and what the patient objects to. It is asked for before anything is shared, and shown to nobody as it is.
create function sharing_of(p_region text, p_callers uuid[], p_traject uuid, p_all boolean)
returns table (id uuid, pathway text, version text, step text, counts jsonb, happened jsonb, seq int, task uuid,
    service_request uuid, care_plan uuid, asides jsonb, patient uuid, roles jsonb, phases jsonb, parties uuid[],
    involved uuid[], consents jsonb, municipality text, started timestamptz, ended timestamptz, holder uuid, updated timestamptz, types text[], ids uuid[],
    versions int[], bodies bytea[], objections jsonb)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    v_person uuid;
    v_trajecten uuid[];
    v_parties uuid[];
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select t.person into v_person from traject t
    where t.region = p_region and t.id = p_traject and t.parties && p_callers;
    if not found then
        return;
    end if;
    if p_all then
        perform lock_person(p_region, v_person, true);
        perform set_config('ketenzorg.person', v_person::text, true);
    end if;
    select array_agg(t.id), array_agg(distinct party) into v_trajecten, v_parties
    from traject t cross join unnest(t.parties) as party
    where t.region = p_region and (t.id = p_traject or p_all and t.person = v_person);
    perform set_config('ketenzorg.person', '', true);
    perform set_config('ketenzorg.callers', array_to_string(v_parties, ','), true);
    return query
    select t.id, t.pathway, t.version, t.step, t.counts, t.happened, t.seq, t.task, t.service_request, t.care_plan,
        t.asides, t.patient, t.roles, t.phases, t.parties, coalesce(t.involved, t.parties), t.consents, t.municipality, t.started, t.ended,
        request.source, said.updated, said.types, said.ids, said.versions, said.bodies,
        (select coalesce(jsonb_agg(to_jsonb(o)), '[]') from objections_of(p_region, t.person, t.id) o)
    from traject t
    cross join lateral (
        select * from resource r where r.region = p_region and r.type = 'ServiceRequest' and r.id = t.service_request
        limit 1
    ) request
    cross join lateral (
        select max(r.updated) as updated, array_agg(r.type order by r.id, r.type) as types,
            array_agg(r.id order by r.id, r.type) as ids, array_agg(r.version order by r.id, r.type) as versions,
            array_agg(r.body order by r.id, r.type) as bodies
        from resource r
        where r.region = t.region and r.traject = t.id
            and r.type in ('ServiceRequest', 'CarePlan', 'Task', 'Appointment', 'Consent', 'QuestionnaireResponse')
    ) said
    where t.region = p_region and t.id = any (v_trajecten)
    order by t.id;
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
end
$$;

-- What a step changes in who shares under which consent. p_consent: {"granted": organisation -> Consent, "withdrawn":
-- organisations that lose sight, "notice": the version of the Task that tells them, "objection", "lifted", "found_by": the
-- search rows of the traject}. Runs inside store_step, for all parties.
create function change_consent(
    p_region text, p_traject uuid, p_at timestamptz, p_organisation uuid, p_priority text, p_consent jsonb
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if p_consent -> 'granted' <> '{}' then
        update traject set consents = consents || (p_consent -> 'granted') where region = p_region and id = p_traject;
    end if;
    insert into objection (region, id, person, traject, recorder, recorded, since, organisation, kind, pathway, data)
    select p_region, o.id, t.person, t.id, p_organisation, p_at, o.since, o.organisation, nullif(o.kind, ''),
        nullif(o.pathway, ''), o.data
    from jsonb_to_record(nullif(p_consent -> 'objection', 'null'))
        as o(id uuid, since timestamptz, organisation uuid, kind text, pathway text, data uuid)
    join traject t on t.region = p_region and t.id = p_traject
    where o.id is not null;
    update objection set ended = p_at, ended_by = p_organisation
    where region = p_region and id = any (ids(p_consent -> 'lifted')) and ended is null;
    if p_consent -> 'withdrawn' <> '[]' then
        perform withdraw(p_region, p_traject, p_at, ids(p_consent -> 'withdrawn'), (p_consent ->> 'notice')::int,
            p_priority, p_consent -> 'found_by');
    end if;
end
$$;

-- These organisations lose sight of everything in the traject, at once: what it is, what it was, what happened, what it
-- is found by, the patient's number, and what still waited for them. Nothing is deleted.
create function withdraw(
    p_region text, p_traject uuid, p_at timestamptz, p_organisations uuid[], p_notice int, p_priority text, p_found_by jsonb
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    remaining text := current_setting('ketenzorg.callers');
    found record;
begin
    -- What only they could see is theirs no more either; a row without a party would fall out of the wall.
    perform set_config('ketenzorg.callers',
        concat_ws(',', nullif(remaining, ''), array_to_string(p_organisations, ','), nobody), true);

    update resource_history h set parties = others(h.parties, p_organisations)
    from resource r
    where r.region = p_region and r.traject = p_traject and h.region = r.region and h.type = r.type and h.id = r.id
        and h.parties && p_organisations;
    -- A row for nobody is none: it could not be taken away any more.
    for found in
        select f.type, f.id, f.kind, f.param, f.code, f.system, f.target, f.low, f.high
        from jsonb_to_recordset(p_found_by) as f(
            type text, id uuid, kind text, param text, code text, system text, target uuid, low timestamptz,
            high timestamptz)
        union all
        select 'Patient', t.patient, 'token', i.param, i.code, i.system, null, null, null
        from traject t
        join resource r on r.region = t.region and r.type = 'Patient' and r.id = t.patient
        cross join lateral identifiers(r.body) i
        where t.region = p_region and t.id = p_traject
    loop
        case found.kind
        when 'token' then
            delete from search_token
            where region = p_region and type = found.type and param = found.param and code = found.code
                and system = found.system and id = found.id and parties <@ p_organisations;
            update search_token set parties = others(parties, p_organisations)
            where region = p_region and type = found.type and param = found.param and code = found.code
                and system = found.system and id = found.id and parties && p_organisations;
        when 'reference' then
            delete from search_reference
            where region = p_region and type = found.type and param = found.param and target = found.target
                and target_type = found.system and id = found.id and parties <@ p_organisations;
            update search_reference set parties = others(parties, p_organisations)
            where region = p_region and type = found.type and param = found.param and target = found.target
                and target_type = found.system and id = found.id and parties && p_organisations;
        when 'date' then
            delete from search_date
            where region = p_region and type = found.type and param = found.param and low = found.low
                and high = found.high and id = found.id and parties <@ p_organisations;
            update search_date set parties = others(parties, p_organisations)
            where region = p_region and type = found.type and param = found.param and low = found.low
                and high = found.high and id = found.id and parties && p_organisations;
        end case;
    end loop;
    update event set parties = others(parties, p_organisations)
    where region = p_region and traject = p_traject and parties && p_organisations;
    update due set parties = others(parties, p_organisations)
    where region = p_region and traject = p_traject and parties && p_organisations;

    -- The number, unless it knows it from another traject of the same person.
    perform set_config('ketenzorg.person', (
        select t.person::text from traject t where t.region = p_region and t.id = p_traject), true);
    update personal_number n set parties = array(
        select party from unnest(n.parties) as party
        where party <> all (p_organisations) or exists (
            select from traject t
            where t.region = p_region and t.person = n.token and t.id <> p_traject and t.parties @> array[party]))
    where n.region = p_region and n.token = current_setting('ketenzorg.person')::uuid and n.parties && p_organisations;
    perform set_config('ketenzorg.person', '', true);

    -- Its own line says that consent was withdrawn, and of whom no more; its own notes stay its own.
    update part set withdrawn = case when ended is null then p_notice else 0 end, ended = coalesce(ended, p_at),
        due = null, due_norm = null, patient = nobody,
        news = array(select t.seq from traject t where t.region = p_region and t.id = p_traject)
    where region = p_region and traject = p_traject and organisation = any (p_organisations) and withdrawn is null;
    -- What was numbered keeps its number, and no more: whether it may still be read is looked at when it is sent.
    update outbox o set state = 'withdrawn', ended = clock_timestamp()
    from subscription s
    where s.region = p_region and s.organisation = any (p_organisations)
        and o.region = p_region and o.subscription = s.id and o.traject = p_traject and o.state = 'new';
    insert into outbox (region, id, subscription, type, resource, version, traject, priority, created, owed_since)
    select distinct on (s.id) p_region, new_id(), s.id, 'Task', p.task, p.withdrawn, p_traject, p_priority,
        clock_timestamp(), clock_timestamp()
    from part p
    join subscription s on s.region = p_region and s.organisation = p.organisation and s.type = 'Task' and s.status <> 'off'
    where p.region = p_region and p.traject = p_traject and p.organisation = any (p_organisations) and p.withdrawn > 0;

    update resource set parties = others(parties, p_organisations)
    where region = p_region and traject = p_traject and parties && p_organisations;
    update traject set consents = consents - p_organisations::text[] where region = p_region and id = p_traject;
    perform set_config('ketenzorg.callers', remaining, true);
end
$$;

-- Who is left; nobody is somebody too.
create function others(p_parties uuid[], p_without uuid[]) returns uuid[]
language sql immutable parallel safe security definer set search_path = ketenzorg, pg_temp as $$
    select coalesce(array_agg(party), array['00000000-0000-0000-0000-000000000000'::uuid])
    from unnest(p_parties) as party where party <> all (p_without)
$$;

-- The part of a caller that ended because consent was withdrawn: when, and in which version of the Task it may read that.
create function withdrawn_part(p_region text, p_callers uuid[], p_task uuid, p_access jsonb)
returns table (at timestamptz, version int)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    return query
    select p.ended, p.withdrawn from part p
    where p.region = p_region and p.organisation = any (p_callers) and p.task = p_task and p.withdrawn > 0 limit 1;
    if found then
        perform note(p_region, p_access, 'Task/' || p_task, null, '{}');
    end if;
end
$$;

grant execute on function objections_of, sharing_of, withdrawn_part to ketenzorg_app;
