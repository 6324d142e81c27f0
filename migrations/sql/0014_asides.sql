-- A question beside the hand-over has a Task of its own: a request to stop, a question to who referred.
set local search_path = ketenzorg, pg_temp;

-- Name in the pathway -> the last Task of that kind, open or not.
alter table traject add column asides jsonb not null default '{}';
