-- migrate:up
create table definitions (
    name text collate "C" not null,
    version integer not null constraint definitions_version_ck check (version > 0),
    description text,
    task_queue text not null,
    input_schema json not null,
    output_schema json not null,
    forms json,
    start_roles text[] not null default '{}',
    registered_at timestamptz not null default now(),
    constraint definitions_pk primary key (name, version)
);

-- migrate:down
