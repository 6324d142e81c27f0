-- In which step a role last knew the patient, where that is not the step of now: what it sees follows from that.
set local search_path = ketenzorg, pg_temp;

-- Role, as it stands in `roles` -> step; '' where it has not known the patient yet.
alter table traject add column phases jsonb not null default '{}';

-- Who took part earlier goes by the step in which its part ended. Nobody asks here, so the wall stands aside.
alter table traject no force row level security;
update traject t
set phases = gone.phases
from (
    select t.region, t.id, jsonb_object_agg(r.key, p.step) as phases
    from traject t
    cross join jsonb_each_text(t.roles) r
    join part p on p.region = t.region and p.organisation = r.value::uuid and p.traject = t.id
        and p.role = split_part(r.key, '#', 1)
    where t.ended is not null or strpos(r.key, '#') > 0 or r.value::uuid <> all (coalesce(t.involved, t.parties))
    group by t.region, t.id
) gone
where gone.region = t.region and gone.id = t.id;
alter table traject force row level security;
