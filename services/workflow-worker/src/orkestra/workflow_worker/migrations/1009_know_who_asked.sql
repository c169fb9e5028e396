-- migrate:up
-- Whose words the message is, so that they are erased with the person.
alter table waiting_tasks add column asked_by text collate "C";

-- migrate:down
