-- The part of each organisation, kept in step with the traject by the database itself.
set local search_path = ketenzorg, pg_temp;

-- Once per statement: a batch of referrals is one insert here too.
create function follow_trajecten() returns trigger
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    insert into part (region, organisation, traject, role, pathway, version, step, task, patient, started, ended,
        due, due_norm, term)
    select t.region, r.value::uuid, t.id, r.key, t.pathway, t.version, t.step, t.task, t.patient, t.started, t.ended,
        t.due, t.due_norm, coalesce(t.due, t.started + interval '5000 years')
    from changed t cross join jsonb_each_text(t.roles) r
    -- Of who takes part no longer the part has ended, at the step where it did; who was asked only has none.
    where t.involved is null or (r.value::uuid = any (t.involved) and r.key = role_in(r.key))
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

-- News for the others in a traject: an end, or words or a reason that came with a step; and that a norm runs out, for
-- who is told of that. A step that was undone is no news any more.
create function note_news() returns trigger
language plpgsql security definer set search_path = ketenzorg, pg_temp as $$
begin
    if new.body ->> 'kind' = 'step-corrected' then
        -- By key: whoever ever took part. A traject alone is no key of theirs, and all parts of a region would be read.
        update part set news = array_remove(news, (new.body ->> 'corrects')::int)
        where region = new.region and traject = new.traject and (new.body ->> 'corrects')::int = any (news)
            and organisation = any (array(
                select unnest(t.parties) from traject t where t.region = new.region and t.id = new.traject));
    elsif new.body ->> 'kind' not in ('step-taken', 'candidate-answered', 'fact-heard', 'practice-changed') then
        update part set news = news || new.seq
        where region = new.region and traject = new.traject and organisation = any (ids(new.body -> 'told'));
    else
        update part set news = news || new.seq
        where region = new.region and traject = new.traject and organisation = any (new.parties)
            and organisation <> (new.body ->> 'organisation')::uuid;
    end if;
    return null;
end
$$;

create trigger news_of_events after insert on event for each row
    when (
        new.body ->> 'kind' in ('step-corrected', 'norm-reminded', 'norm-exceeded', 'norm-escalated')
        or new.body ->> 'kind' = 'step-taken'
            and (new.body ->> 'exit' is not null or new.body -> 'outputs' <> '[]' or new.body -> 'codes' <> '{}')
        or new.body ->> 'kind' in ('consent-changed', 'candidate-answered', 'fact-heard', 'practice-changed')
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
    p_access jsonb
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
    perform set_config('ketenzorg.callers', array_to_string(p_callers, ','), true);
    perform note(p_region, p_access, 'CarePlan/' || t.care_plan, null, array[t.id])
    from traject t where t.region = p_region and t.id = p_traject;
    return true;
end
$$;

grant execute on function see_part, set_part to ketenzorg_app;
