-- migrate:up
create table request_keys (
    tenant_id uuid not null,
    principal text collate "C" not null,
    rpc text collate "C" not null,
    request_id text collate "C" not null,
    request_hash bytea not null,
    answer bytea not null,
    created_at timestamptz not null default now(),
    constraint request_keys_pk primary key (tenant_id, principal, rpc, request_id)
);
create index request_keys_created_at_idx on request_keys using brin (created_at);

alter table request_keys enable row level security;
alter table request_keys force row level security;
create policy tenant_isolation on request_keys
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Takes a key for the running transaction; fails with OR409 while another has it, with OR200 where it is answered.
-- The lock is released after its owner's commit is visible, so the look that follows it misses no answer.
create function open_request(of_tenant uuid, of_principal text, of_rpc text, of_request text)
returns void language plpgsql as $$
begin
    if not pg_try_advisory_xact_lock(
        hashtextextended(concat_ws(chr(31), current_schema(), of_tenant, of_principal, of_rpc, of_request), 0)
    ) then
        raise exception 'request is running' using errcode = 'OR409';
    end if;
    perform from request_keys
    where tenant_id = of_tenant and principal = of_principal and rpc = of_rpc and request_id = of_request;
    if found then
        raise exception 'request is answered' using errcode = 'OR200';
    end if;
end $$;

-- Keeps the answer of a key that open_request gave.
create function keep_answer(
    of_tenant uuid, of_principal text, of_rpc text, of_request text, of_body bytea, given bytea
)
returns void language plpgsql as $$
begin
    insert into request_keys (tenant_id, principal, rpc, request_id, request_hash, answer)
    values (of_tenant, of_principal, of_rpc, of_request, of_body, given);
end $$;

do $$
begin
    execute format('create policy relay on request_keys to %I using (true)', current_schema() || '_relay');
    execute format('grant select, delete on request_keys to %I', current_schema() || '_relay');
    execute format('revoke all on request_keys from %I', current_schema() || '_app');
    execute format('grant select, insert on request_keys to %I', current_schema() || '_app');
end $$;

-- migrate:down
