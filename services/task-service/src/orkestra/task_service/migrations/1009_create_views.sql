-- migrate:up

create table views (
    tenant_id  uuid not null,
    view_id    text collate "C" not null,
    name       text not null,
    owner      text collate "C" not null,
    group_id   text collate "C",
    filter     json not null,
    version    bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    updated_by text collate "C" not null,
    constraint views_pkey primary key (tenant_id, view_id)
);

alter table views enable row level security;
alter table views force row level security;
create policy tenant_isolation on views
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
