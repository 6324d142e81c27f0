-- What each party may find of a traject.
set local search_path = ketenzorg, pg_temp;

-- Placed anew after each write, from what is stored and from who finds it by its status and its owner. The callers are all
-- parties here; what stays the same is not written.
create function place(p_region text, p_trajecten uuid[]) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan set enable_memoize = off as $$
begin
    with seen as materialized (
        select r.traject, r.type, r.id, party.id as party, coalesce(s.code, '') as status, o.target as owner, r.updated,
            d.low, coalesce(d.high, r.updated) as high
        from unnest(p_trajecten) as t(id)
        cross join lateral (select * from resource r where r.region = p_region and r.traject = t.id offset 0) r
        cross join lateral (select distinct unnest(r.parties) as id) party
        left join lateral (
            select s.code
            from (select * from search_token s where s.region = p_region and s.type = r.type and s.id = r.id offset 0) s
            where s.param = 'status' and s.parties @> array[party.id]
            limit 1
        ) s on true
        left join lateral (
            select o.target
            from (
                select substring(convert_from(r.body, 'UTF8')::jsonb -> 'owner' ->> 'reference',
                    '^Organization/([0-9a-f-]{36})$')::uuid as id
                where r.type = 'Task' offset 0
            ) named
            join search_reference o on o.region = p_region and o.type = 'Task' and o.param = 'owner'
                and o.target = named.id and o.target_type = 'Organization' and o.id = r.id
                and o.parties @> array[party.id]
            limit 1
        ) o on true
        left join lateral (
            select d.low, d.high from search_date d
            where d.region = p_region and d.type = r.type and d.id = r.id and d.parties @> array[party.id]
            limit 1
        ) d on true
        where r.type in ('Task', 'ServiceRequest', 'CarePlan', 'Patient')
    ), gone as (
        delete from findable f
        where f.region = p_region and f.traject = any (p_trajecten)
            and not exists (select from seen s where (s.traject, s.type, s.id, s.party) = (f.traject, f.type, f.id, f.party))
    )
    insert into findable as f (region, traject, type, id, party, status, owner, updated, low, high)
    select p_region, s.traject, s.type, s.id, s.party, s.status, s.owner, s.updated, s.low, s.high from seen s
    on conflict (region, traject, type, id, party) do update
        set status = excluded.status, owner = excluded.owner, updated = excluded.updated, low = excluded.low,
            high = excluded.high
        where (f.status, f.owner, f.updated, f.low, f.high)
            is distinct from (excluded.status, excluded.owner, excluded.updated, excluded.low, excluded.high);
end
$$;
