-- Subscriptions as their organisation asks for them; how delivery goes stands in delivering.sql.
set local search_path = ketenzorg, pg_temp;

-- What signs for a subscription from now on.
create function add_secret(p_region text, p_subscription uuid, p_id uuid, p_key_id text, p_secret bytea) returns void
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into endpoint (region, id, subscription, key_id, secret)
    values (p_region, p_id, p_subscription, p_key_id, p_secret);
    perform insist_on_data_keys(p_region, array[p_key_id]);
end
$$;

-- A new subscription. False: the organisation has as many as it may have. p_asked: ketenzorg.store.subscriptions.Asked.
create function add_subscription(
    p_region text, p_organisation uuid, p_client text, p_id uuid, p_asked jsonb, p_body bytea, p_secret_id uuid,
    p_key_id text, p_secret bytea, p_status text, p_answered boolean, p_now timestamptz, p_most int, p_access jsonb
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    -- Two at once would both see room for the last one.
    perform pg_advisory_xact_lock(hashtextextended('subscription ' || p_organisation, 0));
    if (select count(*) from subscription s where s.region = p_region and s.organisation = p_organisation) >= p_most then
        return false;
    end if;
    insert into subscription (region, id, organisation, client, version, updated, body, type, filter, channel,
        endpoint, content, heartbeat_s, timeout_s, ends, contact, status, since, answered)
    select p_region, p_id, p_organisation, p_client, 1, p_now, p_body, a.type, a.filter, a.channel, a.endpoint,
        a.content, a.heartbeat_s, a.timeout_s, a.ends, a.contact, p_status, p_now, p_answered
    from jsonb_to_record(p_asked) as a(type text, filter jsonb, channel text, endpoint text, content text,
        heartbeat_s int, timeout_s int, ends timestamptz, contact text);
    perform add_secret(p_region, p_id, p_secret_id, p_key_id, p_secret);
    perform note(p_region, p_access, 'Subscription/' || p_id, 1, '{}');
    return true;
end
$$;

-- Another wish under the same id: whoever was sending stops, and the endpoint must answer again. Numbers go on.
-- False: not there, not of this organisation, or no longer this version (null: any).
create function change_subscription(
    p_region text, p_organisation uuid, p_id uuid, p_version int, p_asked jsonb, p_body bytea, p_status text,
    p_answered boolean, p_now timestamptz, p_access jsonb
) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with changed as (
        update subscription s set version = s.version + 1, updated = p_now, body = p_body, type = a.type,
            filter = a.filter, channel = a.channel, endpoint = a.endpoint, content = a.content,
            heartbeat_s = a.heartbeat_s, timeout_s = a.timeout_s, ends = a.ends, contact = a.contact,
            status = p_status, since = p_now, error = '', answered = p_answered, failures = 0, rest_until = null,
            beat_at = null, lease = null, lease_until = null
        from jsonb_to_record(p_asked) as a(type text, filter jsonb, channel text, endpoint text, content text,
            heartbeat_s int, timeout_s int, ends timestamptz, contact text)
        where s.region = p_region and s.id = p_id and s.organisation = p_organisation
            and s.version = coalesce(p_version, s.version)
        returning s.version
    ), noted as materialized (
        select note(p_region, p_access, 'Subscription/' || p_id, changed.version, '{}') from changed
    )
    select exists (select from noted)
$$;

-- All subscriptions of an organisation, or one of them, in the order in which they were made.
create function subscriptions_of(p_region text, p_organisation uuid, p_id uuid)
returns table (id uuid, client text, version int, updated timestamptz, body bytea, type text, channel text,
    content text, contact text, status text, since timestamptz, error text, number bigint, rest_until timestamptz)
language sql security definer set search_path = ketenzorg, pg_temp as $$
    select s.id, s.client, s.version, s.updated, s.body, s.type, s.channel, s.content, s.contact, s.status, s.since,
        s.error, s.number, s.rest_until
    from subscription s
    where s.region = p_region and s.organisation = p_organisation and s.id = coalesce(p_id, s.id)
    order by s.id
$$;

-- A new secret; the one before it signs along until p_until. False: not there, or not of this organisation.
create function rotate_secret(
    p_region text, p_organisation uuid, p_subscription uuid, p_id uuid, p_key_id text, p_secret bytea,
    p_until timestamptz, p_access jsonb
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    perform from subscription s
    where s.region = p_region and s.id = p_subscription and s.organisation = p_organisation
    for no key update;
    if not found then
        perform note(p_region, p_access, 'Subscription/' || p_subscription, null, '{}', '4');
        return false;
    end if;
    perform note(p_region, p_access, 'Subscription/' || p_subscription, null, '{}');
    delete from endpoint e
    where e.region = p_region and e.subscription = p_subscription and e.signs_until is not null;
    update endpoint e set signs_until = p_until where e.region = p_region and e.subscription = p_subscription;
    perform add_secret(p_region, p_subscription, p_id, p_key_id, p_secret);
    return true;
end
$$;

-- Nothing of it is left, also of what was heard; but that it was there and who ended it is on record.
create function drop_subscription(p_region text, p_organisation uuid, p_id uuid, p_access jsonb) returns boolean
language sql security definer set search_path = ketenzorg, pg_temp as $$
    with gone as (
        delete from subscription s where s.region = p_region and s.id = p_id and s.organisation = p_organisation
        returning s.id
    ), unshared as (
        delete from endpoint e using gone where e.region = p_region and e.subscription = gone.id
    ), unwarned as (
        delete from warning w using gone where w.region = p_region and w.subscription = gone.id
    ), unsaid as (
        delete from outbox o using gone where o.region = p_region and o.subscription = gone.id
    ), noted as materialized (
        select note(p_region, p_access, 'Subscription/' || p_id, null, '{}',
            case when exists (select from gone) then '0' else '4' end)
    )
    select exists (select from gone) from noted
$$;

grant execute on function add_subscription, change_subscription, subscriptions_of, rotate_secret, drop_subscription
    to ketenzorg_app;
