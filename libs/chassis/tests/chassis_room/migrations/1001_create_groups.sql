-- migrate:up
create table groups (
    tenant_id uuid not null,
    group_id text collate "C" not null,
    name text not null,
    members json not null default '[]',
    created_at timestamptz not null default now(),
    version bigint not null default 1,
    note json,
    constraint groups_pk primary key (tenant_id, group_id)
);
alter table groups enable row level security;
alter table groups force row level security;
create policy tenant_isolation on groups
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy sweep on groups to room_sweep using (true);
grant select on groups to room_sweep;

-- migrate:down
