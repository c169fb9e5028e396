-- migrate:up
-- Who a subject of an outside issuer is here: a person or an API key.
create table linked_subjects (
    tenant_id uuid not null,
    subject_id text collate "C" not null,
    issuer text collate "C" not null,
    subject text collate "C" not null,
    user_id text collate "C",
    key_id text collate "C",
    created_at timestamptz not null default now(),
    constraint linked_subjects_pkey primary key (tenant_id, subject_id),
    constraint linked_subjects_subject_key unique (tenant_id, issuer, subject),
    -- A person has one subject at an issuer: who gets their e-mail address later does not become them.
    constraint linked_subjects_user_key unique (tenant_id, issuer, user_id),
    constraint linked_subjects_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, user_id),
    constraint linked_subjects_key_fkey foreign key (tenant_id, key_id) references api_keys (tenant_id, key_id),
    constraint linked_subjects_principal_check check (num_nonnulls(user_id, key_id) = 1)
);
-- A token names its subject before a tenant is known.
create index linked_subjects_lookup_idx on linked_subjects (issuer, subject);

-- Memberships that a provider's claims gave are taken by them too; those given by hand stay.
alter table memberships add column from_provider boolean not null default false;

alter table audit_entries drop constraint audit_entries_resource_check;
alter table audit_entries add constraint audit_entries_resource_check
    check (resource in ('tenant', 'user', 'group', 'api_key', 'subject'));

alter table linked_subjects enable row level security;
alter table linked_subjects force row level security;
create policy tenant_isolation on linked_subjects
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select on linked_subjects to identity_lookup;
create policy lookup on linked_subjects for select to identity_lookup using (true);

-- migrate:down
