-- migrate:up

-- An answer that can still be taken back; the task ends with it at its undo_until.
alter table tasks add column submission json;

create table task_settings (
    tenant_id    uuid not null,
    undo_seconds integer not null,
    version      integer not null,
    updated_at   timestamptz not null,
    updated_by   text collate "C" not null,
    constraint task_settings_pkey primary key (tenant_id),
    constraint task_settings_undo_seconds check (undo_seconds between 0 and 3600)
);

alter table task_settings enable row level security;
alter table task_settings force row level security;
create policy tenant_isolation on task_settings
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- migrate:down
