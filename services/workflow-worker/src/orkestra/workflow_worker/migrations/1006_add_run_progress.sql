-- migrate:up
alter table runs add column progress text;

-- migrate:down
