-- migrate:up
-- What follows a claim in its transaction: who sees it, and what history says. Nobody needs its answer, so it is on its
-- way while the service works out what is told of the claim. Each statement sees what was committed before the claim
-- had its lock.
create function follow_claim(of_task text, was_assignee text, through_door text) returns void language plpgsql as $$
begin
    with claimed as (
        select tenant_id, task_id, 'user:' || assignee as audience, due_at, created_at from tasks where task_id = of_task
    ), seen as (
        update task_audience a set status = 'claimed', offered = a.offered or a.audience = claimed.audience
        from claimed where a.task_id = of_task
        returning a.audience
    )
    insert into task_audience (tenant_id, task_id, audience, status, due_at, created_at, offered)
    select tenant_id, task_id, audience, 'claimed', due_at, created_at, true from claimed
    where audience not in (select seen.audience from seen);

    insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, before, after)
    select tenant_id, task_id, history_length, 'claimed', updated_at, assignee, through_door,
           json_build_object('status', 'open'),
           json_strip_nulls(json_build_object(
               'assignee', nullif(assignee, was_assignee), 'status', status, 'claimed_at', claimed_at))
    from tasks where task_id = of_task;
end $$;

-- migrate:down
