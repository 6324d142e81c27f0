-- Who must hear of what is stored: written in the same transaction, numbered after it.
set local search_path = ketenzorg, pg_temp;

-- An uuid7, so that rows of one moment lie side by side. RFC 9562 section 5.7. It looks at nothing of ours, and so it may
-- become part of the statement that asks.
create function new_id() returns uuid
language sql volatile as $$
    select encode(set_byte(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
        6, get_byte(uuid_send(gen_random_uuid()), 6) & 15 | 112), 'hex')::uuid
$$;

-- Whether a resource is one that a filter names: every clause must hold, of a clause any value will do.
create function fits(p_region text, p_type text, p_id uuid, p_filter jsonb) returns boolean
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select not exists (
        select from jsonb_to_recordset(p_filter) as clause(param text, codes jsonb, targets uuid[])
        where not exists (
            select from jsonb_to_recordset(clause.codes) as wanted(system text, code text)
            join search_token t on t.region = p_region and t.type = p_type and t.param = clause.param and t.id = p_id
                and t.code = coalesce(wanted.code, t.code) and t.system = coalesce(wanted.system, t.system))
        and not exists (
            select from search_reference f
            where f.region = p_region and f.type = p_type and f.param = clause.param and f.id = p_id
                and f.target = any (clause.targets))
    )
$$;

-- New versions, for the subscriptions of those who took part before or after them and may see them.
create function tell(
    p_region text, p_listeners uuid[], p_traject uuid, p_priority text, p_type text[], p_id uuid[], p_version int[]
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    insert into outbox (region, id, subscription, type, resource, version, traject, priority, created, owed_since)
    select p_region, new_id(), s.id, written.type, written.id, written.version, p_traject, p_priority,
        clock_timestamp(), clock_timestamp()
    from unnest(p_type, p_id, p_version) with ordinality as written(type, id, version, place)
    join subscription s on s.region = p_region and s.type = written.type and s.organisation = any (p_listeners)
        and s.status <> 'off'
    cross join lateral (
        select r.parties from resource r
        where r.region = p_region and r.type = written.type and r.id = written.id limit 1
    ) seen
    where seen.parties @> array[s.organisation]
        and (s.filter is null or fits(p_region, written.type, written.id, s.filter))
    order by written.version > 1, written.place;  -- who gets the work hears of it before who let it go
end
$$;

-- Whether the caller may read a version now: of what it takes part in, or that its part is over as consent was withdrawn.
create function readable(p_region text, p_organisation uuid, p_type text, p_id uuid, p_version int) returns boolean
language sql stable security definer set search_path = ketenzorg, pg_temp as $$
    select exists (select from resource r where r.region = p_region and r.type = p_type and r.id = p_id)
        or p_type = 'Task' and exists (
            select from part p
            where p.region = p_region and p.organisation = p_organisation and p.task = p_id and p.withdrawn = p_version)
$$;

-- Tell the workers that something is new, where that is so; called after the commit.
create function ring(p_region text) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select pg_notify('ketenzorg_outbox', p_region)
    where exists (select from outbox o where o.region = p_region and o.state = 'new')
$$;

grant execute on function ring to ketenzorg_app;
