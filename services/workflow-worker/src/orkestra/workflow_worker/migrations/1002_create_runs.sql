-- migrate:up
create table runs (
    tenant_id uuid not null,
    workflow_id text collate "C" not null,
    run_id text collate "C",
    definition text collate "C" not null,
    version integer not null,
    status text collate "C" not null default 'running' constraint runs_status_ck
        check (status in ('running', 'completed', 'failed', 'cancelled', 'terminated', 'timed_out')),
    input json not null,
    result json,
    failure json,
    started_at timestamptz not null default now(),
    closed_at timestamptz,
    business_id text collate "C",
    tags text[] not null default '{}',
    search_attributes json,
    handoff json,
    requested_by text collate "C" not null,
    on_behalf_of text collate "C",
    cancel_requested_at timestamptz,
    resource_version bigint not null default 1,
    updated_at timestamptz not null default now(),
    task_queue text not null,
    start_at timestamptz not null default now(),
    traceparent text,
    cancel_reason text,
    cancel_delivered_at timestamptz,
    constraint runs_pk primary key (tenant_id, workflow_id),
    constraint runs_workflow_id_key unique (workflow_id),
    constraint runs_closed_at_ck check ((status = 'running') = (closed_at is null))
);
create unique index runs_business_id_running_key on runs (tenant_id, business_id)
    where status = 'running' and business_id is not null;
create index runs_business_id_idx on runs (tenant_id, business_id, workflow_id) where business_id is not null;
create index runs_requested_by_idx on runs (tenant_id, requested_by, workflow_id);
create index runs_status_idx on runs (tenant_id, status, workflow_id);
create index runs_definition_idx on runs (tenant_id, definition, workflow_id);
create index runs_unstarted_idx on runs (started_at) where status = 'running' and run_id is null;
create index runs_uncancelled_idx on runs (cancel_requested_at)
    where status = 'running' and cancel_requested_at is not null and cancel_delivered_at is null;
create index runs_running_idx on runs (started_at) where status = 'running';

alter table runs enable row level security;
alter table runs force row level security;
create policy tenant_isolation on runs
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Long polls listen for the end of a run.
create function run_ended() returns trigger language plpgsql as $$
begin
    perform pg_notify(tg_table_schema || '_run_ended', new.workflow_id);
    return null;
end $$;
create trigger run_ended after update of status on runs
    for each row when (old.status = 'running' and new.status <> 'running') execute function run_ended();

do $$
begin
    execute format('create policy sweep on runs for select to %I using (true)', current_schema() || '_sweep');
    execute format('grant select on runs to %I', current_schema() || '_sweep');
end $$;

-- migrate:down
