set local search_path = ketenzorg, pg_temp;
drop index resource_of_traject;
alter table traject drop column involved;
