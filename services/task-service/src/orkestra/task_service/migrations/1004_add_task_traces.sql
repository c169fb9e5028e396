-- migrate:up

alter table tasks
    -- Private: the trace that the question is part of (W3C Trace Context); what happens to the task is told in it.
    add column traceparent text collate "C";

-- migrate:down
