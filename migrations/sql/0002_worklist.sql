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
    -- Where it stands in a list: what has no term comes after all that has, in the order in which it began. A column,
    -- because the wall does not let an index be searched for an expression.
    term         timestamptz not null,
    news         integer[] not null default '{}',  -- seqs of what another wrote or decided, in order
    seen         integer not null default 0,       -- seq of the last event that its people have looked at
    colleague    text collate "C",      -- key of one of the organisation's people
    file_number  text collate "C",
    edition      integer not null default 0,       -- grows with each write of colleague or file_number
    primary key (region, organisation, traject, role)
);
-- Each list of a worklist is a walk along one of these, soonest first and without a term last: what a page costs
-- does not grow with what is not on it.
create index part_open on part (region, organisation, term, traject, role) where ended is null;
create index part_at_step on part (region, organisation, step, pathway, version, role, term, traject)
    where ended is null;
create index part_of_colleague on part (region, organisation, colleague, term, traject, role)
    where ended is null and colleague is not null;
create index part_unread on part (region, organisation, term, traject, role)
    where news[cardinality(news)] > seen;
create index part_ended on part (region, organisation, ended, traject, role) where ended is not null;

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
        due, due_norm, term)
    select t.region, r.value::uuid, t.id, r.key, t.pathway, t.version, t.step, t.task, t.patient, t.started, t.ended,
        t.due, t.due_norm, coalesce(t.due, t.started + interval '5000 years')
    from changed t cross join jsonb_each_text(t.roles) r
    -- Of who takes part no longer the part has ended, at the step where it did.
    where t.involved is null or (r.value::uuid = any (t.involved) and strpos(r.key, '#') = 0)
    on conflict (region, organisation, traject, role) do update set step = excluded.step, task = excluded.task,
        ended = excluded.ended, due = excluded.due, due_norm = excluded.due_norm,
        term = excluded.term;
    return null;
end
$$;

create trigger parts_of_new_trajecten after insert on traject
    referencing new table as changed for each statement execute function follow_trajecten();
create trigger parts_of_changed_trajecten after update on traject
    referencing new table as changed for each statement execute function follow_trajecten();

-- News for the others in a traject: an end, or words or a reason that came with a step. A step that was undone is
-- no news any more.
create function note_news() returns trigger
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if new.body ->> 'kind' = 'step-corrected' then
        update part set news = array_remove(news, (new.body ->> 'corrects')::int)
        where region = new.region and traject = new.traject and (new.body ->> 'corrects')::int = any (news);
    else
        update part set news = news || new.seq
        where region = new.region and traject = new.traject
            and organisation <> (new.body ->> 'organisation')::uuid;
    end if;
    return null;
end
$$;

create trigger news_of_events after insert on event for each row
    when (
        new.body ->> 'kind' = 'step-corrected'
        or new.body ->> 'kind' = 'step-taken'
            and (new.body ->> 'exit' is not null or new.body -> 'outputs' <> '[]' or new.body -> 'codes' <> '{}')
    )
    execute function note_news();

-- Somebody of the organisation has looked at a traject as it stood after this event.
create function see_part(p_region text, p_callers uuid[], p_traject uuid, p_seq integer) returns void
language sql security definer set search_path = ketenzorg, pg_temp as $$
    update part set seen = p_seq
    where region = p_region and organisation = any (p_callers) and traject = p_traject and seen < p_seq
$$;

-- What an organisation writes about its own part; null leaves a value as it is, '' clears it. False: it has no
-- part here, or its part is not at this edition any more.
create function set_part(
    p_region text, p_callers uuid[], p_traject uuid, p_edition integer, p_colleague text, p_file_number text,
    p_audit_id uuid, p_request text, p_client text
) returns boolean
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    -- The second of two waits here, and then finds the edition of the first.
    perform from part where region = p_region and organisation = any (p_callers) and traject = p_traject
    order by role for update;
    update part set edition = edition + 1,
        colleague = case when p_colleague is null then colleague else nullif(p_colleague, '') end,
        file_number = case when p_file_number is null then file_number else nullif(p_file_number, '') end
    where region = p_region and organisation = any (p_callers) and traject = p_traject and edition = p_edition;
    if not found then
        return false;
    end if;
    insert into audit (region, id, at, request, client, organisation, action, what, traject, rule)
    values (p_region, p_audit_id, clock_timestamp(), p_request, p_client, p_callers[1], 'U', 'CarePlan', p_traject,
        'own part in the traject');
    return true;
end
$$;

revoke execute on function follow_trajecten, note_news, see_part, set_part from public;
grant execute on function see_part, set_part to ketenzorg_app;
