set local search_path = ketenzorg, pg_temp;
create index traject_open_of_person on traject (region, person, pathway) where ended is null;
drop index traject_of_person;
