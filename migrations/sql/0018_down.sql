set local search_path = ketenzorg, pg_temp;
drop table idempotency_key;
