set local search_path = ketenzorg, pg_temp;
drop trigger parts_of_new_trajecten on traject;
drop trigger parts_of_changed_trajecten on traject;
drop trigger news_of_events on event;
drop function follow_trajecten, note_news, see_part, set_part;
drop table part;
