-- migrate:up
create table api_keys (
    tenant_id uuid not null,
    key_id text collate "C" not null,
    -- HMAC-SHA256 of the key under the pepper, hexadecimal.
    key_hash text collate "C" not null,
    prefix text not null,
    name text not null,
    kind text not null,
    roles text[] not null,
    on_behalf_of text[] not null,
    allowed_ips text[] not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    version bigint not null default 1,
    constraint api_keys_pkey primary key (tenant_id, key_id),
    constraint api_keys_hash_key unique (key_hash),
    constraint api_keys_tenant_fkey foreign key (tenant_id) references tenants (tenant_id),
    constraint api_keys_kind_check check (kind in ('agent', 'service')),
    constraint api_keys_roles_check check (roles <@ array['agent', 'system', 'admin', 'manager', 'auditor']::text[])
);

create table sessions (
    tenant_id uuid not null,
    session_id text collate "C" not null,
    -- HMAC-SHA256 of the session token under the pepper, hexadecimal.
    token_hash text collate "C" not null,
    user_id text collate "C" not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    constraint sessions_pkey primary key (tenant_id, session_id),
    constraint sessions_token_key unique (token_hash),
    constraint sessions_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index sessions_user_idx on sessions (tenant_id, user_id, expires_at);

alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy tenant_isolation on api_keys
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
alter table sessions enable row level security;
alter table sessions force row level security;
create policy tenant_isolation on sessions
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Keys of the installation: they belong to no tenant.
create table installation_keys (
    name text collate "C" not null,
    key_hash text collate "C" not null,
    updated_at timestamptz not null default now(),
    constraint installation_keys_pkey primary key (name),
    constraint installation_keys_hash_key unique (key_hash),
    constraint installation_keys_name_check check (name in ('service', 'worker'))
);

-- Wrong passwords by address, known or not, so that a lock does not tell which addresses exist.
create table sign_in_failures (
    email_hash text collate "C" not null,
    failures integer not null,
    last_failed_at timestamptz not null default now(),
    locked_until timestamptz,
    constraint sign_in_failures_pkey primary key (email_hash)
);
create index sign_in_failures_age_idx on sign_in_failures (last_failed_at);

grant select on api_keys, sessions, installation_keys, sign_in_failures to identity_lookup;
create policy lookup on api_keys for select to identity_lookup using (true);
create policy lookup on sessions for select to identity_lookup using (true);

-- migrate:down
