-- migrate:up
-- A tenant's transaction of one statement: the scope is set and the task read in the trip that asks.
create function look_at_task(of_tenant uuid, of_task text) returns setof tasks language plpgsql as $$
begin
    perform set_config('app.tenant_id', of_tenant::text, true);
    return query select * from tasks where task_id = of_task;
end $$;

-- migrate:down
