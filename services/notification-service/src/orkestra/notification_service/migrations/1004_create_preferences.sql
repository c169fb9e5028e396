-- migrate:up

alter table notifications add column workflow_id text collate "C";
alter table notifications drop constraint notifications_kind_known;
alter table notifications add constraint notifications_kind_known check (kind in (
    'assigned', 'group_task', 'mentioned', 'escalated', 'answered', 'reminder', 'breached', 'changes', 'result'
)) not valid;
alter table notifications validate constraint notifications_kind_known;

-- What a message needs; absent until identity-service tells it or is asked.
alter table people add column email text, add column name text, add column locale text, add column time_zone text;

-- What a message was about, where a link in it leads to a decision.
alter table deliveries add column used_at timestamptz;
alter table deliveries drop constraint deliveries_status_known;
alter table deliveries add constraint deliveries_status_known check (
    status in ('pending', 'delivered', 'failed', 'skipped')
) not valid;
alter table deliveries validate constraint deliveries_status_known;

create table preferences (
    tenant_id      uuid not null,
    owner          text collate "C" not null,
    rules          json not null,
    quiet_hours    json,
    digest_minutes integer,
    -- Private: addresses of incoming webhooks, sealed with a key of the installation.
    slack_sealed   text,
    slack_host     text,
    teams_sealed   text,
    teams_host     text,
    locale         text,
    time_zone      text,
    updated_at     timestamptz not null default now(),
    version        bigint not null default 1,
    constraint preferences_pkey primary key (tenant_id, owner)
);

alter table preferences enable row level security;
alter table preferences force row level security;
create policy tenant_isolation on preferences
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
