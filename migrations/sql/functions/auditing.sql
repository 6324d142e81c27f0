-- What goes on record, in the transaction of what it tells of.
set local search_path = ketenzorg, pg_temp;

-- The role that a key of traject.roles is about: "fysiotherapeut#<id>" had it earlier, "?<id>" was asked for it, "!<id>" was
-- asked and is no longer. No right of the owner and no name of ours in it: so PostgreSQL puts it in its caller, and
-- calls nothing.
create function role_in(p_key text) returns text language sql immutable parallel safe as $$
    select split_part(translate(p_key, '?!', '##'), '#', 1)
$$;

-- Whether an organisation is, or was, a candidate in trajecten with these roles, and nothing else.
create function was_only_asked(p_organisation text, p_roles jsonb[]) returns boolean
language sql immutable parallel safe security definer set search_path = ketenzorg, pg_temp as $$
    select coalesce(bool_and(strpos(part.role, '?') > 0 or strpos(part.role, '!') > 0), false)
    from unnest(p_roles) as each cross join jsonb_each_text(each) as part(role, organisation)
    where part.organisation = p_organisation
$$;

-- One line. p_access: who does what and why, as ketenzorg.store.audit writes it; whose data they are is looked up here,
-- among what the caller is a party to. p_outcome: '0' done, '4' not there or not for them.
-- One traject at a time, by its key: any other way may read the whole table for a handful of rows.
create function note(
    p_region text, p_access jsonb, p_what text, p_version int, p_trajecten uuid[], p_outcome text default '0'
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
    v_organisation text := p_access ->> 'organisation';
    v_traject uuid;
    found_traject record;
    trajecten uuid[] := '{}';
    patients uuid[] := '{}';
    consents uuid[] := '{}';
    roles jsonb[] := '{}';
    takes_part boolean := false;
begin
    foreach v_traject in array p_trajecten loop
        select t.pseudonym, t.consents, t.roles, coalesce(t.involved, t.parties) as involved into found_traject
        from traject t where t.region = p_region and t.id = v_traject;
        continue when not found;
        trajecten := trajecten || v_traject;
        patients := patients || found_traject.pseudonym;
        consents := consents || (found_traject.consents ->> v_organisation)::uuid;
        takes_part := takes_part or v_organisation::uuid = any (found_traject.involved);
        roles := roles || found_traject.roles;
    end loop;
    insert into audit (region, id, at, request, correlation, address, client, user_id, responsible, organisation, roles,
        action, interaction, what, version, query, digest, trajecten, patients, consents, rule, purpose, outcome)
    values (p_region, (p_access ->> 'id')::uuid, clock_timestamp(), p_access ->> 'request', p_access ->> 'correlation',
        p_access ->> 'address', p_access ->> 'client', p_access ->> 'user_id', p_access ->> 'responsible',
        v_organisation::uuid, array(
            select distinct role_in(part.role)
            from unnest(roles) as each cross join jsonb_each_text(each) as part(role, organisation)
            where part.organisation = v_organisation),
        p_access ->> 'action', p_access ->> 'interaction', p_what, p_version,
        case when p_access -> 'query' = '[]' then '{}' else array(select jsonb_array_elements_text(p_access -> 'query')) end,
        p_access ->> 'digest', trajecten, patients, consents,
        case when p_outcome <> '0' then '' when takes_part or trajecten = '{}' then p_access ->> 'rule'
            when was_only_asked(v_organisation, roles) then p_access ->> 'rule_asked' else p_access ->> 'rule_left' end,
        p_access ->> 'purpose', p_outcome);
end
$$;

-- Several were shown at once, or none: a search, a list, figures.
create function note_looks(
    p_region text, p_callers uuid[], p_access jsonb, p_what text, p_trajecten uuid[], p_outcome text default '0'
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    perform note(p_region, p_access, p_what, null, p_trajecten, p_outcome);
end
$$;

-- What each person or system of each organisation did in a period, in numbers: for who reviews the log. Hours are those of
-- Amsterdam; a look by a rule for who left is one after the own part ended.
create function review_log(p_region text, p_from timestamptz, p_to timestamptz)
returns table (organisation uuid, who text, lines bigint, patients bigint, emergencies bigint, outside bigint,
    refused bigint, after_end bigint)
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    with here as (
        select a.organisation, coalesce(nullif(a.user_id, ''), a.client) as who, a.patients, a.purpose, a.outcome, a.rule,
            a.user_id <> '' as is_person, a.at at time zone 'Europe/Amsterdam' as moment
        from audit a
        where a.region = p_region and a.at >= p_from and a.at < p_to
    ), seen as (
        select h.organisation, h.who, count(distinct patient) as patients
        from here h cross join unnest(h.patients) as patient
        group by 1, 2
    )
    select h.organisation, h.who, count(*), coalesce(max(s.patients), 0),
        count(*) filter (where h.purpose = 'ETREAT'),
        count(*) filter (where h.outcome = '0' and h.is_person
            and (extract(isodow from h.moment) > 5 or extract(hour from h.moment) not between 7 and 18)),
        count(*) filter (where h.outcome <> '0'),
        count(*) filter (where h.rule like 'left-%')
    from here h left join seen s on s.organisation = h.organisation and s.who = h.who
    group by 1, 2
    order by 1, 2
$$;

-- Nobody changes the log or what proves it, whatever right he has; a line goes when it is old enough and a purge asks.
create function keep_on_record() returns trigger
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if tg_op = 'DELETE' and old.at < clock_timestamp() - interval '5 years' then
        return old;
    end if;
    raise exception 'the log is append-only' using errcode = 'insufficient_privilege';
end
$$;

create trigger kept before update or delete on audit for each row execute function keep_on_record();
create trigger not_emptied before truncate on audit execute function keep_on_record();
create trigger kept before update or delete on audit_chain for each row execute function keep_on_record();
create trigger not_emptied before truncate on audit_chain execute function keep_on_record();
create trigger kept before update or delete on audit_head for each row execute function keep_on_record();
create trigger not_emptied before truncate on audit_head execute function keep_on_record();

grant execute on function note_looks, review_log to ketenzorg_app;
