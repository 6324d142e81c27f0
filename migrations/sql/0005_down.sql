set local search_path = ketenzorg, pg_temp;

-- Without its key nobody reads a number again: then there is no way back.
do $$
begin
    if exists (select from personal_number n join data_key k on k.region = n.region and k.id = n.key_id)
        or exists (select from endpoint e join data_key k on k.region = e.region and k.id = e.key_id)
    then
        raise exception 'Numbers are sealed with data keys; without that table they are lost. Nothing was changed.';
    end if;
end
$$;
alter table endpoint drop column key_id;
drop table data_key;
