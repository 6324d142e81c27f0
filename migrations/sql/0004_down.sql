set local search_path = ketenzorg, pg_temp;
create or replace function follow_trajecten() returns trigger
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
drop function let_in, ids;
drop index resource_of_traject;
alter table traject drop column involved;
