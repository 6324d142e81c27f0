set local search_path = ketenzorg, pg_temp;
alter table search_token no force row level security;
delete from search_token where type = 'Patient';
alter table search_token force row level security;
