-- Reading and searching, on record before it is answered.
set local search_path = ketenzorg, pg_temp;

-- Resources, each in the version named or (null) its latest, each for its own caller, with what decides how much of it the
-- caller sees; the readings are on record before they are answered. What is not there and what is not for the caller leave
-- the same line, by the same statement: only the wall knows which it was. Readings that wait at one moment share a call,
-- and so a commit: that costs more than a line. The line is written here and not by note(), as the traject is at hand:
-- half of what it costs.
create function read_resources(
    p_region text, p_callers uuid[], p_types text[], p_ids uuid[], p_versions int[], p_accesses jsonb
) returns table (n bigint, version int, updated timestamptz, body bytea, pathway text, pathway_version text, step text,
    roles jsonb, phases jsonb, involved uuid[])
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    here uuid;
    left_over uuid[] := p_callers;
begin
    while left_over <> '{}' loop
        here := left_over[1];
        left_over := array_remove(left_over, here);
        perform set_config('ketenzorg.callers', here::text, true);
        return query
        with looked as materialized (
            select w.*, r.version as found, r.updated, r.body, t.pathway, t.version as pathway_version, t.step, t.roles,
                t.phases, coalesce(t.involved, t.parties) as involved, t.id as traject, t.pseudonym, t.consents
            from rows from (
                unnest(p_callers), unnest(p_types), unnest(p_ids), unnest(p_versions),
                jsonb_to_recordset(p_accesses) as (
                    id uuid, request text, correlation text, address text, client text, user_id text, responsible text,
                    organisation uuid, action text, interaction text, query text[], digest text, rule text,
                    rule_left text, rule_asked text, purpose text)
            ) with ordinality as w(caller, type, wanted, version, id, request, correlation, address, client, user_id,
                responsible, organisation, action, interaction, query, digest, rule, rule_left, rule_asked, purpose, n)
            -- By its key, one by one: a join may choose to read the whole table for a handful of rows.
            left join lateral (
                select * from resource now
                where now.region = p_region and now.type = w.type collate "C" and now.id = w.wanted
                    and now.version = coalesce(w.version, now.version)
                union all
                select * from resource_history old
                where old.region = p_region and old.type = w.type collate "C" and old.id = w.wanted
                    and old.version = w.version
                limit 1
            ) r on true
            left join lateral (
                select * from traject t where t.region = p_region and t.id = r.traject limit 1
            ) t on true
            where w.caller = here
        ), noted as (
            insert into audit (region, id, at, request, correlation, address, client, user_id, responsible, organisation,
                roles, action, interaction, what, version, query, digest, trajecten, patients, consents, rule, purpose,
                outcome)
            select p_region, a.id, clock_timestamp(), a.request, a.correlation, a.address, a.client, a.user_id,
                a.responsible, a.organisation, array(
                    select distinct role_in(part.role)
                    from jsonb_each_text(a.roles) as part(role, organisation)
                    where part.organisation = a.organisation::text),
                a.action, a.interaction, a.type || '/' || a.wanted, coalesce(a.found, a.version), a.query, a.digest,
                array_remove(array[a.traject], null), array_remove(array[a.pseudonym], null),
                case when a.traject is null then '{}' else array[(a.consents ->> a.organisation::text)::uuid] end,
                case when a.traject is null then '' when a.involved @> array[a.organisation] then a.rule
                    when was_only_asked(a.organisation::text, array[a.roles]) then a.rule_asked else a.rule_left end,
                a.purpose, case when a.traject is null then '4' else '0' end
            from looked a
        )
        select s.n, s.found, s.updated, s.body, s.pathway, s.pathway_version, s.step, s.roles, s.phases, s.involved
        from looked s
        where s.traject is not null;
    end loop;
end
$$;

-- The encrypted numbers behind tokens, for an organisation that sent them itself. One row serves all who sent
-- the number, so the wall of this table is this function.
create function personal_numbers(p_region text, p_callers uuid[], p_tokens uuid[])
returns table (token uuid, key_id text, ciphertext bytea)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select p.token, p.key_id, p.ciphertext from personal_number p
    where p.region = p_region and p.token = any (p_tokens) and p.parties && p_callers
$$;

-- A policy asks for the callers as whoever queries.
grant execute on function read_resources, personal_numbers, callers to ketenzorg_app;
