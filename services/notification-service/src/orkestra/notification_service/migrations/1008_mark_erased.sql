-- migrate:up

-- When a person was erased, and at which version: what was told of them before is not written any more.
alter table people add column erased_at timestamptz, add column erased_version bigint;

-- Writes what was heard of tasks into feeds, each event as if it was the only one: in the order given, each statement
-- seeing what the ones before it wrote. Gives the version up to which each event's task is settled, with its new entries.
-- Whoever was disabled since it was planned, as the erased are, is told nothing.
create or replace function tell_of_tasks(of_tenant uuid, heard json) returns table (
    number int, settled_version bigint, user_id text, notification_id text, kind text, text text, task_id text,
    workflow_id text, title text, created_at timestamptz, read_at timestamptz
)
language plpgsql as $$
#variable_conflict use_column
declare
    one record;
    settled bigint;
begin
    -- Until commit nobody is erased; each statement from here on sees who was.
    perform pg_advisory_xact_lock_shared(hashtextextended('erasures ' || of_tenant, 0));
    for one in select * from json_to_recordset(heard) as h (
        number int, task_id text, version bigint, settled_version bigint, cause text, title text,
        user_ids text[], kinds text[], texts text[]
    )
    loop
        -- Holds the events of one task in a row until commit.
        insert into heard_tasks (tenant_id, task_id, settled_version)
        values (of_tenant, one.task_id, one.settled_version)
        on conflict (tenant_id, task_id) do update
        set settled_version = greatest(heard_tasks.settled_version, excluded.settled_version), heard_at = now()
        returning settled_version into settled;

        -- What asked people to act on an earlier version is no longer theirs, or is said anew to those told now. By the
        -- clock, so that it is after the entry even where both are of one transaction.
        update notifications set read_at = clock_timestamp()
        where task_id = one.task_id and read_at is null
          and kind in ('assigned', 'group_task', 'escalated', 'reminder', 'breached')
          and (task_version < settled or (task_version < one.version and user_id in (
              select t.user_id from unnest(one.user_ids, one.kinds) as t (user_id, kind)
              where t.kind in ('assigned', 'group_task', 'escalated', 'reminder', 'breached'))));

        -- Written as read where something newer was heard first, so that the order of arrival makes no difference.
        return query
        with new as (
            insert into notifications (
                tenant_id, notification_id, user_id, cause, kind, text, task_id, title, task_version, read_at
            )
            select of_tenant, 'notification_' || replace(uuidv7()::text, '-', ''), t.user_id, one.cause, t.kind, t.text,
                   one.task_id, one.title, one.version,
                   case when t.kind in ('assigned', 'group_task', 'escalated', 'reminder', 'breached') and (
                       one.version < settled or exists (
                           select from notifications n
                           where n.task_id = one.task_id and n.user_id = t.user_id and n.task_version > one.version
                             and n.kind in ('assigned', 'group_task', 'escalated', 'reminder', 'breached'))
                   ) then now() end
            from unnest(one.user_ids, one.kinds, one.texts) as t (user_id, kind, text)
            where not exists (select from people p where p.user_id = t.user_id and p.status <> 'active')
            on conflict (tenant_id, user_id, cause) do nothing
            returning *
        )
        select one.number, settled, new.user_id, new.notification_id, new.kind, new.text, new.task_id, new.workflow_id,
               new.title, new.created_at, new.read_at
        from (select) as event left join new on true;
    end loop;
end $$;

-- migrate:down
