-- migrate:up

alter table tasks
    add column saved_at        timestamptz,
    add column change_requests json not null default '[]',
    add column mentioned_users text[] not null default '{}',
    add column receipt         json,
    -- Private: by which use, by whom and when the receipt was used up.
    add column redeemed_use_id text,
    add column redeemed_by     text,
    add column redeemed_at     timestamptz,
    add constraint tasks_waiting_is_asked check (status <> 'waiting' or change_requests::text <> '[]'),
    add constraint tasks_redeemed_whole check (num_nulls(redeemed_use_id, redeemed_by, redeemed_at) in (0, 3));

-- The order of a task's comments is that of their ids, which are minted under the task's row lock.
create table task_comments (
    tenant_id   uuid not null,
    task_id     text collate "C" not null,
    comment_id  text collate "C" not null,
    author      text collate "C" not null,
    author_name text,
    text        text not null,
    mentions    text[] not null default '{}',
    created_at  timestamptz not null,
    door        text,
    constraint task_comments_pkey primary key (tenant_id, task_id, comment_id)
);

-- Every version is kept, so that a check can be read with the rules that it was made by.
create table escalation_policies (
    tenant_id  uuid not null,
    version    integer not null,
    rules      json not null,
    updated_at timestamptz not null,
    updated_by text collate "C" not null,
    constraint escalation_policies_pkey primary key (tenant_id, version)
);

create table escalation_checks (
    tenant_id      uuid not null,
    check_id       text collate "C" not null,
    topic          text not null,
    confidence     double precision not null,
    agent          text,
    model          text,
    prompt_version text,
    decision       text not null,
    reason         text not null,
    threshold      double precision not null,
    sampled        boolean not null,
    policy_version integer not null,
    checked_at     timestamptz not null,
    checked_by     text collate "C" not null,
    -- What became of it: the task that a person decided instead.
    task_id        text collate "C",
    constraint escalation_checks_pkey primary key (tenant_id, check_id),
    constraint escalation_checks_decision_known check (decision in ('proceed', 'escalate'))
);

alter table task_comments enable row level security;
alter table task_comments force row level security;
create policy tenant_isolation on task_comments
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table escalation_policies enable row level security;
alter table escalation_policies force row level security;
create policy tenant_isolation on escalation_policies
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table escalation_checks enable row level security;
alter table escalation_checks force row level security;
create policy tenant_isolation on escalation_checks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
