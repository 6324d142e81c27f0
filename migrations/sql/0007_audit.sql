-- The audit line as NEN 7513 asks for it; nobody changes it.
set local search_path = ketenzorg, pg_temp;

-- Stands for the person in the log: keyed as the key of the person is, with another key. What began before the log had
-- pseudonyms gets one by chance: no key is at hand here.
alter table traject add column pseudonym uuid not null default gen_random_uuid();
alter table traject alter column pseudonym drop default;

alter table audit alter column traject type uuid[] using case when traject is null then '{}' else array[traject] end;
alter table audit rename column traject to trajecten;
alter table audit
    alter column trajecten set not null,                            -- whose data were shown or changed
    add column patients uuid[] not null default '{}',               -- of whom: their pseudonyms, in the same order
    add column consents uuid[] not null default '{}',               -- and on which consent; null: on none
    add column version integer,                                     -- of `what`
    add column interaction text collate "C" not null default '',    -- how: of FHIR, or one of ours
    add column query text[] collate "C" not null default '{}',      -- names of search parameters, never values
    add column digest text collate "C" not null default '',         -- keyed, of the whole query
    add column user_id text collate "C" not null default '',        -- the person; empty: a system by itself
    add column responsible text collate "C" not null default '',    -- on whose responsibility; empty: the user's own
    add column roles text[] collate "C" not null default '{}',      -- of the organisation in these trajecten
    add column purpose text collate "C" not null default 'TREAT',   -- ETREAT: the emergency procedure
    add column correlation text collate "C" not null default '',    -- what links the requests of one session
    add column address text collate "C" not null default '',        -- where the request came from, on the network
    add column outcome text collate "C" not null default '0',       -- of http://terminology.hl7.org/CodeSystem/audit-event-outcome
    add column xid xid8 not null default pg_current_xact_id();
-- As events are followed: id order alone skips what commits late.
create index audit_in_commit_order on audit (region, xid, id);
-- The latest of an organisation lie side by side.
create index audit_of_organisation on audit (region, organisation, id);

-- Our own functions run as the owner: it gives up what none of them needs. Only a purge deletes.
revoke update, truncate on audit from ketenzorg_owner;
