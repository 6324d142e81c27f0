-- What a person is told about delivery: that something has not arrived within its limit, or that we stopped sending.
set local search_path = ketenzorg, pg_temp;

create table warning (
    region       text collate "C" not null,
    id           uuid not null,
    subscription uuid not null,
    at           timestamptz not null,
    kind         text collate "C" not null check (kind in ('late', 'off')),
    priority     text collate "C" not null,  -- of the events; '' where it is not about events
    events       integer not null,
    oldest       timestamptz,                -- since when the oldest of them should have arrived
    why          text collate "C" not null,  -- what the receiver answered last; '' where it was not asked
    lease_until  timestamptz,
    mailed       timestamptz,                -- or there is nobody to mail it to
    primary key (region, id)
);
create index warning_to_mail on warning (region, at) where mailed is null;
create index warning_of on warning (region, subscription, kind, at);
-- What has not arrived and is known not to have, for the other parties of a traject.
create index outbox_late on outbox (region, told) where told is not null and state <> 'delivered';

alter table warning enable row level security;
alter table warning force row level security;
create policy through_functions on warning to ketenzorg_owner using (true);
