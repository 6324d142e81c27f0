set local search_path = ketenzorg, pg_temp;
drop table client, client_epoch, client_assertion;
