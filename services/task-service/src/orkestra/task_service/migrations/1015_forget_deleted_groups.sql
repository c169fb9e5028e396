-- migrate:up
-- No task is offered to a deleted group any more; its copy stays, so that no older event brings it back.
alter table groups add column is_deleted boolean not null default false;

-- migrate:down
