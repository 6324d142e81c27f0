set local search_path = ketenzorg, pg_temp;
drop table findable;
drop index search_token_of, search_date_of;
