-- migrate:up

alter table tasks
    add column four_eyes boolean,
    add column votes     json not null default '[]',
    add column tally     json;

-- migrate:down
