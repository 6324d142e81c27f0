-- A reader that asks for ids after the last one it saw: what commits later under an earlier id it never sees.
create function ketenzorg.last_seen(p_subscription uuid) returns uuid
language sql stable security definer as $$
    select coalesce((
        select o.id from ketenzorg.outbox o where o.subscription = p_subscription and o.number is not null
        order by o.id desc limit 1), '00000000-0000-0000-0000-000000000000')
$$;
do $$
declare
    honest text := pg_get_functiondef('ketenzorg.number_events'::regproc);
    naive text := replace(honest, 'and o.state = ''new''',
        'and o.state = ''new'' and o.id > ketenzorg.last_seen(p_subscription)');
begin
    assert naive <> honest;
    execute naive;
end
$$;

-- Transactions that take their time, as under load; who reads in the order of commits does not mind.
create function ketenzorg.dawdle() returns trigger language plpgsql as $$
begin
    perform pg_sleep(random() * 0.03);
    return new;
end
$$;
create trigger dawdle before insert on ketenzorg.outbox for each row execute function ketenzorg.dawdle();
