set local search_path = ketenzorg, pg_temp;
alter table traject drop column asides;
