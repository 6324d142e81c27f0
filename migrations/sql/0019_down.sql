set local search_path = ketenzorg, pg_temp;
create index traject_of_task on traject (region, task);
drop index traject_of_person, resource_of_traject;
create index traject_of_person on traject (region, person, pathway);
create index resource_of_traject on resource (region, traject);
