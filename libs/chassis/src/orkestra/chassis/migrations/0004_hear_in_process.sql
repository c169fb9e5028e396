-- migrate:up
-- A commit that notifies takes a lock of the whole server until it is on the disk, and wakes every session that
-- listens. Where the relay is in the process that commits, it is told there instead.
create or replace function outbox_notify() returns trigger language plpgsql as $$
begin
    if current_setting('app.is_heard', true) is distinct from 'yes' then
        perform pg_notify(tg_table_schema || '_outbox', '');
    end if;
    return null;
end $$;

-- Writes an event of which the relay hears otherwise; so it does of all events of the transaction.
create function emit_heard_event(of_tenant uuid, of_subject text, with_payload bytea, with_headers text)
returns void language plpgsql as $$
begin
    perform set_config('app.is_heard', 'yes', true);
    insert into outbox (tenant_id, subject, payload, headers)
    values (of_tenant, of_subject, with_payload, with_headers::json);
end $$;

-- migrate:down
