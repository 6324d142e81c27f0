-- Reading and searching, on record before it is answered.
set local search_path = ketenzorg, pg_temp;

-- One resource (null: its latest version), with what decides how much of it the caller sees; the reading is on
-- record before it is answered.
create function read_resource(
    p_region text, p_callers uuid[], p_type text, p_id uuid, p_version int, p_audit_id uuid, p_request text,
    p_client text, p_rule text, p_rule_left text
) returns table (version int, updated timestamptz, body bytea, pathway text, pathway_version text, roles jsonb)
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    select p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'R',
        p_type || '/' || p_id, r.traject,
        case when coalesce(t.involved, t.parties) && p_callers then p_rule else p_rule_left end
    from resource r join traject t on t.region = r.region and t.id = r.traject
    where r.region = p_region and r.type = p_type and r.id = p_id;
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
    p_region text, p_callers uuid[], p_type text, p_audit_id uuid, p_request text, p_client text, p_rule text
) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    values (p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'E', p_type, null,
        p_rule)
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
grant execute on function read_resource, record_search, personal_numbers, callers to ketenzorg_app;
