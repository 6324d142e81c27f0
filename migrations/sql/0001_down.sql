set local search_path = ketenzorg, pg_temp;
drop table personal_number, audit, endpoint, outbox, event, traject, referral_identity, search_date,
    search_reference, search_token, resource_history, resource;
drop function callers;
