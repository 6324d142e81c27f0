-- The audit log read: by an organisation its own lines, by who holds the dossier all lines about its patients. What is read
-- of the log is on record too.
set local search_path = ketenzorg, pg_temp;

-- Lines as entries: one for each traject that a line tells of (and that is among p_trajecten, where given), else one.
create function log_entries(
    p_region text, p_ids uuid[], p_trajecten uuid[], p_after uuid, p_place int, p_most int
) returns table (entry text)
language sql security definer set search_path = ketenzorg, pg_temp set timezone = 'UTC' as $$
    select ((to_jsonb(a) - '{trajecten,patients,consents,xid}'::text[]) || jsonb_build_object(
        'many', cardinality(a.trajecten), 'place', coalesce(of.place, 0), 'traject', of.traject,
        'pseudonym', of.pseudonym, 'consent', of.consent, 'patient', t.patient, 'pathway', t.pathway)
        -- The roles of a line are those in all its trajecten: of several only those in this one are told.
        || case when cardinality(a.trajecten) < 2 or t.id is null then '{}' else jsonb_build_object('roles', array(
            select distinct role from jsonb_each_text(t.roles) as part(name, holder), role_in(name) as role
            where holder = a.organisation::text and role = any (a.roles))) end)::text
    from audit a
    left join lateral unnest(a.trajecten, a.patients, a.consents) with ordinality
        as of(traject, pseudonym, consent, place) on true
    left join traject t on t.region = a.region and t.id = of.traject
    where a.region = p_region and a.id = any (p_ids)
        and (p_trajecten is null or of.traject = any (p_trajecten))
        and (a.id, coalesce(of.place, 0)) > (p_after, p_place)
    order by a.id, of.place limit p_most
$$;

-- What the caller's organisation did. p_until: the last id that can be of before p_to, as ids begin with their moment.
create function own_log(
    p_region text, p_callers uuid[], p_access jsonb, p_after uuid, p_place int, p_until uuid,
    p_from timestamptz, p_to timestamptz, p_action text, p_most int
) returns table (entry text)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    perform note(p_region, p_access, 'AuditEvent', null, '{}');
    return query select e.entry from log_entries(p_region, array(
        select a.id from audit a
        where a.region = p_region and a.organisation = any (p_callers) and a.id between p_after and p_until
            and a.at >= p_from and a.at < p_to and (p_action is null or a.action = p_action)
        order by a.id limit p_most + 1
    ), null, p_after, p_place, p_most) e;
end
$$;

-- What was done in trajecten that the caller is a party to, by everybody or (p_whose) by one organisation; with what is
-- not chained yet, and so is not found by its traject.
create function log_about(
    p_region text, p_callers uuid[], p_access jsonb, p_trajecten uuid[], p_whose uuid, p_what text, p_after uuid,
    p_place int, p_until uuid, p_from timestamptz, p_to timestamptz, p_action text, p_most int
) returns table (entry text)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    own uuid[];
    chained_to xid8;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    own := array(select t.id from traject t where t.region = p_region and t.id = any (p_trajecten));
    perform note(p_region, p_access, 'AuditEvent', null, own);
    chained_to := coalesce(
        (select h.xid from audit_head h where h.region = p_region order by h.n desc limit 1), '0');
    return query select e.entry from log_entries(p_region, array(
        select a.id from (
            select f.id from audit_of_traject f
            where f.region = p_region and f.traject = any (own) and f.id between p_after and p_until
            union
            select late.id from audit late
            where late.region = p_region and late.xid >= chained_to and late.trajecten && own
                and late.id between p_after and p_until
        ) found
        join audit a on a.region = p_region and a.id = found.id
        where a.at >= p_from and a.at < p_to and a.outcome = '0' and (p_action is null or a.action = p_action)
            and (p_whose is null or a.organisation = p_whose) and (p_what is null or a.what = p_what)
        order by a.id limit p_most + 1
    ), own, p_after, p_place, p_most) e;
end
$$;

-- One entry of the log: of what the caller's organisation did, or (p_holder) of what was done in a traject of its own.
create function log_entry(
    p_region text, p_callers uuid[], p_access jsonb, p_id uuid, p_place int, p_holder boolean
) returns table (entry text)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    line record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select a.organisation = any (p_callers) as own, a.outcome, of.traject into line
    from audit a
    left join lateral unnest(a.trajecten) with ordinality as of(traject, place) on true
    where a.region = p_region and a.id = p_id
        and coalesce(of.place, 0) = case when cardinality(a.trajecten) = 1 then p_place + 1 else p_place end;
    if line.own or p_holder and line.outcome = '0' and exists (
        select from traject t where t.region = p_region and t.id = line.traject)
    then
        perform note(p_region, p_access, 'AuditEvent/' || p_id, null, array_remove(array[line.traject], null));
        return query select e.entry from log_entries(p_region, array[p_id], null, p_id, -1, 1000) e
        where line.traject is null or (e.entry::jsonb ->> 'traject')::uuid = line.traject;
    else
        perform note(p_region, p_access, 'AuditEvent/' || p_id, null, '{}', '4');
    end if;
end
$$;

-- The trajecten of one person that the caller is a party to, by a Patient of one of them.
create function trajecten_of_person(p_region text, p_callers uuid[], p_patient uuid)
returns table (id uuid, pathway text, version text, started timestamptz, ended timestamptz)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return query
    select t.id, t.pathway, t.version, t.started, t.ended
    from resource r
    join traject one on one.region = r.region and one.id = r.traject
    join traject t on t.region = one.region and t.person = one.person
    where r.region = p_region and r.type = 'Patient' and r.id = p_patient
    order by t.started, t.id;
end
$$;

-- The traject of a resource that the caller is a party to; none: it has no such resource.
create function traject_of(p_region text, p_callers uuid[], p_type text, p_id uuid) returns uuid
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    return (select r.traject from resource r where r.region = p_region and r.type = p_type and r.id = p_id);
end
$$;

grant execute on function own_log, log_about, log_entry, trajecten_of_person, traject_of to ketenzorg_app;
