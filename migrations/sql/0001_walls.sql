-- The second wall: whatever a query forgets, a row is seen only by a party to it. FORCE makes the owner's own
-- functions stand behind the same wall; they name the caller themselves.
set local search_path = ketenzorg, pg_temp;

-- Empty, not null, is what a transaction-local setting leaves behind on a pooled connection.
create function callers() returns uuid[] language sql stable parallel safe as $$
    select coalesce(string_to_array(nullif(current_setting('ketenzorg.callers', true), ''), ',')::uuid[], '{}')
$$;

do $$
declare name text;
begin
    foreach name in array array['resource', 'resource_history', 'search_token', 'search_reference',
                                'search_date', 'traject', 'event']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy parties_only on %I using (parties && (select callers()))', name);
    end loop;
    -- Reached through functions of the owner only: no grant to the application, and no caller to compare with.
    foreach name in array array['outbox', 'endpoint', 'audit', 'personal_number']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;

alter table referral_identity enable row level security;
alter table referral_identity force row level security;
create policy own_only on referral_identity using (organisation = any ((select callers())::uuid[]));

-- Searching reads; every write goes through a function.
grant select on resource, resource_history, search_token, search_reference, search_date, traject, event
    to ketenzorg_app;
