-- What goes on record, in the transaction of what it tells of.
set local search_path = ketenzorg, pg_temp;

-- One line. p_access: who does what and why, as ketenzorg.store.audit writes it; whose data they are is looked up here,
-- among what the caller is a party to. p_outcome: '0' done, '4' not there or not for them.
create function note(
    p_region text, p_access jsonb, p_what text, p_version int, p_trajecten uuid[], p_outcome text default '0'
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    insert into audit (region, id, at, request, correlation, address, client, user_id, responsible, organisation, roles,
        action, interaction, what, version, query, digest, trajecten, patients, consents, rule, purpose, outcome)
    select p_region, a.id, clock_timestamp(), a.request, a.correlation, a.address, a.client, a.user_id, a.responsible,
        a.organisation, array(
            select distinct split_part(part.role, '#', 1)
            from traject t cross join lateral jsonb_each_text(t.roles) as part(role, organisation)
            where t.region = p_region and t.id = any (p_trajecten) and part.organisation = a.organisation::text),
        a.action, a.interaction, p_what, p_version, a.query, a.digest, seen.trajecten, seen.patients, seen.consents,
        case when p_outcome <> '0' then '' when seen."left" then a.rule_left else a.rule end, a.purpose, p_outcome
    from jsonb_to_record(p_access) as a(
        id uuid, request text, correlation text, address text, client text, user_id text, responsible text,
        organisation uuid, action text, interaction text, query text[], digest text, rule text, rule_left text,
        purpose text)
    cross join lateral (
        select coalesce(array_agg(t.id order by t.id), '{}') as trajecten,
            coalesce(array_agg(t.pseudonym order by t.id), '{}') as patients,
            coalesce(array_agg((t.consents ->> a.organisation::text)::uuid order by t.id), '{}') as consents,
            not bool_or(coalesce(t.involved, t.parties) @> array[a.organisation]) as "left"
        from traject t where t.region = p_region and t.id = any (p_trajecten)
    ) as seen;
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

grant execute on function note_looks to ketenzorg_app;
