-- migrate:up
create table schedules (
    tenant_id uuid not null,
    schedule_id text collate "C" not null,
    definition text collate "C" not null,
    definition_version integer,
    input json not null,
    cron text,
    every text,
    time_zone text,
    overlap text collate "C" not null default 'skip' constraint schedules_overlap_ck
        check (overlap in ('skip', 'start', 'cancel_running', 'terminate_running')),
    paused boolean not null default false,
    note text,
    tags text[] not null default '{}',
    search_attributes json,
    requested_by text collate "C" not null,
    on_behalf_of text collate "C",
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version bigint not null default 1,
    last_fired_at timestamptz,
    last_workflow_id text collate "C",
    last_failure json,
    synced_version bigint not null default 0,
    deleted_at timestamptz,
    constraint schedules_pk primary key (tenant_id, schedule_id),
    constraint schedules_schedule_id_key unique (schedule_id),
    constraint schedules_when_ck check ((cron is null) <> (every is null))
);
create index schedules_requested_by_idx on schedules (tenant_id, requested_by, schedule_id);
create index schedules_unsynced_idx on schedules (updated_at) where synced_version < version or deleted_at is not null;

alter table schedules enable row level security;
alter table schedules force row level security;
create policy tenant_isolation on schedules
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

do $$
begin
    execute format('create policy sweep on schedules for select to %I using (true)', current_schema() || '_sweep');
    execute format('grant select on schedules to %I', current_schema() || '_sweep');
end $$;

alter table runs add column schedule_id text collate "C";
create index runs_schedule_idx on runs (tenant_id, schedule_id, workflow_id) where schedule_id is not null;

-- migrate:down
