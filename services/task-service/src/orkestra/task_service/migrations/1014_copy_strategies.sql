-- migrate:up

-- How groups give work to their members, and who their members are: copies kept by the events of identity-service.
alter table groups
    add column strategy text not null default 'pull',
    add column max_open_tasks integer,
    add column skills text[] not null default '{}',
    -- Who was given a task last; a group gives one task at a time, under the lock of its row.
    add column turn text collate "C",
    add constraint groups_strategy_known check (strategy in ('pull', 'round_robin', 'least_loaded', 'sticky'));

alter table people
    add column max_open_tasks integer,
    add column skills text[] not null default '{}';

create table members (
    tenant_id uuid not null,
    group_id  text collate "C" not null,
    user_id   text collate "C" not null,
    constraint members_pkey primary key (tenant_id, group_id, user_id)
);

alter table members enable row level security;
alter table members force row level security;
create policy tenant_isolation on members
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Groups that were copied without their members are asked for again.
truncate groups;

-- migrate:down
