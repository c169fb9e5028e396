-- migrate:up

-- Small copies of what identity-service owns, kept by its events and asked for on a miss.
create table people (
    tenant_id uuid not null,
    user_id   text collate "C" not null,
    status    text collate "C" not null,
    version   bigint not null,
    constraint people_pkey primary key (tenant_id, user_id)
);

create table groups (
    tenant_id uuid not null,
    group_id  text collate "C" not null,
    version   bigint not null,
    constraint groups_pkey primary key (tenant_id, group_id)
);

create table memberships (
    tenant_id uuid not null,
    group_id  text collate "C" not null,
    user_id   text collate "C" not null,
    constraint memberships_pkey primary key (tenant_id, group_id, user_id),
    constraint memberships_group foreign key (tenant_id, group_id) references groups on delete cascade
);

alter table people enable row level security;
alter table people force row level security;
create policy tenant_isolation on people
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table groups enable row level security;
alter table groups force row level security;
create policy tenant_isolation on groups
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table memberships enable row level security;
alter table memberships force row level security;
create policy tenant_isolation on memberships
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
