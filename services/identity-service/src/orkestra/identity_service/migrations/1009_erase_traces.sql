-- migrate:up
-- Erases a person's words where no role of the service may change anything: of the audit stays who did what to whom and
-- when; answers that are kept, and events that were told, are deleted where they hold a word of those given.
create function erase_traces(of_tenant uuid, of_user text, words text[]) returns bigint
language plpgsql security definer set search_path from current as $$
declare
    word text;
    found bigint;
    gone bigint := 0;
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    update audit_entries set before = null, after = null
    where tenant_id = of_tenant and resource_id = of_user and action <> 'erase_user' and num_nonnulls(before, after) > 0;
    get diagnostics gone = row_count;
    delete from outbox where tenant_id = of_tenant and headers ->> 'ce-subject' = of_user
    and (published_at is not null or position(convert_to('@erased.invalid', 'UTF8') in payload) = 0);
    get diagnostics found = row_count;
    gone := gone + found;
    foreach word in array words loop
        update audit_entries set before = null, after = null
        where tenant_id = of_tenant
        and position('"' || word || '"' in concat(before, after)) > 0;
        get diagnostics found = row_count;
        gone := gone + found;
        delete from request_keys
        where tenant_id = of_tenant and position(convert_to(word, 'UTF8') in answer) > 0;
        get diagnostics found = row_count;
        gone := gone + found;
        delete from outbox
        where tenant_id = of_tenant and position(convert_to('"' || word || '"', 'UTF8') in payload) > 0
        and published_at is not null;
        get diagnostics found = row_count;
        gone := gone + found;
    end loop;
    return gone;
end $$;
revoke execute on function erase_traces from public;
grant execute on function erase_traces to identity_app;

-- migrate:down
