-- migrate:up

-- A claim changes none of these columns, so it stays a heap-only update.
create index tasks_corrections on tasks (tenant_id, completed_at, task_id)
    where draft is not null and decided_by = 'person' and completed_at is not null;

-- migrate:down
