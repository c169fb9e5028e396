-- migrate:up

create table calendars (
    tenant_id     uuid not null,
    calendar_id   text collate "C" not null,
    name          text not null,
    group_id      text collate "C",
    working_hours json not null,
    version       bigint not null default 1,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    updated_by    text collate "C" not null,
    constraint calendars_pkey primary key (tenant_id, calendar_id)
);

create unique index calendars_group on calendars (tenant_id, group_id) where group_id is not null;

alter table calendars enable row level security;
alter table calendars force row level security;
create policy tenant_isolation on calendars
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table tasks
    add column delegated_by  text collate "C",
    add column max_revisions integer,
    add column status_since  timestamptz,
    add column time_to_claim interval,
    add column time_active   interval,
    add column time_waiting  interval,
    add column time_paused   interval;

-- migrate:down
