-- All trajecten of a person are found, also those that ended: who looked into somebody's file is asked for afterwards.
set local search_path = ketenzorg, pg_temp;
create index traject_of_person on traject (region, person, pathway);
drop index traject_open_of_person;
