-- migrate:up
create table outbox (
    seq bigint generated always as identity constraint outbox_pk primary key,
    event_id uuid not null default uuidv7(),
    tenant_id uuid not null,
    subject text not null,
    payload bytea not null,
    headers json not null,
    created_at timestamptz not null default clock_timestamp(),
    published_at timestamptz,
    stream_seq bigint
);
create index outbox_unpublished_idx on outbox (seq) where published_at is null;
create index outbox_stream_seq_idx on outbox (stream_seq) where stream_seq is not null;
alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create function outbox_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify(tg_table_schema || '_outbox', '');
    return null;
end $$;
create trigger outbox_notify after insert on outbox for each statement execute function outbox_notify();

alter table outbox enable row level security;
alter table outbox force row level security;
create policy tenant_isolation on outbox
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- A function, so that its plan is kept while its call travels with the COMMIT.
create function emit_event(of_tenant uuid, of_subject text, with_payload bytea, with_headers text)
returns void language plpgsql as $$
begin
    insert into outbox (tenant_id, subject, payload, headers)
    values (of_tenant, of_subject, with_payload, with_headers::json);
end $$;

do $$
begin
    execute format('create policy relay on outbox to %I using (true) with check (true)', current_schema() || '_relay');
    execute format('grant select, delete, update (published_at, stream_seq) on outbox to %I', current_schema() || '_relay');
    execute format('revoke all on outbox from %I', current_schema() || '_app');
    execute format('grant insert on outbox to %I', current_schema() || '_app');
end $$;

-- migrate:down
