-- migrate:up

-- Its largest statement was planned anew in each of its rounds, which took longer than to run it: few people are told of
-- an event, and PostgreSQL thinks that a plan for those is worth it. One plan serves any number.
alter function tell_of_tasks(uuid, json) set plan_cache_mode = force_generic_plan;

-- migrate:down

alter function tell_of_tasks(uuid, json) reset plan_cache_mode;
