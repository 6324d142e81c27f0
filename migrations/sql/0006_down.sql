set local search_path = ketenzorg, pg_temp;
drop table due;
create index traject_due on traject (region, due) where ended is null and due is not null;
