set local search_path = ketenzorg, pg_temp;
drop index outbox_late;
drop table warning;
