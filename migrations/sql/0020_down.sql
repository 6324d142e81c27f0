set local search_path = ketenzorg, pg_temp;
drop index outbox_of_traject;
create index outbox_late on outbox (region, told) where told is not null and state <> 'delivered';
drop index outbox_parked;
drop index outbox_ended;
