set local search_path = ketenzorg, pg_temp;
alter table client drop column validation;
