-- The chain over the audit log: the next lines for it, adding them, walking it again, and what is old enough to go.
set local search_path = ketenzorg, pg_temp;

-- The last thing signed of the chain, and the last purge. No row: there was none yet.
create function audit_head_now(p_region text) returns setof audit_head
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select * from audit_head where region = p_region order by n desc, kind limit 1
$$;

create function audit_purge_now(p_region text) returns setof audit_head
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select * from audit_head where region = p_region and kind = 'purge' order by n desc limit 1
$$;

-- Lines in the order of commits, after one place and up to another (null: as far as nothing earlier can still commit).
-- `found`: whether the table by traject leads to the line.
create function audit_lines(
    p_region text, p_xid text, p_id uuid, p_to_xid text, p_to_id uuid, p_most int
) returns table (line text, found boolean)
language sql security definer set search_path = ketenzorg, pg_temp set timezone = 'UTC' as $$
    select to_jsonb(a)::text, not exists (
        select from unnest(a.trajecten) as of(traject) where not exists (
            select from audit_of_traject t where t.region = a.region and t.traject = of.traject and t.id = a.id))
    from audit a
    where a.region = p_region and (a.xid, a.id) > (p_xid::xid8, p_id)
        and case when p_to_xid is null then a.xid < settled()
            else (a.xid, a.id) <= (p_to_xid::xid8, p_to_id) end
    order by a.xid, a.id limit p_most
$$;

-- Add links and sign for the last one. False: somebody else went on from p_n, and nothing was written.
create function add_to_chain(
    p_region text, p_n bigint, l_xid text[], l_id uuid[], l_at timestamptz[], l_request text[], l_hash bytea[],
    p_at timestamptz, p_key text, p_signature bytea
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    many int := cardinality(l_id);
begin
    perform pg_advisory_xact_lock(hashtextextended('ketenzorg audit chain ' || p_region, 0));
    if coalesce((select max(n) from audit_head where region = p_region), 0) <> p_n then
        return false;
    end if;
    insert into audit_chain (region, n, xid, id, at, request, hash)
    select p_region, p_n + l.place, l.xid::xid8, l.id, l.at, l.request, l.hash
    from unnest(l_xid, l_id, l_at, l_request, l_hash) with ordinality as l(xid, id, at, request, hash, place);
    insert into audit_of_traject (region, traject, id)
    select p_region, of.traject, a.id
    from audit a cross join unnest(a.trajecten) as of(traject)
    where a.region = p_region and a.id = any (l_id)
    on conflict do nothing;
    insert into audit_head (region, n, kind, xid, id, hash, at, key, signature)
    values (p_region, p_n + many, 'head', l_xid[many]::xid8, l_id[many], l_hash[many], p_at, p_key, p_signature);
    return true;
end
$$;

create function audit_links(p_region text, p_n bigint, p_most int) returns setof audit_chain
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select * from audit_chain where region = p_region and n > p_n order by n limit p_most
$$;

create function audit_heads(p_region text, p_n bigint, p_most int) returns setof audit_head
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select * from audit_head where region = p_region and n > p_n order by n, kind limit p_most
$$;

-- What a purge of all that is older than p_before may take: up to the last signed head of which nothing is younger.
create function audit_may_go(p_region text, p_before timestamptz) returns setof audit_head
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select h.* from audit_head h
    where h.region = p_region and h.kind = 'head' and h.at < p_before
        and h.n < coalesce(
            (select min(c.n) from audit_chain c where c.region = p_region and c.at >= p_before), h.n + 1)
    order by h.n desc limit 1
$$;

-- Sign for a purge: from here on the chain begins after link p_n. Not of the last five years, whatever the caller's clock.
create function sign_purge(p_region text, p_n bigint, p_at timestamptz, p_key text, p_signature bytea) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if exists (
        select from audit_chain
        where region = p_region and n <= p_n and at >= clock_timestamp() - interval '5 years')
    then
        raise exception 'the log is append-only' using errcode = 'insufficient_privilege';
    end if;
    insert into audit_head (region, n, kind, xid, id, hash, at, key, signature)
    select p_region, p_n, 'purge', h.xid, h.id, h.hash, p_at, p_key, p_signature
    from audit_head h where h.region = p_region and h.n = p_n and h.kind = 'head';
end
$$;

-- Take away some of what a purge was signed for; how many lines went. The trigger on each table refuses what is younger
-- than five years, whoever asks.
create function sweep_audit(p_region text, p_most int) returns int
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
declare
    old_ids uuid[];
    last_n bigint;
begin
    select array_agg(c.id), max(c.n) into old_ids, last_n from (
        select id, n from audit_chain
        where region = p_region
            and n <= (select max(h.n) from audit_head h where h.region = p_region and h.kind = 'purge')
        order by n limit p_most) c;
    if last_n is null then
        return 0;
    end if;
    delete from audit_of_traject t using audit a
    where a.region = p_region and a.id = any (old_ids)
        and t.region = p_region and t.traject = any (a.trajecten) and t.id = a.id;
    delete from audit where region = p_region and id = any (old_ids);
    delete from audit_chain where region = p_region and n <= last_n;
    delete from audit_head where region = p_region and n <= last_n and kind = 'head';
    return cardinality(old_ids);
end
$$;

grant execute on function audit_head_now, audit_lines, add_to_chain, audit_links, audit_heads, audit_may_go, audit_purge_now,
    sign_purge, sweep_audit to ketenzorg_app;
