-- migrate:up
create table tenants (
    tenant_id uuid not null,
    slug text collate "C" not null,
    name text not null,
    status text not null default 'active',
    created_at timestamptz not null default now(),
    version bigint not null default 1,
    constraint tenants_pkey primary key (tenant_id),
    constraint tenants_slug_key unique (slug),
    constraint tenants_status_check check (status in ('active', 'suspended'))
);

create table users (
    tenant_id uuid not null,
    user_id text collate "C" not null,
    email text not null,
    -- The address without case: what is unique and what a sign-in looks up.
    email_key text collate "C" not null,
    name text not null,
    roles text[] not null,
    status text not null default 'active',
    locale text,
    time_zone text,
    password_hash text,
    created_at timestamptz not null default now(),
    version bigint not null default 1,
    constraint users_pkey primary key (tenant_id, user_id),
    constraint users_email_key unique (tenant_id, email_key),
    constraint users_tenant_fkey foreign key (tenant_id) references tenants (tenant_id),
    constraint users_roles_check check (roles <@ array['admin', 'manager', 'member', 'auditor']::text[]),
    constraint users_status_check check (status in ('active', 'disabled'))
);
-- A sign-in knows the address before it knows the tenant.
create index users_sign_in_idx on users (email_key);

create table groups (
    tenant_id uuid not null,
    group_id text collate "C" not null,
    name text not null,
    created_at timestamptz not null default now(),
    version bigint not null default 1,
    constraint groups_pkey primary key (tenant_id, group_id),
    constraint groups_tenant_fkey foreign key (tenant_id) references tenants (tenant_id)
);

create table memberships (
    tenant_id uuid not null,
    group_id text collate "C" not null,
    user_id text collate "C" not null,
    created_at timestamptz not null default now(),
    constraint memberships_pkey primary key (tenant_id, group_id, user_id),
    constraint memberships_group_fkey foreign key (tenant_id, group_id) references groups (tenant_id, group_id),
    constraint memberships_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index memberships_user_idx on memberships (tenant_id, user_id, group_id);

alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant_isolation on tenants
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
alter table users enable row level security;
alter table users force row level security;
create policy tenant_isolation on users
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

-- identity_lookup finds whose a credential is before a tenant is known; it reads, and only these tables.
grant select on tenants, users, memberships to identity_lookup;
create policy lookup on tenants for select to identity_lookup using (true);
create policy lookup on users for select to identity_lookup using (true);
create policy lookup on memberships for select to identity_lookup using (true);

-- migrate:down
