-- migrate:up
-- Deletes rows of a tenant from every table that has any, those included that no service may delete; returns how many.
-- It is called until none is left. Tables that come later are found by their column; a row that others refer to waits.
-- Tables called …_leftovers say what is still to be removed elsewhere; whoever does that empties them.
create function forget_tenant(of_tenant uuid, at_most integer) returns bigint
language plpgsql security definer set search_path from current as $$
declare
    place text;
    found bigint;
    gone bigint := 0;
    awaited text;
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    for place in
        select quote_ident(c.relname) from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname not like '%\_leftovers'
        order by c.relname
    loop
        begin
            execute format(
                'delete from %1$s where ctid = any(array(select ctid from %1$s where tenant_id = $1 limit $2))', place
            ) using of_tenant, at_most - gone;
            get diagnostics found = row_count;
            gone := gone + found;
        exception when foreign_key_violation then
            awaited := sqlerrm;
        end;
        exit when gone >= at_most;
    end loop;
    if gone = 0 and awaited is not null then
        raise foreign_key_violation using message = awaited;
    end if;
    return gone;
end $$;

-- Deletes the answers that are kept of what a principal has asked for, and those that name one of these resources; the
-- role of requests may not by itself.
create function forget_answers(of_tenant uuid, of_principal text, about text[] default '{}') returns bigint
language plpgsql security definer set search_path from current as $$
declare
    gone bigint;
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    delete from request_keys where tenant_id = of_tenant
    and (principal = of_principal
        or exists (select from unnest(about) one where position(convert_to(one, 'UTF8') in answer) > 0));
    get diagnostics gone = row_count;
    return gone;
end $$;

revoke execute on function forget_tenant from public;
revoke execute on function forget_answers from public;
do $$
begin
    execute format('grant execute on function forget_tenant to %I', current_schema() || '_sweep');
    execute format('grant execute on function forget_answers to %I', current_schema() || '_app');
end $$;

-- migrate:down
