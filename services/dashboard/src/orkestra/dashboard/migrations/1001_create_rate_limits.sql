-- migrate:up

-- A bucket's theoretical arrival time (GCRA). Unlogged: losing it in a crash only forgives what was spent in one window.
create unlogged table rate_limits (
    bucket text collate "C" not null,
    tat timestamptz not null,
    constraint rate_limits_pkey primary key (bucket)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- migrate:down
