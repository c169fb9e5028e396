-- migrate:up
-- What was administered; written once and never changed.
create table audit_entries (
    tenant_id uuid not null,
    entry_id text collate "C" not null,
    at timestamptz not null default now(),
    actor text collate "C" not null,
    actor_kind text not null,
    action text collate "C" not null,
    resource text not null,
    resource_id text collate "C" not null,
    before json,
    after json,
    door text,
    constraint audit_entries_pkey primary key (tenant_id, entry_id),
    constraint audit_entries_tenant_fkey foreign key (tenant_id) references tenants (tenant_id),
    constraint audit_entries_actor_kind_check check (actor_kind in ('user', 'agent', 'service')),
    constraint audit_entries_resource_check check (resource in ('tenant', 'user', 'group', 'api_key'))
);
create index audit_entries_actor_idx on audit_entries (tenant_id, actor, entry_id);
create index audit_entries_action_idx on audit_entries (tenant_id, action, entry_id);
create index audit_entries_resource_idx on audit_entries (tenant_id, resource_id, entry_id);

-- Links that people are mailed; one that was used is gone.
create table mail_links (
    tenant_id uuid not null,
    link_id text collate "C" not null,
    user_id text collate "C" not null,
    purpose text not null,
    -- HMAC-SHA256 of what the link carries, under the pepper, hexadecimal.
    token_hash text collate "C" not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint mail_links_pkey primary key (tenant_id, link_id),
    constraint mail_links_token_key unique (token_hash),
    constraint mail_links_user_key unique (tenant_id, user_id, purpose),
    constraint mail_links_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, user_id),
    constraint mail_links_purpose_check check (purpose in ('invitation', 'password_reset'))
);

-- A rotated key accepts the secret before for a while.
alter table api_keys add column previous_hash text collate "C";
alter table api_keys add column previous_until timestamptz;
create unique index api_keys_previous_hash_idx on api_keys (previous_hash);

alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy tenant_isolation on audit_entries
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
alter table mail_links enable row level security;
alter table mail_links force row level security;
create policy tenant_isolation on mail_links
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

revoke update, delete on audit_entries from identity_app;

-- A link is redeemed before a tenant is known.
grant select on mail_links to identity_lookup;
create policy lookup on mail_links for select to identity_lookup using (true);

-- migrate:down
