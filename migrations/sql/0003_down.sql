set local search_path = ketenzorg, pg_temp;
drop policy counted on event;
drop function reset_counts, next_counts, logs_to_count, add_counts, counts_behind, read_counts, block_of;
drop table throughput_cell, throughput_cursor;
