-- What is looked up by its key is found by its key. The planner knows nothing of a table that was not counted yet, and
-- then any index that begins with the region seems as good as the key: it read all trajecten for each one. An index with
-- a condition is looked at only by who asks for what it is about.
set local search_path = ketenzorg, pg_temp;
drop index traject_of_person, resource_of_traject;
create index traject_of_person on traject (region, person, pathway) where person is not null;
create index resource_of_traject on resource (region, traject) where traject is not null;
-- Nothing asks for it, and it made each step write all indexes of its traject anew.
drop index traject_of_task;
