-- The clock: what runs in a traject, and telling of what is past.
set local search_path = ketenzorg, pg_temp;

-- The norms and controls that run after a step. One that no longer runs and was past by then stays until it was told
-- of: what was too late was too late, also when nobody looked. p_ended null: what is gone had never begun.
create function set_dues(
    p_region text, p_traject uuid, p_parties uuid[], p_dues jsonb, p_ended timestamptz, p_step text
) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
begin
    update due d set until = p_ended, step = p_step, look = d.at
    where d.region = p_region and d.traject = p_traject and d.until is null and d.look is not null and d.at < p_ended
        and not exists (
            select from jsonb_to_recordset(p_dues) as n(norm text, began timestamptz)
            where n.norm = d.norm and n.began = d.began);
    delete from due d
    where d.region = p_region and d.traject = p_traject and d.until is null
        and not exists (
            select from jsonb_to_recordset(p_dues) as n(norm text, began timestamptz)
            where n.norm = d.norm and n.began = d.began);
    -- What runs as before keeps its place: the log knows what was told of it, so looking again is never wrong.
    insert into due as d (region, traject, norm, began, within, at, look, parties)
    select p_region, p_traject, n.norm, n.began, n.within, n.at, n.look, p_parties
    from jsonb_to_recordset(p_dues)
        as n(norm text, began timestamptz, within text, at timestamptz, look timestamptz)
    on conflict (region, traject, norm, began) do update
        set within = excluded.within, at = excluded.at, look = excluded.look, until = null, step = null,
            parties = excluded.parties
        where (d.within, d.at, d.until, d.parties) is distinct from (excluded.within, excluded.at, null::timestamptz, excluded.parties);
end
$$;
