-- migrate:up
-- How far into the stream the copies of people and groups reach. Behind what the broker has handed over, or of another
-- stream, they are older than this service believes, as after a restore: then they are asked for again.
create table heard (
    consumer       text collate "C" not null constraint heard_pkey primary key,
    stream_created timestamptz,
    handed_over    bigint not null default 0,
    is_old         boolean not null default false
);

-- migrate:down
