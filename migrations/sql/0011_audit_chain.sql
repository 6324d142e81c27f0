-- The chain over the audit log: that no line was changed, removed or put in afterwards can be seen, and where.
set local search_path = ketenzorg, pg_temp;

-- One link per line, in the order of commits. It keeps enough to name a line that is gone.
create table audit_chain (
    region  text collate "C" not null,
    n       bigint not null,
    xid     xid8 not null,
    id      uuid not null,
    at      timestamptz not null,
    request text collate "C" not null,
    hash    bytea not null,             -- over the link before this one and the line
    primary key (region, n)
);

-- What was signed: that the chain had n links of which the last had this hash; or that what came up to it was purged.
create table audit_head (
    region    text collate "C" not null,
    n         bigint not null,
    kind      text collate "C" not null check (kind in ('head', 'purge')),
    xid       xid8 not null,
    id        uuid not null,
    hash      bytea not null,
    at        timestamptz not null,
    key       text collate "C" not null,
    signature bytea not null,
    primary key (region, n, kind)
);

-- Where the lines about a traject are; made with the chain, as its place in an index is everywhere: no read pays for it.
create table audit_of_traject (
    region  text collate "C" not null,
    traject uuid not null,
    id      uuid not null,
    primary key (region, traject, id)
);

do $$
declare name text;
begin
    foreach name in array array['audit_chain', 'audit_head', 'audit_of_traject'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy through_functions on %I to ketenzorg_owner using (true)', name);
    end loop;
end
$$;

revoke update, truncate on audit_chain, audit_head, audit_of_traject from ketenzorg_owner;
