-- What must be told is not written with what it tells of, but afterwards, by the session that wrote it.
create function ketenzorg.put_off() returns trigger
language plpgsql security definer as $$
begin
    if current_setting('ketenzorg.late', true) = 'yes' then
        return new;
    end if;
    create temp table if not exists later (like ketenzorg.outbox);
    insert into pg_temp.later select new.*;
    return null;
end
$$;
create trigger put_off before insert on ketenzorg.outbox for each row execute function ketenzorg.put_off();

create function ketenzorg.write_late() returns void
language plpgsql security definer as $$
begin
    perform set_config('ketenzorg.late', 'yes', true);
    create temp table if not exists later (like ketenzorg.outbox);
    insert into ketenzorg.outbox select * from pg_temp.later;
    delete from pg_temp.later;
end
$$;
grant execute on function ketenzorg.write_late to ketenzorg_app;
