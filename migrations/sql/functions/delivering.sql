-- The outbox: what may be sent now, how it went, where it goes.
set local search_path = ketenzorg, pg_temp;

-- Lease what may be sent now: per receiver and Task only the oldest that has not arrived, so that order holds.
-- What is parked holds up the rest of its own Task at its own receiver, and nothing else.
create function claim_outbox(p_region text, p_lease uuid, p_seconds double precision, p_per_receiver int)
returns table (id uuid, receiver uuid, task uuid, task_version int, created timestamptz, attempts int,
    url text, key_id text, secret bytea)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with ready as (
        select o.id, e.url, e.key_id, e.secret
        from endpoint e
        cross join lateral (
            select w.id from outbox w
            where w.region = p_region and w.receiver = e.organisation and w.state = 'waiting'
                and w.run_at <= clock_timestamp()
                and (w.lease_until is null or w.lease_until < clock_timestamp())
                and not exists (
                    select from outbox earlier
                    where earlier.region = p_region and earlier.receiver = w.receiver and earlier.task = w.task
                        and earlier.task_version < w.task_version and earlier.state <> 'delivered')
            order by w.run_at
            -- What is under way counts too, so that a slow receiver does not gather ever more sends.
            limit greatest(0, p_per_receiver - (
                select count(*) from outbox leased
                where leased.region = p_region and leased.receiver = e.organisation and leased.state = 'waiting'
                    and leased.lease_until >= clock_timestamp()))
            for update skip locked
        ) o
        where e.region = p_region
    )
    update outbox set lease = p_lease, lease_until = clock_timestamp() + make_interval(secs => p_seconds),
        attempts = outbox.attempts + 1
    from ready where outbox.region = p_region and outbox.id = ready.id
    returning outbox.id, outbox.receiver, outbox.task, outbox.task_version, outbox.created, outbox.attempts,
        ready.url, ready.key_id, ready.secret
$$;

-- Write down how a sending ended. False: the lease had passed to another worker, whose answer counts.
create function settle_outbox(
    p_region text, p_id uuid, p_lease uuid, p_state text, p_retry_seconds double precision, p_error text
) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with settled as (
        update outbox set state = p_state, last_error = p_error, lease = null, lease_until = null,
            run_at = clock_timestamp() + make_interval(secs => p_retry_seconds),
            ended = case when p_state = 'waiting' then null else clock_timestamp() end
        where region = p_region and id = p_id and lease = p_lease
        returning 1
    )
    select exists (select from settled)
$$;

-- What has not arrived, for the people who keep the service running: ids and reasons only.
create function outbox_state(p_region text)
returns table (id uuid, receiver uuid, task uuid, task_version int, state text, attempts int, run_at timestamptz,
    last_error text)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select o.id, o.receiver, o.task, o.task_version, o.state, o.attempts, o.run_at, o.last_error
    from outbox o where o.region = p_region and o.state <> 'delivered' order by o.receiver, o.task, o.task_version
$$;

-- Send a parked message again, from the start of its retries.
create function release_outbox(p_region text, p_id uuid) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with released as (
        update outbox set state = 'waiting', attempts = 0, run_at = clock_timestamp(), ended = null
        where region = p_region and id = p_id and state = 'parked' returning 1
    )
    select exists (select from released)
$$;

create function set_endpoint(p_region text, p_organisation uuid, p_url text, p_key_id text, p_secret bytea)
returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into endpoint (region, organisation, url, key_id, secret)
    values (p_region, p_organisation, p_url, p_key_id, p_secret)
    on conflict (region, organisation)
        do update set url = excluded.url, key_id = excluded.key_id, secret = excluded.secret;
    perform insist_on_data_keys(p_region, array[p_key_id]);
end
$$;

grant execute on function claim_outbox, settle_outbox, outbox_state, release_outbox, set_endpoint to ketenzorg_app;
