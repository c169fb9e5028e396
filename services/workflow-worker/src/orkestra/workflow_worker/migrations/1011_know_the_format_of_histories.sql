-- migrate:up
-- What workers registered before they said so writes histories of format 1.
alter table definitions
    add column history_format integer not null default 1 constraint definitions_history_format_ck check (history_format > 0);

-- migrate:down
