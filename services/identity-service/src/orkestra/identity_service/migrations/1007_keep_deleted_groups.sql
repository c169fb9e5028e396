-- migrate:up
-- A deleted group keeps its row: its version goes on where its id is used again.
alter table groups add column deleted_at timestamptz;

-- migrate:down
