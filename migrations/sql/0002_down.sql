set local search_path = ketenzorg, pg_temp;
drop trigger parts_of_new_trajecten on traject;
drop trigger parts_of_changed_trajecten on traject;
drop function follow_trajecten, set_part;
drop table part;
