-- migrate:up

-- Open JSON is json, not jsonb: it keeps key order and exact numbers.
create table tasks (
    tenant_id        uuid not null,
    task_id          text collate "C" not null,
    workflow_id      text collate "C",
    first_run_id     text collate "C",
    key              text collate "C",
    requested_by     text collate "C",
    on_behalf_of     text collate "C",
    title            text not null,
    description      text,
    type             text,
    tags             text[] not null default '{}',
    correlation      text,
    form             json,
    context          json,
    input            json,
    draft            json,
    saved            json,
    assignee         text collate "C",
    candidate_users  text[] not null default '{}',
    candidate_groups text[] not null default '{}',
    excluded_users   text[] not null default '{}',
    allow_agents     text[] not null default '{}',
    approval_policy  json,
    action_digest    text,
    priority         text not null,
    status           text not null,
    outcome          text,
    result           json,
    completed_by     text collate "C",
    decided_by       text,
    acted_for        text collate "C",
    sla              json,
    reason           text,
    version          bigint not null default 1,
    revision         integer not null default 1,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    claimed_at       timestamptz,
    completed_at     timestamptz,
    woken_at         timestamptz,
    -- Private: what lists sort by; infinity where nothing is due.
    due_at           timestamptz not null default 'infinity',
    -- Private: when the clock has something to do; infinity where nothing is.
    next_step_at     timestamptz not null default 'infinity',
    -- Private: whether a claim leaves the clocks as they are, so that one statement can make it.
    is_claim_plain   boolean not null default false,
    -- Private: when, and how often, the end was told to a workflow that has not confirmed it.
    told_at          timestamptz,
    told_times       integer not null default 1,
    -- Private: the sequence of the newest history entry.
    history_length   bigint not null default 1,
    constraint tasks_pkey primary key (tenant_id, task_id),
    constraint tasks_status_known check (status in ('open', 'claimed', 'waiting', 'completed', 'cancelled', 'expired')),
    constraint tasks_priority_known check (priority in ('low', 'normal', 'high', 'urgent')),
    constraint tasks_decided_by_known check (decided_by in ('person', 'policy')),
    constraint tasks_claimed_has_assignee check (status <> 'claimed' or assignee is not null)
) with (fillfactor = 85);

create unique index tasks_key on tasks (tenant_id, workflow_id, first_run_id, key) where key is not null;
create index tasks_workflow on tasks (tenant_id, workflow_id) where workflow_id is not null;
-- Status is in no index of this table, so that claiming stays a heap-only update.
create index tasks_told on tasks (told_at) where told_at is not null;

-- Who sees a task. Lists read it by text and timestamptz btrees only: row-level security makes other operators a scan.
-- It is written in the task's own statement, as history is; neither pays for a foreign key.
create table task_audience (
    tenant_id uuid not null,
    task_id   text collate "C" not null,
    audience  text collate "C" not null,
    status    text collate "C" not null,
    due_at    timestamptz not null,
    -- True where the work itself is offered or given, false where the task is only visible.
    offered   boolean not null,
    constraint task_audience_pkey primary key (tenant_id, task_id, audience)
) with (fillfactor = 85);

create index task_audience_list on task_audience (tenant_id, audience, status, due_at, task_id);

create table task_history (
    tenant_id uuid not null,
    task_id   text collate "C" not null,
    sequence  bigint not null,
    event     text not null,
    at        timestamptz not null,
    actor     text,
    acted_for text,
    door      text,
    reason    text,
    before    json,
    after     json,
    constraint task_history_pkey primary key (tenant_id, task_id, sequence)
);

alter table tasks enable row level security;
alter table tasks force row level security;
create policy tenant_isolation on tasks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table task_audience enable row level security;
alter table task_audience force row level security;
create policy tenant_isolation on task_audience
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table task_history enable row level security;
alter table task_history force row level security;
create policy tenant_isolation on task_history
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- The sweep looks across tenants, and only for ends that no workflow has confirmed.
create policy sweep_untold on tasks for select to task_sweep using (told_at is not null);
grant select (tenant_id, task_id, told_at, told_times) on tasks to task_sweep;

-- migrate:down
