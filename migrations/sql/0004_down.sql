set local search_path = ketenzorg, pg_temp;
drop function let_in, ids, data_of, sent_before;
drop index resource_of_traject;
alter table traject drop column involved;
