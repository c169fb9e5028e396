-- list_notifications
select notification_id, kind, text, task_id, title, created_at, read_at
from notifications
where user_id = :user_id
  and (created_at, notification_id) < (:before_time::text::timestamptz, :before_id::text)
order by created_at desc, notification_id desc
limit :limit

-- list_unread
select notification_id, kind, text, task_id, title, created_at, read_at
from notifications
where user_id = :user_id and read_at is null
  and (created_at, notification_id) < (:before_time::text::timestamptz, :before_id::text)
order by created_at desc, notification_id desc
limit :limit

-- count_unread
select count(*) from (
    select from notifications where user_id = :user_id and read_at is null limit :limit
) as unread

-- mark_read
update notifications set read_at = now()
where user_id = :user_id and notification_id = any (:notification_ids::text[]) and read_at is null

-- mark_all_read
update notifications set read_at = now() where user_id = :user_id and read_at is null

-- hear_task
-- Holds the events of one task in a row until commit; returns the version up to which it is settled.
insert into heard_tasks (tenant_id, task_id, settled_version)
values (:tenant_id, :task_id, :settled_version)
on conflict (tenant_id, task_id) do update
set settled_version = greatest(heard_tasks.settled_version, excluded.settled_version), heard_at = now()
returning settled_version

-- read_settled
-- What asked people to act on an earlier version is no longer theirs, or is said anew to those told now.
update notifications set read_at = now()
where task_id = :task_id and read_at is null and kind in ('assigned', 'group_task', 'escalated')
  and (task_version < :settled_version::bigint or (task_version < :version::bigint and user_id = any (:user_ids::text[])))

-- tell
-- Written as read where something newer was heard first, so that the order of arrival makes no difference.
insert into notifications (
    tenant_id, notification_id, user_id, cause, kind, text, task_id, title, task_version, read_at
)
select :tenant_id, 'notification_' || replace(uuidv7()::text, '-', ''), t.user_id, :cause::text, t.kind, t.text, :task_id::text,
       :title::text, :version::bigint,
       case when t.kind in ('assigned', 'group_task', 'escalated') and (
           :version::bigint < :settled_version::bigint or exists (
               select from notifications n
               where n.task_id = :task_id::text and n.user_id = t.user_id and n.task_version > :version::bigint
                 and n.kind in ('assigned', 'group_task', 'escalated'))
       ) then now() end
from unnest(:user_ids::text[], :kinds::text[], :texts::text[]) as t (user_id, kind, text)
on conflict (tenant_id, user_id, cause) do nothing
returning user_id, notification_id, kind, text, task_id, title, created_at, read_at

-- members
-- Which of these groups are known, each with its members; people whose account is disabled are told nothing.
select g.group_id, array(
    select m.user_id from memberships m
    left join people p on p.tenant_id = m.tenant_id and p.user_id = m.user_id
    where m.tenant_id = g.tenant_id and m.group_id = g.group_id and coalesce(p.status, 'active') = 'active'
) as members
from groups g where g.group_id = any (:group_ids::text[])

-- disabled_people
select user_id from people where user_id = any (:user_ids::text[]) and status <> 'active'

-- remember_person
insert into people (tenant_id, user_id, status, version)
values (:tenant_id, :user_id, :status, :version)
on conflict (tenant_id, user_id) do update set status = excluded.status, version = excluded.version
where people.version < excluded.version

-- remember_group
insert into groups (tenant_id, group_id, version)
values (:tenant_id, :group_id, :version)
on conflict (tenant_id, group_id) do update set version = excluded.version
where groups.version < excluded.version

-- replace_members
-- Runs after remember_group took the group's row, so that it sees what an older version wrote.
with gone as (
    delete from memberships where group_id = :group_id and user_id <> all (:members::text[])
)
insert into memberships (tenant_id, group_id, user_id)
select :tenant_id, :group_id, member from unnest(:members::text[]) as member
on conflict do nothing

-- prune_notifications
-- For the role of the sweep.
delete from notifications where (tenant_id, notification_id) in (
    select tenant_id, notification_id from notifications
    where created_at < now() - :age::interval order by created_at limit :limit
)

-- prune_heard_tasks
-- For the role of the sweep.
delete from heard_tasks where (tenant_id, task_id) in (
    select tenant_id, task_id from heard_tasks where heard_at < now() - :age::interval limit :limit
)
