-- A referral comes in: one call, one round trip, one transaction. It runs as the owner (the application has no right
-- to write), behind the wall of 0001_walls.sql for the callers that it is given; so do all functions here.
set local search_path = ketenzorg, pg_temp;

-- What comes once per referral; the rest comes as arrays. Made from JSON once, read many times.
create type incoming as (
    n int, organisation uuid, system text, value text, hash text, traject uuid, locations text[], at timestamptz,
    pathway text, version text, step text, counts jsonb, happened jsonb, person uuid, pseudonym uuid, patient uuid,
    service_request uuid, care_plan uuid, task uuid, roles jsonb, phases jsonb, parties uuid[], involved uuid[], asides jsonb, consents jsonb,
    municipality text, dues jsonb, event_id uuid, event text, event_body jsonb, priority text, access jsonb, knows uuid[],
    weighed uuid[]
);

-- Who sees a row, or finds by it: a few sets of parties for many rows, so each is read from text once.
create type audience as (parties uuid[]);

-- Store referrals, each with all that belongs to it, or tell what is stored under its identifier already.
-- Identities are claimed first: of two that come at once the second waits for the first and then sees its row.
-- Plans are made once a connection: planning a dozen statements again at each call costs as much as running them.
create function receive_referrals(
    p_region text, p_callers uuid[], p_referrals jsonb, p_audiences text[],
    r_referral int[], r_type text[], r_id uuid[], r_audience int[], r_body bytea[],
    t_resource int[], t_audience int[], t_param text[], t_code text[], t_system text[],
    f_resource int[], f_audience int[], f_param text[], f_target uuid[], f_type text[],
    d_resource int[], d_audience int[], d_param text[], d_low timestamptz[], d_high timestamptz[],
    n_referral int[], n_token uuid[], n_index bytea[], n_key text[], n_ciphertext bytea[]
) returns table (n int, claimed boolean, hash bytea, traject uuid, locations text[], others uuid[], told boolean)
language plpgsql security definer set search_path = ketenzorg, pg_temp
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    won uuid[];      -- trajecten whose referral is new
    winners int[];   -- and their places in p_referrals
    referrals incoming[];
    audiences audience[];
    held int[];      -- whose patient objected to something that was not weighed: nothing is stored, and no row answers
    v_told int := 0; -- messages that there are to send now
begin
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    select array_agg(i) into referrals from jsonb_populate_recordset(null::incoming, p_referrals) i;
    held := held_back(p_region, referrals);

    -- In key order, so that two batches that share keys cannot wait for each other.
    with new as (
        insert into referral_identity (region, organisation, system, value, hash, traject, locations)
        select p_region, i.organisation, i.system, i.value, decode(i.hash, 'hex'), i.traject, i.locations
        from unnest(referrals) i
        where i.n <> all (held)
        order by i.organisation, i.system collate "C", i.value collate "C"
        on conflict do nothing
        returning referral_identity.traject
    )
    select array_agg(new.traject) into won from new;

    if won is not null then
        select array_agg(i.n) into winners
        from unnest(referrals) i where i.traject = any (won);
        -- The sender had the right to send them; not all of it needs to be there for the sender.
        perform set_config('ketenzorg.callers', array_to_string(
            array(select distinct party from unnest(referrals) i cross join unnest(i.parties) party), ','), true);

        insert into traject (region, id, pathway, version, step, counts, happened, seq, person, pseudonym, patient,
            service_request, care_plan, task, roles, phases, parties, involved, asides, consents, municipality, started, due, due_norm)
        select p_region, i.traject, i.pathway, i.version, i.step, i.counts, i.happened, 1, i.person, i.pseudonym,
            i.patient, i.service_request, i.care_plan, i.task, i.roles, i.phases, i.parties, i.involved, i.asides, i.consents, i.municipality,
            i.at, (i.dues -> 0 ->> 'at')::timestamptz, i.dues -> 0 ->> 'norm'
        from unnest(referrals) i
        where i.n = any (winners);

        insert into event (region, traject, seq, id, event, happened, recorded, from_step, to_step, body, parties)
        select p_region, i.traject, 1, i.event_id, i.event, i.at, i.at, '', i.step, i.event_body, coalesce(i.involved, i.parties)
        from unnest(referrals) i
        where i.n = any (winners);

        insert into due (region, traject, norm, began, within, at, look, parties)
        select p_region, i.traject, d.norm, d.began, d.within, d.at, d.look, coalesce(i.involved, i.parties)
        from unnest(referrals) i
        cross join jsonb_to_recordset(i.dues)
            as d(norm text, began timestamptz, within text, at timestamptz, look timestamptz)
        where i.n = any (winners);

        select array_agg(row(a.parties::uuid[])::audience order by a.place) into audiences
        from unnest(p_audiences) with ordinality as a(parties, place);

        insert into resource (region, type, id, version, updated, traject, source, parties, body)
        select p_region, r.type, r.id, 1, i.at, i.traject, i.organisation, (audiences[r.audience]).parties, r.body
        from unnest(r_referral, r_type, r_id, r_audience, r_body) as r(referral, type, id, audience, body)
        join unnest(referrals) i
            on i.n = r.referral
        where r.referral = any (winners);

        insert into search_token (region, type, param, code, system, id, parties)
        select p_region, r.type, t.param, t.code, t.system, r.id, (audiences[t.audience]).parties
        from unnest(t_resource, t_audience, t_param, t_code, t_system) as t(resource, audience, param, code, system)
        join unnest(r_referral, r_type, r_id) with ordinality as r(referral, type, id, place)
            on r.place = t.resource
        where r.referral = any (winners);

        insert into search_reference (region, type, param, target, target_type, id, parties)
        select p_region, r.type, f.param, f.target, f.type, r.id, (audiences[f.audience]).parties
        from unnest(f_resource, f_audience, f_param, f_target, f_type) as f(resource, audience, param, target, type)
        join unnest(r_referral, r_type, r_id) with ordinality as r(referral, type, id, place)
            on r.place = f.resource
        where r.referral = any (winners);

        insert into search_date (region, type, param, low, high, id, parties)
        select p_region, r.type, d.param, d.low, d.high, r.id, (audiences[d.audience]).parties
        from unnest(d_resource, d_audience, d_param, d_low, d_high) as d(resource, audience, param, low, high)
        join unnest(r_referral, r_type, r_id) with ordinality as r(referral, type, id, place)
            on r.place = d.resource
        where r.referral = any (winners);

        perform place(p_region, array(select i.traject from unnest(referrals) i where i.n = any (winners)));

        -- What tell() does for one traject, for all of them at once.
        insert into outbox (region, id, subscription, type, resource, version, traject, priority, created, owed_since)
        select p_region, new_id(), s.id, r.type, r.id, 1, i.traject, i.priority, clock_timestamp(), clock_timestamp()
        from unnest(r_referral, r_type, r_id, r_audience) as r(referral, type, id, audience)
        join unnest(referrals) i on i.n = r.referral
        cross join lateral unnest((audiences[r.audience]).parties) as listener(organisation)
        join subscription s on s.region = p_region and s.organisation = listener.organisation and s.type = r.type
            and s.status <> 'off'
        where r.referral = any (winners) and (s.filter is null or fits(p_region, r.type, r.id, s.filter));
        get diagnostics v_told = row_count;

        insert into personal_number as known (region, token, blind_index, key_id, ciphertext, parties)
        select p_region, p.token, (array_agg(p.blind_index))[1], (array_agg(p.key_id))[1],
            (array_agg(p.ciphertext))[1], array_agg(distinct k.party)
        from unnest(n_referral, n_token, n_index, n_key, n_ciphertext)
            as p(referral, token, blind_index, key_id, ciphertext)
        join unnest(referrals) i on i.n = p.referral
        cross join unnest(i.knows) as k(party)
        where p.referral = any (winners)
        group by p.token
        order by p.token
        on conflict (region, token) do update set parties = array(
            select distinct unnest(known.parties || excluded.parties))
        where not known.parties @> excluded.parties;
        perform insist_on_data_keys(p_region, n_key);
    end if;

    perform note(
        p_region,
        case when i.n = any (winners) then i.access else i.access || '{"action": "R"}' end,
        'ServiceRequest/' || t.service_request, 1, array[t.id])
    from unnest(referrals) i
    cross join lateral (
        select k.traject from referral_identity k
        where k.region = p_region and k.organisation = i.organisation and k.system = i.system collate "C"
            and k.value = i.value collate "C"
        limit 1
    ) known
    cross join lateral (
        select t.id, t.service_request from traject t where t.region = p_region and t.id = known.traject limit 1
    ) t;

    return query
    select i.n, coalesce(i.n = any (winners), false), known.hash, known.traject, known.locations,
        array(select other.id from traject other
              where other.region = p_region and other.person = i.person and other.pathway = i.pathway
                and other.ended is null and other.id <> known.traject
                and other.parties @> array[i.organisation]),
        v_told > 0
    from unnest(referrals) i
    -- By its key, one by one: a join would read the whole table for a handful of rows.
    cross join lateral (
        select k.* from referral_identity k
        where k.region = p_region and k.organisation = i.organisation and k.system = i.system collate "C"
            and k.value = i.value collate "C"
        limit 1
    ) known;
end
$$;

grant execute on function receive_referrals to ketenzorg_app;
