-- migrate:up
-- What runs are found by, one row for each tag and each search attribute; arrays and JSON are slow under a policy.
create table run_labels (
    tenant_id uuid not null,
    name text collate "C" not null,
    value text collate "C" not null,
    workflow_id text collate "C" not null,
    constraint run_labels_pk primary key (tenant_id, name, value, workflow_id),
    constraint run_labels_run_fk foreign key (tenant_id, workflow_id) references runs on delete cascade
);
create index run_labels_run_idx on run_labels (tenant_id, workflow_id);
create index runs_started_at_idx on runs (tenant_id, started_at, workflow_id);

alter table run_labels enable row level security;
alter table run_labels force row level security;
create policy tenant_isolation on run_labels
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Written with the run, by whatever inserts it.
create function label_run() returns trigger language plpgsql as $$
begin
    insert into run_labels (tenant_id, name, value, workflow_id)
    select new.tenant_id, '', tag, new.workflow_id from unnest(new.tags) tag
    union
    select new.tenant_id, key, value, new.workflow_id from json_each_text(coalesce(new.search_attributes, '{}'))
    where value is not null;
    return null;
end $$;
create trigger label_run after insert on runs for each row execute function label_run();

-- migrate:down
