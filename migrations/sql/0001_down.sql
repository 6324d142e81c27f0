set local search_path = ketenzorg, pg_temp;
drop function receive_referrals, load_traject, store_step, read_resource, record_search, personal_numbers,
    claim_outbox, settle_outbox, set_endpoint, outbox_state,
    release_outbox;
drop type incoming;
drop table personal_number, audit, endpoint, outbox, event, traject, referral_identity, search_date,
    search_reference, search_token, resource_history, resource;
drop function callers;
