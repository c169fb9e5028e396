-- migrate:up

-- Files of tasks. A row without finished_at is on its way; nobody but whoever began it hears of it.
create table task_attachments (
    tenant_id       uuid not null,
    task_id         text collate "C" not null,
    attachment_id   text collate "C" not null,
    name            text not null,
    media_type      text not null,
    size            bigint not null default 0,
    sha256          text,
    field           text,
    created_by      text collate "C" not null,
    created_by_name text,
    created_at      timestamptz not null,
    door            text,
    -- Private: most bytes that it may have, where its content is, and of which parts it is made.
    max_size        bigint not null,
    store           text not null,
    parts           json not null default '[]',
    -- Private: when the last part was taken, and when it became a file of the task.
    closed_at       timestamptz,
    finished_at     timestamptz,
    constraint task_attachments_pkey primary key (tenant_id, task_id, attachment_id),
    constraint task_attachments_task foreign key (tenant_id, task_id) references tasks (tenant_id, task_id) on delete cascade,
    constraint task_attachments_store_known check (store in ('database', 's3')),
    constraint task_attachments_finished_whole check (finished_at is null or (closed_at is not null and sha256 is not null))
);

create index task_attachments_unfinished on task_attachments (created_at) where finished_at is null;

-- A part's content; a part that is sent again with other bytes is another row until one of them is the part.
create table task_attachment_chunks (
    tenant_id     uuid not null,
    task_id       text collate "C" not null,
    attachment_id text collate "C" not null,
    number        integer not null,
    digest        text collate "C" not null,
    content       bytea not null,
    constraint task_attachment_chunks_pkey primary key (tenant_id, task_id, attachment_id, number, digest),
    constraint task_attachment_chunks_attachment foreign key (tenant_id, task_id, attachment_id)
        references task_attachments (tenant_id, task_id, attachment_id) on delete cascade
);
-- Files are mostly compressed already, and a piece of one is read without the rest.
alter table task_attachment_chunks alter column content set storage external;

-- What is gone from here and has yet to go from a store outside.
create table task_attachment_leftovers (
    tenant_id     uuid not null,
    task_id       text collate "C" not null,
    attachment_id text collate "C" not null,
    store         text not null,
    noted_at      timestamptz not null default now(),
    constraint task_attachment_leftovers_pkey primary key (tenant_id, task_id, attachment_id)
);

alter table task_attachments enable row level security;
alter table task_attachments force row level security;
create policy tenant_isolation on task_attachments
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table task_attachment_chunks enable row level security;
alter table task_attachment_chunks force row level security;
create policy tenant_isolation on task_attachment_chunks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table task_attachment_leftovers enable row level security;
alter table task_attachment_leftovers force row level security;
create policy tenant_isolation on task_attachment_leftovers
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Whoever deletes a task, and in whichever way, leaves a note of what its files have outside.
create policy note_leftovers on task_attachment_leftovers for insert to task_owner with check (true);
create function note_attachment_leftover() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into task_attachment_leftovers (tenant_id, task_id, attachment_id, store)
    values (old.tenant_id, old.task_id, old.attachment_id, old.store) on conflict do nothing;
    return null;
end
$$;
create trigger note_attachment_leftover after delete on task_attachments
    for each row when (old.store <> 'database') execute function note_attachment_leftover();

-- The sweep looks across tenants, and only for what was not finished and what is left over.
create policy sweep_unfinished on task_attachments for select to task_sweep using (finished_at is null);
grant select (tenant_id, task_id, attachment_id, created_at, finished_at) on task_attachments to task_sweep;
create policy sweep_leftovers on task_attachment_leftovers for select to task_sweep using (true);
grant select on task_attachment_leftovers to task_sweep;

-- migrate:down
