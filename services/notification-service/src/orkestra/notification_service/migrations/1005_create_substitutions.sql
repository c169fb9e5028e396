-- migrate:up

-- A copy of who takes whose place, kept by the events of identity-service.
create table substitutions (
    tenant_id  uuid not null,
    user_id    text collate "C" not null,
    substitute text collate "C",
    begins_at  timestamptz not null default '-infinity',
    ends_at    timestamptz not null default 'infinity',
    task_types text[] not null default '{}',
    version    bigint not null,
    constraint substitutions_pkey primary key (tenant_id, user_id)
);

alter table substitutions enable row level security;
alter table substitutions force row level security;
create policy tenant_isolation on substitutions
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
