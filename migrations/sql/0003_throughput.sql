-- What is counted: the event log, folded into cells. Codes and organisations only; no cell names a person or a
-- traject.
set local search_path = ketenzorg, pg_temp;

create table throughput_cell (
    region       text collate "C" not null,
    pathway      text collate "C" not null,
    side         text collate "C" not null, -- whose: of everybody, of the owner, of the requester
    organisation uuid not null,             -- nil: everybody
    kind         text collate "C" not null, -- ketenzorg.throughput.facts says which there are
    grain        text collate "C" not null, -- of what has a length: see below; of all else 'place'
    day          date not null,             -- Monday of the first week; of what is open the first day of a year
    municipality text collate "C" not null, -- '' where the grain is everywhere
    name         text collate "C" not null, -- of the step, the norm or the exit
    detail       text collate "C" not null,
    outcome      text collate "C" not null,
    first        boolean not null,          -- the first of its traject; so nobody counts as two people
    -- How many, per place (a number of days, or a day of the year): eight digits each, place 0 last. Adding up a
    -- year of histograms is then one sum(), which is ten times faster than a row per number.
    numbers      numeric not null,
    -- What a page reads follows each other here: of one grain, from day to day.
    primary key (region, pathway, side, organisation, kind, grain, day, municipality, name, detail, outcome, first)
) partition by list (side);
-- What has a length is counted per week in its municipality; of everybody also per block of eight weeks, and both
-- everywhere; of the owner per block everywhere. A year is then read from some six blocks and the weeks around them, a
-- trend from its weeks. One requester has so few that its weeks will do.
-- What one page reads lies together: all of everybody, or all owners beside each other.
-- `numbers` is in no index, and pages keep room: so a cell that changes stays where it is, and no index grows. A cell may
-- come back to 0; it stays, as there are few.
create table throughput_cell_everybody partition of throughput_cell for values in ('everybody') with (fillfactor = 70);
create table throughput_cell_owner partition of throughput_cell for values in ('owner') with (fillfactor = 70);
create table throughput_cell_requester partition of throughput_cell for values in ('requester') with (fillfactor = 70);

-- Up to where the log is counted, in the order of commits. While `sweep` is there, the trajecten up to it are
-- counted as they were at (xid, id).
create table throughput_cursor (
    region text collate "C" primary key,
    xid    xid8 not null,
    id     uuid not null,
    sweep  uuid,
    stamp  text collate "C" not null        -- of the definitions that the cells were counted with
);

do $$
declare name text;
begin
    foreach name in array array['throughput_cell', 'throughput_cell_everybody', 'throughput_cell_owner',
                                'throughput_cell_requester', 'throughput_cursor']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;

-- Counting reads the log of everybody, inside the functions below only; they take the setting back.
create policy counted on event for select to ketenzorg_owner
    using (region = (select nullif(current_setting('ketenzorg.counting', true), '')));
