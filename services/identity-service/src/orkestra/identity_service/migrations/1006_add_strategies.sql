-- migrate:up

-- To which of its members a group gives work, and how much of it a person takes.
alter table groups
    add column strategy text not null default 'pull',
    add column max_open_tasks integer,
    add column skills text[] not null default '{}',
    add constraint groups_strategy_known check (strategy in ('pull', 'round_robin', 'least_loaded', 'sticky')),
    add constraint groups_max_open_tasks_range check (max_open_tasks between 1 and 1000);

alter table users
    add column max_open_tasks integer,
    add column skills text[] not null default '{}',
    add constraint users_max_open_tasks_range check (max_open_tasks between 1 and 1000);

-- migrate:down
