set local search_path = ketenzorg, pg_temp;
drop table audit_of_traject, audit_head, audit_chain;
