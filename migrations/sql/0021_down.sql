set local search_path = ketenzorg, pg_temp;
do $$
begin
    if transactions_before() <> 0 then
        raise exception 'this database was restored: its stamps mean nothing to the revision before';
    end if;
end
$$;
alter table event alter column xid set default pg_current_xact_id();
alter table audit alter column xid set default pg_current_xact_id();
alter table outbox alter column xid set default pg_current_xact_id();
drop function stamp();
drop function settled();
drop function transactions_before();
