-- migrate:up

create table notifications (
    tenant_id       uuid not null,
    notification_id text collate "C" not null,
    user_id         text collate "C" not null,
    -- Private: what the person is told of. The same thing is told once, however often it is heard.
    cause           text collate "C" not null,
    kind            text collate "C" not null,
    text            text not null,
    task_id         text collate "C",
    title           text,
    -- Private: the version of the task that the entry speaks of.
    task_version    bigint,
    created_at      timestamptz not null default now(),
    read_at         timestamptz,
    constraint notifications_pkey primary key (tenant_id, notification_id),
    constraint notifications_told_once unique (tenant_id, user_id, cause),
    constraint notifications_kind_known check (kind in ('assigned', 'group_task', 'mentioned', 'escalated', 'answered'))
);

create index notifications_feed on notifications (tenant_id, user_id, created_at desc, notification_id desc);
create index notifications_unread on notifications (tenant_id, user_id, created_at desc, notification_id desc)
    where read_at is null;
create index notifications_task on notifications (tenant_id, task_id, user_id) where task_id is not null;
create index notifications_created_at on notifications (created_at);

-- The newest version at which a task left the hands it had been offered to; its row lock also puts the events of one
-- task in a row.
create table heard_tasks (
    tenant_id       uuid not null,
    task_id         text collate "C" not null,
    settled_version bigint not null,
    heard_at        timestamptz not null default now(),
    constraint heard_tasks_pkey primary key (tenant_id, task_id)
) with (fillfactor = 85);

create index heard_tasks_heard_at on heard_tasks using brin (heard_at);

alter table notifications enable row level security;
alter table notifications force row level security;
create policy tenant_isolation on notifications
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table heard_tasks enable row level security;
alter table heard_tasks force row level security;
create policy tenant_isolation on heard_tasks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- The sweep looks across tenants, for what is old and at nothing of what it says.
create policy sweep on notifications to notification_sweep using (true);
grant select (tenant_id, notification_id, created_at), delete on notifications to notification_sweep;
create policy sweep on heard_tasks to notification_sweep using (true);
grant select (tenant_id, task_id, heard_at), delete on heard_tasks to notification_sweep;

-- migrate:down
