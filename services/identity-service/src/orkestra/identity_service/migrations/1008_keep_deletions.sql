-- migrate:up
-- What is kept of a deleted tenant; it belongs to no tenant.
create table deleted_tenants (
    deletion_id text collate "C" not null,
    deleted_tenant uuid not null,
    slug text collate "C" not null,
    deleted_by text collate "C" not null,
    deleted_at timestamptz not null default now(),
    reason text,
    door text,
    constraint deleted_tenants_pkey primary key (deletion_id),
    constraint deleted_tenants_once unique (deleted_tenant)
);
revoke update, delete on deleted_tenants from identity_app;

-- A tenant's row goes first and at once; whatever is the tenant's finds none from then on, and is deleted behind it.
alter table users drop constraint users_tenant_fkey;
alter table groups drop constraint groups_tenant_fkey;
alter table api_keys drop constraint api_keys_tenant_fkey;
alter table audit_entries drop constraint audit_entries_tenant_fkey;

-- migrate:down
