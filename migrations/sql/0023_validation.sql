set local search_path = ketenzorg, pg_temp;
alter table client add column validation text not null default 'strict'
    constraint client_validation_check check (validation in ('strict', 'liberal'));
