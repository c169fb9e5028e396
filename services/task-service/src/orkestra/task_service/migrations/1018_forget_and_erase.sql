-- migrate:up

-- Deletes tasks from every table that has rows of them, those that come later included; returns how many tasks.
create function forget_tasks(of_tenant uuid, of_tasks text[]) returns bigint language plpgsql as $$
declare
    place text;
    gone bigint;
begin
    for place in
        select quote_ident(c.relname) from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'task_id' and not a.attisdropped
        join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
        and c.relname not like '%\_leftovers' and c.relname <> 'tasks'
    loop
        execute format('delete from %s where tenant_id = $1 and task_id = any($2)', place) using of_tenant, of_tasks;
    end loop;
    delete from tasks where tenant_id = of_tenant and task_id = any(of_tasks);
    get diagnostics gone = row_count;
    return gone;
end $$;

-- Deletes told ends of tasks that carry why a person brought them about; the role of requests may not by itself.
create function erase_told_reasons(of_tenant uuid, of_user text) returns bigint
language plpgsql security definer set search_path from current as $$
declare
    gone bigint;
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    delete from outbox where tenant_id = of_tenant and published_at is not null
    and subject = 'orkestra.v1.' || of_tenant || '.task.cancelled'
    and position(convert_to('"actor":"' || of_user || '"', 'UTF8') in payload) > 0;
    get diagnostics gone = row_count;
    return gone;
end $$;
revoke execute on function erase_told_reasons from public;
grant execute on function erase_told_reasons to task_app;

-- What people wrote is found by who they are; few entries have words of theirs.
create index task_comments_author on task_comments (tenant_id, author, comment_id);
create index task_history_reasons on task_history (tenant_id, actor, task_id, sequence)
    where reason is not null or event in ('changes_requested', 'answered');

-- migrate:down
