-- Outbox, audit chain and counting follow rows in the order in which their transactions began to write, by the number
-- of the transaction. A back-up is restored on a server that counts from 3: what is written there would come before
-- what was restored. So a row is stamped with that number plus what `ketenzorg restore` puts into transactions_before.
set local search_path = ketenzorg, pg_temp;

create function transactions_before() returns bigint language sql immutable parallel safe as $$ select 0::bigint $$;

-- Of the transaction that writes now.
create function stamp() returns xid8 language sql stable parallel restricted as $$
    select (ketenzorg.transactions_before() + pg_current_xact_id()::text::bigint)::text::xid8
$$;

-- Everything before it has ended: nothing can come in between any more.
create function settled() returns xid8 language sql stable parallel safe as $$
    select (ketenzorg.transactions_before() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text::xid8
$$;

alter table event alter column xid set default stamp();
alter table audit alter column xid set default stamp();
alter table outbox alter column xid set default stamp();
