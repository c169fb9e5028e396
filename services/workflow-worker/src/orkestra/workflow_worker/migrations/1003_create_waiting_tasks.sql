-- migrate:up
-- Tasks of runs for which changes were requested at some time; message is null while they do not wait.
create table waiting_tasks (
    tenant_id uuid not null,
    task_id text collate "C" not null,
    workflow_id text collate "C" not null,
    version bigint not null,
    message text,
    constraint waiting_tasks_pk primary key (tenant_id, task_id)
);
create index waiting_tasks_workflow_idx on waiting_tasks (tenant_id, workflow_id);

alter table waiting_tasks enable row level security;
alter table waiting_tasks force row level security;
create policy tenant_isolation on waiting_tasks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- Long polls for the end of a run are told on the same channel that an answer is needed first.
create function answer_needed() returns trigger language plpgsql as $$
begin
    perform pg_notify(tg_table_schema || '_run_ended', new.workflow_id);
    return null;
end $$;
create trigger answer_needed after insert or update of message on waiting_tasks
    for each row when (new.message is not null) execute function answer_needed();

-- migrate:down
