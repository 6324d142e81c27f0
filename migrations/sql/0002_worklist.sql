-- The part of an organisation in a traject: what its worklist shows, and what only it may know (who of its own
-- people has it, its own file number).
set local search_path = ketenzorg, pg_temp;

create table part (
    region       text collate "C" not null,
    organisation uuid not null,
    traject      uuid not null,
    role         text collate "C" not null,
    pathway      text collate "C" not null,
    version      text collate "C" not null,
    step         text collate "C" not null,
    task         uuid not null,
    patient      uuid not null,
    started      timestamptz not null,
    ended        timestamptz,
    due          timestamptz,
    due_norm     text collate "C",
    colleague    text collate "C",      -- key of one of the organisation's people
    file_number  text collate "C",
    primary key (region, organisation, traject, role)
);
-- The inbox: what is open, what must happen soonest first.
create index part_open on part (region, organisation, due, traject) include (step, colleague) where ended is null;
create index part_of_colleague on part (region, organisation, colleague, due) where ended is null;
-- What was finished lately.
create index part_ended on part (region, organisation, ended desc, traject) where ended is not null;

alter table part enable row level security;
alter table part force row level security;
create policy own_only on part for select to ketenzorg_app
    using (organisation = any ((select callers())::uuid[]));
create policy through_functions on part to ketenzorg_owner using (true);
grant select on part to ketenzorg_app;

-- Once per statement: a batch of referrals is one insert here too.
create function follow_trajecten() returns trigger
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into part (region, organisation, traject, role, pathway, version, step, task, patient, started, ended,
        due, due_norm)
    select t.region, r.value::uuid, t.id, r.key, t.pathway, t.version, t.step, t.task, t.patient, t.started, t.ended,
        t.due, t.due_norm
    from changed t cross join jsonb_each_text(t.roles) r
    on conflict (region, organisation, traject, role) do update set step = excluded.step, task = excluded.task,
        ended = excluded.ended, due = excluded.due, due_norm = excluded.due_norm;
    return null;
end
$$;

create trigger parts_of_new_trajecten after insert on traject
    referencing new table as changed for each statement execute function follow_trajecten();
create trigger parts_of_changed_trajecten after update on traject
    referencing new table as changed for each statement execute function follow_trajecten();

-- What an organisation writes about its own part; null leaves a value as it is, '' clears it.
create function set_part(
    p_region text, p_callers uuid[], p_traject uuid, p_colleague text, p_file_number text, p_audit_id uuid,
    p_request text, p_client text
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    update part set colleague = case when p_colleague is null then colleague else nullif(p_colleague, '') end,
        file_number = case when p_file_number is null then file_number else nullif(p_file_number, '') end
    where region = p_region and organisation = any (p_callers) and traject = p_traject;
    if not found then
        return false;
    end if;
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    values (p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'U', 'CarePlan', p_traject,
        'own part in the traject');
    return true;
end
$$;

revoke execute on function follow_trajecten, set_part from public;
grant execute on function set_part to ketenzorg_app;
