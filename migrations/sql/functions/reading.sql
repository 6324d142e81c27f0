-- Reading and searching, on record before it is answered.
set local search_path = ketenzorg, pg_temp;

-- One resource (null: its latest version), with what decides how much of it the caller sees; the reading is on
-- record before it is answered. What is not there and what is not for the caller leave the same line, in the same time.
create function read_resource(
    p_region text, p_callers uuid[], p_type text, p_id uuid, p_version int, p_access jsonb
) returns table (version int, updated timestamptz, body bytea, pathway text, pathway_version text, step text, roles jsonb,
    phases jsonb, involved uuid[])
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
#variable_conflict use_column
declare
    shown record;
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select r.version, r.updated, r.body, t.pathway, t.version as pathway_version, t.step, t.roles, t.phases,
        coalesce(t.involved, t.parties) as involved, t.id
    into shown
    from (
        select * from resource now
        where now.region = p_region and now.type = p_type and now.id = p_id
            and now.version = coalesce(p_version, now.version)
        union all
        select * from resource_history old
        where old.region = p_region and old.type = p_type and old.id = p_id and old.version = p_version
    ) r
    join traject t on t.region = r.region and t.id = r.traject;
    if found then
        perform note(p_region, p_access, p_type || '/' || p_id, shown.version, array[shown.id]);
        return query select shown.version, shown.updated, shown.body, shown.pathway, shown.pathway_version, shown.step,
            shown.roles, shown.phases, shown.involved;
    else
        perform note(p_region, p_access, p_type || '/' || p_id, p_version, '{}', '4');
    end if;
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
grant execute on function read_resource, personal_numbers, callers to ketenzorg_app;
