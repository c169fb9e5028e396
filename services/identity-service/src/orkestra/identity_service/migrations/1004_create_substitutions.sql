-- migrate:up
create table substitutions (
    tenant_id uuid not null,
    user_id text collate "C" not null,
    substitute text collate "C",
    begins_at timestamptz,
    ends_at timestamptz,
    task_types text[] not null default '{}',
    version bigint not null default 1,
    constraint substitutions_pkey primary key (tenant_id, user_id),
    constraint substitutions_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, user_id),
    constraint substitutions_substitute_fkey foreign key (tenant_id, substitute) references users (tenant_id, user_id),
    constraint substitutions_not_oneself check (substitute <> user_id),
    constraint substitutions_window check (ends_at > begins_at)
);

alter table substitutions enable row level security;
alter table substitutions force row level security;
create policy tenant_isolation on substitutions
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
