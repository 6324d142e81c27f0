-- Reading and searching, on record before it is answered.
set local search_path = ketenzorg, pg_temp;

-- Resources, each in the version named or (null) its latest, each for its own caller, with what decides how much of it the
-- caller sees; the readings are on record before they are answered. What is not there and what is not for the caller leave
-- the same line, in the same time. Readings that wait at one moment share a call, and so a commit: that costs more than a
-- line. The line is written here and not by note(), as the traject is at hand: half of what it costs.
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
        with shown as materialized (
            select w.n, r.version, r.updated, r.body, t.pathway, t.version as pathway_version, t.step, t.roles, t.phases,
                coalesce(t.involved, t.parties) as involved, t.id, t.pseudonym, t.consents
            from unnest(p_callers, p_types, p_ids, p_versions) with ordinality as w(caller, type, id, version, n)
            -- By its key, one by one: a join may choose to read the whole table for a handful of rows.
            cross join lateral (
                select * from resource now
                where now.region = p_region and now.type = w.type collate "C" and now.id = w.id
                    and now.version = coalesce(w.version, now.version)
                union all
                select * from resource_history old
                where old.region = p_region and old.type = w.type collate "C" and old.id = w.id and old.version = w.version
                limit 1
            ) r
            cross join lateral (select * from traject t where t.region = p_region and t.id = r.traject limit 1) t
            where w.caller = here
        ), noted as (
            insert into audit (region, id, at, request, correlation, address, client, user_id, responsible, organisation,
                roles, action, interaction, what, version, query, digest, trajecten, patients, consents, rule, purpose,
                outcome)
            select p_region, a.id, clock_timestamp(), a.request, a.correlation, a.address, a.client, a.user_id,
                a.responsible, a.organisation, array(
                    select distinct role_in(part.role)
                    from jsonb_each_text(s.roles) as part(role, organisation)
                    where part.organisation = a.organisation::text),
                a.action, a.interaction, p_types[a.n] || '/' || p_ids[a.n], coalesce(s.version, p_versions[a.n]),
                a.query, a.digest, array_remove(array[s.id], null), array_remove(array[s.pseudonym], null),
                case when s.id is null then '{}' else array[(s.consents ->> a.organisation::text)::uuid] end,
                case when s.id is null then '' when s.involved @> array[a.organisation] then a.rule
                    when was_only_asked(a.organisation::text, array[s.roles]) then a.rule_asked else a.rule_left end,
                a.purpose, case when s.id is null then '4' else '0' end
            from rows from (jsonb_to_recordset(p_accesses) as (
                id uuid, request text, correlation text, address text, client text, user_id text, responsible text,
                organisation uuid, action text, interaction text, query text[], digest text, rule text, rule_left text, rule_asked text,
                purpose text)) with ordinality as a(id, request, correlation, address, client, user_id, responsible,
                organisation, action, interaction, query, digest, rule, rule_left, rule_asked, purpose, n)
            left join shown s on s.n = a.n
            where a.organisation = here
        )
        select s.n, s.version, s.updated, s.body, s.pathway, s.pathway_version, s.step, s.roles, s.phases, s.involved
        from shown s;
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
