-- migrate:up

-- Partial, so that a list by due date, which does not say this, is never planned on the index of the newest.
drop index task_audience_newest;
create index task_audience_newest on task_audience (tenant_id, audience, status, created_at, task_id)
where created_at > '-infinity';

-- migrate:down
