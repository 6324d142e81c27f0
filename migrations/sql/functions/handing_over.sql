-- Who joins and who leaves a traject, and what its rules may look at.
set local search_path = ketenzorg, pg_temp;

create function ids(p_list jsonb) returns uuid[]
language sql immutable parallel safe security definer set search_path = ketenzorg, pg_temp as $$
    select array(select jsonb_array_elements_text(p_list)::uuid)
$$;

-- By what a Patient is found, as access/finding.py has it: personal numbers apart, by token.
create function identifiers(p_body bytea) returns table (param text, code text, system text)
language sql immutable parallel safe security definer set search_path = ketenzorg, pg_temp as $$
    select case when i.is_token then 'bsn' else 'identifier' end, i.value, case when i.is_token then '' else i.system end
    from (
        select distinct i ->> 'value' as value, coalesce(i ->> 'system', '') as system,
            i ->> 'value' ~ '^bsn:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' as is_token
        from jsonb_array_elements(convert_from(p_body, 'UTF8')::jsonb -> 'identifier') i
        where i ? 'value'
    ) i
    where not i.is_token
        or i.system in ('http://fhir.nl/fhir/NamingSystem/bsn', 'urn:oid:2.16.840.1.113883.2.4.6.3')
$$;

-- Parties that come, or that know the patient from now on, get what their role sees of the traject so far, but not the
-- Tasks of others' hand-overs; a party that knows less from now on loses it. Who leaves no longer follows the plan, and
-- its own part ends. p_joining: [{"organisation", "types", "bsn", "log", "after"}]; p_losing: [{"organisation", "types",
-- "later"}], Tasks and appointments of which it sees no later version: that it could have claimed, or that passed on; p_found_by: the search rows of the resources whose parties change, with who finds them so. Runs inside store_step, for all parties.
create function let_in(
    p_region text, p_traject uuid, p_at timestamptz, p_joining jsonb, p_losing jsonb, p_leaving uuid[],
    p_found_by jsonb
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    joining record;
    losing record;
    changed record;
begin
    for joining in
        select j.organisation, j.types, j.bsn, j.log, j.after
        from jsonb_to_recordset(p_joining) as j(organisation uuid, types text[], bsn boolean, log boolean, after uuid)
    loop
        update resource set parties = parties || joining.organisation
        where region = p_region and traject = p_traject and type = any (joining.types) and type <> 'Task'
            and not parties @> array[joining.organisation]
            and not (type = 'Consent' and objects(p_region, id));  -- to whom a patient objects is told to nobody who joins
        if joining.after is not null then  -- who comes in the place of another gets the Tasks of its hand-overs
            update resource set parties = parties || joining.organisation
            where region = p_region and traject = p_traject and type = 'Task'
                and parties @> array[joining.after] and not parties @> array[joining.organisation];
        end if;
        if joining.log then
            update event set parties = parties || joining.organisation
            where region = p_region and traject = p_traject and not parties @> array[joining.organisation];
        end if;
        if joining.bsn then
            update personal_number set parties = parties || joining.organisation
            where region = p_region and not parties @> array[joining.organisation]
                and token = (select t.person from traject t where t.region = p_region and t.id = p_traject);
        end if;
    end loop;

    for losing in
        select l.organisation, l.types, l.later
        from jsonb_to_recordset(p_losing) as l(organisation uuid, types text[], later uuid[])
    loop
        update resource_history set parties = array_remove(parties, losing.organisation)
        where region = p_region and traject = p_traject and type = any (losing.types)
            and id = any (array(select r.id from resource r where r.region = p_region and r.traject = p_traject));
        update resource set parties = array_remove(parties, losing.organisation)
        where region = p_region and traject = p_traject and type = any (losing.types);
        update resource set parties = array_remove(parties, losing.organisation)
        where region = p_region and type in ('Task', 'Appointment') and id = any (losing.later);
    end loop;

    update resource
    set parties = array(select party from unnest(parties) as party where party <> all (p_leaving))
    where region = p_region and traject = p_traject and type = 'CarePlan' and parties && p_leaving;
    update part set ended = p_at, due = null, due_norm = null
    where region = p_region and organisation = any (p_leaving) and traject = p_traject and ended is null;

    -- A row for nobody is none: behind the wall it could not be taken away any more.
    for changed in
        with found as (
            select f.* from jsonb_to_recordset(p_found_by) as f(
                type text, id uuid, kind text, param text, finders uuid[], code text, system text, target uuid,
                low timestamptz, high timestamptz)
        ), rows as (
            select f.type, f.id, f.kind, f.param, f.code, f.system, f.target, f.low, f.high, f.finders from found f
            where f.id is not null
            union all
            select 'Patient', t.patient, 'token', f.param, i.code, i.system, null, null, null, f.finders
            from traject t
            join resource r on r.region = t.region and r.type = 'Patient' and r.id = t.patient
            cross join lateral identifiers(r.body) i
            join found f on f.id is null and f.param = i.param
            where t.region = p_region and t.id = p_traject
        )
        select f.*, array(select party from unnest(r.parties) as party where party = any (f.finders)) as parties
        from rows f
        join resource r on r.region = p_region and r.traject = p_traject and r.type = f.type and r.id = f.id
    loop
        case changed.kind
        when 'token' then
            delete from search_token
            where region = p_region and type = changed.type and param = changed.param and code = changed.code
                and system = changed.system and id = changed.id;
            insert into search_token (region, type, param, code, system, id, parties)
            select p_region, changed.type, changed.param, changed.code, changed.system, changed.id, changed.parties
            where changed.parties <> '{}';
        when 'reference' then
            delete from search_reference
            where region = p_region and type = changed.type and param = changed.param and target = changed.target
                and target_type = changed.system and id = changed.id;
            insert into search_reference (region, type, param, target, target_type, id, parties)
            select p_region, changed.type, changed.param, changed.target, changed.system, changed.id, changed.parties
            where changed.parties <> '{}';
        when 'date' then
            delete from search_date
            where region = p_region and type = changed.type and param = changed.param and low = changed.low
                and high = changed.high and id = changed.id;
            insert into search_date (region, type, param, low, high, id, parties)
            select p_region, changed.type, changed.param, changed.low, changed.high, changed.id, changed.parties
            where changed.parties <> '{}';
        end case;
    end loop;
end
$$;

-- All data of the traject that a request or a plan belongs to, for the rules: for who takes part in it now. The rules
-- look at more than one party may see; what comes of them is shown to each as its role allows.
create function data_of(p_region text, p_callers uuid[], p_type text, p_id uuid, p_access jsonb)
returns table (traject uuid, task uuid, patient uuid, type text, id uuid, body bytea)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    found_traject record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select t.id, t.task, t.patient, t.parties into found_traject
    from (select * from resource r where r.region = p_region and r.type = p_type and r.id = p_id limit 1) r
    cross join lateral (select * from traject t where t.region = p_region and t.id = r.traject limit 1) t
    where coalesce(t.involved, t.parties) && p_callers;
    if not found then
        perform note(p_region, p_access, p_type || '/' || p_id, null, '{}', '4');
        return;
    end if;
    perform set_config('ketenzorg.callers', array_to_string(found_traject.parties, ','), true);
    return query
    select found_traject.id, found_traject.task, found_traject.patient, r.type, r.id, r.body
    from resource r
    where r.region = p_region and r.traject = found_traject.id and r.type not in ('Task', 'CarePlan')
    order by r.id;
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
end
$$;

-- What was stored of data that an organisation sent before; that it hears where is on record.
create function sent_before(p_region text, p_callers uuid[], p_system text, p_value text, p_access jsonb) returns text[]
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    known record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select k.locations, k.traject into known from referral_identity k
    where k.region = p_region and k.organisation = any (p_callers) and k.system = p_system and k.value = p_value;
    if found then
        perform note(p_region, p_access || '{"action": "R"}', known.locations[1], 1, array[known.traject]);
    end if;
    return known.locations;
end
$$;

grant execute on function data_of, sent_before to ketenzorg_app;
