-- A traject goes from one hand-over to the next. Who takes part in the one that runs now follows it; who took part
-- earlier keeps what it saw then, and its own part ends.
set local search_path = ketenzorg, pg_temp;

-- Organisations in the hand-over that runs now; null: all parties, as long as there was one hand-over only.
alter table traject add column involved uuid[];
-- What a new party gets to see is looked up by traject.
create index resource_of_traject on resource (region, traject);
