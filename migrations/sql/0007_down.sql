set local search_path = ketenzorg, pg_temp;
grant update, truncate on audit to ketenzorg_owner;
drop index audit_of_organisation, audit_in_commit_order;
alter table audit
    drop column patients, drop column consents, drop column version, drop column interaction, drop column query,
    drop column digest, drop column user_id, drop column responsible, drop column roles, drop column purpose,
    drop column correlation, drop column address, drop column outcome, drop column xid,
    alter column trajecten drop not null;
alter table audit rename column trajecten to traject;
alter table audit alter column traject type uuid using traject[1];
alter table traject drop column pseudonym;
