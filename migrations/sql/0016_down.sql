set local search_path = ketenzorg, pg_temp;
drop index part_withdrawn;
alter table part drop column withdrawn;
drop policy of_person on traject;
drop table objection;
delete from outbox where state = 'withdrawn';
alter table outbox drop constraint outbox_state_check;
alter table outbox add constraint outbox_state_check1 check (state in ('new', 'waiting', 'queued', 'parked', 'delivered'));
