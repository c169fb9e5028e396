-- migrate:up

-- What a task is searched by: words of what is asked, tags, data and so on. Written in the task's own transaction.
create table task_terms (
    tenant_id uuid not null,
    kind      text collate "C" not null,
    term      text collate "C" not null,
    task_id   text collate "C" not null,
    constraint task_terms_pkey primary key (tenant_id, kind, term, task_id)
);

alter table task_terms enable row level security;
alter table task_terms force row level security;
create policy tenant_isolation on task_terms
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table task_audience add column created_at timestamptz not null default now();
create index task_audience_newest on task_audience (tenant_id, audience, status, created_at, task_id);

-- migrate:down
