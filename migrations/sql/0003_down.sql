set local search_path = ketenzorg, pg_temp;
drop policy counted on event;
drop table throughput_cell, throughput_cursor;
