-- migrate:up

-- What a person made of an agent's draft: how many fields were proposed, and how many stand in the answer as they were.
create function drafted_by(context json, draft json, result json) returns jsonb language sql immutable as $$
    select jsonb_build_object(
        'agent', context -> 'agent' ->> 'name', 'model', context -> 'agent' ->> 'model',
        'prompt_version', context -> 'agent' ->> 'prompt_version', 'proposed', count(*),
        'kept', count(*) filter (where (p.proposal -> 'value')::jsonb = (result -> p.name)::jsonb))
    from json_each(draft) as p (name, proposal)
$$;

-- Private: what figures count, generated with the row, so that they read no JSON of thousands of tasks.
alter table tasks
    add column sla_breached boolean generated always as (
        case when sla is not null then coalesce((sla ->> 'breached')::boolean, false) end) stored,
    add column sla_level integer generated always as ((sla ->> 'escalation_level')::integer) stored,
    add column drafted jsonb generated always as (
        case when status = 'completed' and decided_by = 'person' and draft is not null
             then drafted_by(context, draft, result) end) stored;

-- migrate:down
