-- migrate:up
-- Tenant's transactions of one statement: each sets its scope in the trip that asks.
create function look_at_run(of_tenant uuid, of_run text) returns table (run runs, answer_needed json)
language plpgsql as $$
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    return query
    select r, case when r.status = 'running' then (
        select json_build_object('task_id', w.task_id, 'message', w.message)
        from waiting_tasks w
        where w.tenant_id = r.tenant_id and w.workflow_id = r.workflow_id and w.message is not null
        order by w.task_id
        limit 1
    ) end
    from runs r
    where r.tenant_id = of_tenant and r.workflow_id = of_run;
end $$;

-- Does not wait for the disk: where it is lost, the sweep asks Temporal.
create function note_start(of_tenant uuid, of_run text, by_temporal text) returns setof runs
language plpgsql as $$
begin
    perform set_config('app.tenant_id', of_tenant::text, true), set_config('synchronous_commit', 'off', true);
    return query
    update runs set run_id = by_temporal, updated_at = now(), resource_version = resource_version + 1
    where tenant_id = of_tenant and workflow_id = of_run and run_id is null
    returning *;
end $$;

-- migrate:down
