-- migrate:up
-- How long a tenant keeps what, in days; null for always. Temporal's schedule follows the row.
create table retention (
    tenant_id uuid not null,
    task_days integer,
    run_days integer,
    delivery_days integer,
    event_days integer,
    version bigint not null default 1,
    updated_at timestamptz not null default now(),
    updated_by text collate "C" not null,
    applied_at timestamptz,
    synced_version bigint not null default 0,
    constraint retention_pk primary key (tenant_id),
    constraint retention_days_ck check (least(task_days, run_days, delivery_days, event_days) > 0)
);
create index retention_unsynced_idx on retention (updated_at) where synced_version < version;

-- One row for each person whose data was to be erased; it names them by their id alone.
create table erasures (
    tenant_id uuid not null,
    erasure_id text collate "C" not null,
    user_id text collate "C" not null,
    status text collate "C" not null default 'running' constraint erasures_status_ck check (status in ('running', 'done')),
    requested_by text collate "C" not null,
    requested_at timestamptz not null default now(),
    done_at timestamptz,
    reason text,
    parts json not null default '[]',
    -- Private: records erased so far in the part that is not done.
    counted bigint not null default 0,
    started_at timestamptz,
    constraint erasures_pk primary key (tenant_id, erasure_id)
);
create unique index erasures_running_key on erasures (tenant_id, user_id) where status = 'running';
create index erasures_unstarted_idx on erasures (requested_at) where started_at is null;
create index runs_closed_at_idx on runs (tenant_id, closed_at) where closed_at is not null;

alter table retention enable row level security;
alter table retention force row level security;
create policy tenant_isolation on retention
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table erasures enable row level security;
alter table erasures force row level security;
create policy tenant_isolation on erasures
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

do $$
begin
    execute format('create policy sweep on retention for select to %I using (true)', current_schema() || '_sweep');
    execute format('grant select on retention to %I', current_schema() || '_sweep');
    execute format('create policy sweep on erasures for select to %I using (true)', current_schema() || '_sweep');
    execute format('grant select on erasures to %I', current_schema() || '_sweep');
end $$;

-- migrate:down
