-- Under which consent each organisation takes part in a traject; the Consents themselves are resources of it.
set local search_path = ketenzorg, pg_temp;

-- Organisation -> the Consent in force. Who referred has the data already, and stands not in it.
alter table traject add column consents jsonb not null default '{}';
