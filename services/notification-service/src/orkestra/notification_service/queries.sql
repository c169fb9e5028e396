-- list_notifications
select notification_id, kind, text, task_id, workflow_id, title, created_at, read_at
from notifications
where user_id = :user_id
  and (created_at, notification_id) < (:before_time::text::timestamptz, :before_id::text)
order by created_at desc, notification_id desc
limit :limit

-- list_unread
select notification_id, kind, text, task_id, workflow_id, title, created_at, read_at
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

-- tell_of_tasks
-- In one trip, whatever number of events it is.
select * from tell_of_tasks(:tenant_id, :heard::json)

-- members
-- Which of these groups are known, each with its members; people whose account is disabled are told nothing.
select g.group_id, array(
    select m.user_id from memberships m
    left join people p on p.tenant_id = m.tenant_id and p.user_id = m.user_id
    where m.tenant_id = g.tenant_id and m.group_id = g.group_id and coalesce(p.status, 'active') = 'active'
) as members
from groups g where g.group_id = any (:group_ids::text[])

-- remember_substitution
insert into substitutions (tenant_id, user_id, substitute, begins_at, ends_at, task_types, version)
values (
    :tenant_id, :user_id, :substitute, coalesce(:begins_at::timestamptz, '-infinity'),
    coalesce(:ends_at::timestamptz, 'infinity'), :task_types, :version
)
on conflict (tenant_id, user_id) do update
set substitute = excluded.substitute, begins_at = excluded.begins_at, ends_at = excluded.ends_at,
    task_types = excluded.task_types, version = excluded.version
where substitutions.version < excluded.version

-- whom
-- Who of these people is away now, and who of their substitutes (a circle ends by itself), and which of all of them have
-- a disabled account.
with recursive reached as (
    select s.user_id, s.substitute, s.task_types
    from substitutions s
    where s.user_id = any (:people::text[]) and s.substitute is not null
      and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
    union
    select s.user_id, s.substitute, s.task_types
    from reached r
    join substitutions s on s.user_id = r.substitute
    where s.substitute is not null and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
)
select (
    select coalesce(json_agg(reached), '[]') from reached
) as absences, array(
    select user_id from people
    where user_id = any (array(select unnest(:people::text[]) union select substitute from reached))
      and status <> 'active'
) as disabled

-- remember_person
insert into people (tenant_id, user_id, status, version, email, name, locale, time_zone)
values (:tenant_id, :user_id, :status, :version, :email, :name, :locale, :time_zone)
on conflict (tenant_id, user_id) do update
set status = excluded.status, version = excluded.version, email = excluded.email, name = excluded.name,
    locale = excluded.locale, time_zone = excluded.time_zone
where people.version < excluded.version or (people.version = excluded.version and people.email is null)

-- hold_off_erasures
-- Until commit nobody is erased. Stands alone and before what writes: a statement does not see what was committed while
-- it waited.
select pg_advisory_xact_lock_shared(hashtextextended('erasures ' || current_setting('app.tenant_id'), 0))

-- begin_erasure
-- Waits for those who hold erasures off, and has them wait until commit.
select pg_advisory_xact_lock(hashtextextended('erasures ' || current_setting('app.tenant_id'), 0))

-- mark_erased
insert into people (tenant_id, user_id, status, version, erased_at, erased_version)
values (:tenant_id, :user_id, 'disabled', :version, clock_timestamp(), :version)
on conflict (tenant_id, user_id) do update
set erased_at = excluded.erased_at, erased_version = greatest(people.erased_version, excluded.erased_version),
    status = case when people.version > excluded.version then people.status else excluded.status end,
    version = greatest(people.version, excluded.version)

-- erased_among
select user_id, erased_at, erased_version, status = 'active' as is_back
from people where user_id = any (:user_ids::text[]) and erased_at is not null

-- people_known
select user_id, status, email, name, locale, time_zone from people where user_id = any (:user_ids::text[])

-- wishes_of
-- The preferences of those who have some; a person's name their own time zone.
select p.owner, p.rules, p.quiet_hours, p.digest_minutes, p.slack_host, p.teams_host, p.locale,
       coalesce(c.time_zone, p.time_zone) as time_zone, p.updated_at, p.version
from unnest(:owners::text[], :user_ids::text[]) as o (owner, user_id)
join preferences p on p.owner = o.owner
left join people c on c.user_id = o.user_id

-- preferences_of
select * from preferences where owner = any (:owners::text[])

-- lock_preferences
select * from preferences where owner = :owner for update

-- put_preferences
insert into preferences (
    tenant_id, owner, rules, quiet_hours, digest_minutes, slack_sealed, slack_host, teams_sealed, teams_host, locale,
    time_zone
)
values (
    :tenant_id, :owner, :rules, :quiet_hours, :digest_minutes, :slack_sealed, :slack_host, :teams_sealed, :teams_host,
    :locale, :time_zone
)
on conflict (tenant_id, owner) do update
set rules = excluded.rules, quiet_hours = excluded.quiet_hours, digest_minutes = excluded.digest_minutes,
    slack_sealed = excluded.slack_sealed, slack_host = excluded.slack_host, teams_sealed = excluded.teams_sealed,
    teams_host = excluded.teams_host, locale = excluded.locale, time_zone = excluded.time_zone, updated_at = now(),
    version = preferences.version + 1
returning *

-- told_silently
-- Entries of people who do not want them in the feed: kept, so that a thing is told once, and shown as read.
update notifications set read_at = coalesce(read_at, now())
where cause = :cause and user_id = any (:user_ids::text[])

-- tell_of_run
-- Whoever was disabled since it was planned, as the erased are, is told nothing.
insert into notifications (tenant_id, notification_id, user_id, cause, kind, text, workflow_id, title)
select :tenant_id, 'notification_' || replace(uuidv7()::text, '-', ''), t.user_id, :cause::text, 'result', :text::text,
       :workflow_id::text, :title::text
from unnest(:user_ids::text[]) as t (user_id)
where not exists (select from people p where p.user_id = t.user_id and p.status <> 'active')
on conflict (tenant_id, user_id, cause) do nothing
returning user_id, notification_id, kind, text, task_id, workflow_id, title, created_at, read_at

-- get_notification
select * from notifications where notification_id = :notification_id and user_id = :user_id

-- read_meanwhile
-- Which of these entries were read by their owner after they were told.
select notification_id from notifications
where notification_id = any (:notification_ids::text[]) and read_at > created_at

-- get_confirmation
select delivery_id, lane, content, created_at, used_at from deliveries where delivery_id = :delivery_id

-- use_confirmation
update deliveries set used_at = now() where delivery_id = :delivery_id and used_at is null returning used_at

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

-- prune_deliveries
-- For the role of the sweep.
delete from deliveries where (tenant_id, delivery_id) in (
    select tenant_id, delivery_id from deliveries
    where created_at < now() - :age::interval order by created_at limit :limit
)

-- create_webhook
insert into webhooks (tenant_id, webhook_id, url, events, description)
values (:tenant_id, 'webhook_' || replace(uuidv7()::text, '-', ''), :url, :events, :description)
returning *

-- count_webhooks
select count(*) from webhooks

-- get_webhook
select w.*, l.failing_since from webhooks w
left join lanes l on l.tenant_id = w.tenant_id and l.lane = 'webhook:' || w.webhook_id
where w.webhook_id = :webhook_id

-- lock_webhook
select w.*, l.failing_since from webhooks w
left join lanes l on l.tenant_id = w.tenant_id and l.lane = 'webhook:' || w.webhook_id
where w.webhook_id = :webhook_id for update of w

-- list_webhooks
select w.*, l.failing_since from webhooks w
left join lanes l on l.tenant_id = w.tenant_id and l.lane = 'webhook:' || w.webhook_id
order by w.webhook_id

-- update_webhook
update webhooks
set url = :url, events = :events, description = :description, status = :status, disabled_reason = :disabled_reason,
    disabled_at = case when :status = 'disabled' then coalesce(disabled_at, now()) end,
    version = version + 1, updated_at = now()
where webhook_id = :webhook_id
returning *

-- rotate_webhook_secret
update webhooks
set generation = generation + 1, old_secret_until = now() + interval '24 hours', version = version + 1,
    updated_at = now()
where webhook_id = :webhook_id
returning *

-- delete_webhook
delete from webhooks where webhook_id = :webhook_id

-- delete_lane_deliveries
delete from deliveries where lane = :lane

-- delete_lane
delete from lanes where lane = :lane

-- webhooks_told
-- Whom events may concern.
select webhook_id, events, created_at from webhooks where status = 'active'

-- put_deliveries
-- Once for each receiver and cause, however often the event is heard, in the order given; wakes the lanes of what is new,
-- as wake_lane does. Lanes are locked in one order by everybody.
with put as (
    insert into deliveries (tenant_id, delivery_id, lane, cause, event_id, event_type, content, next_try_at)
    select :tenant_id, 'delivery_' || replace(uuidv7()::text, '-', ''), l.lane, l.cause, l.event_id, l.event_type,
           l.content::json, coalesce(l.at, now())
    from unnest(
        :lanes::text[], :causes::text[], :event_ids::text[], :event_types::text[], :contents::text[],
        :ats::timestamptz[]
    ) as l (lane, cause, event_id, event_type, content, at)
    on conflict (tenant_id, lane, cause) do nothing
    returning lane, next_try_at
)
insert into lanes (tenant_id, lane, due_at)
select :tenant_id, lane, min(next_try_at) from put group by lane order by lane
on conflict (tenant_id, lane) do update
set due_at = greatest(least(lanes.due_at, excluded.due_at), lanes.resting_until)

-- wake_lane
-- A lane that rests after a failure is not woken earlier.
insert into lanes (tenant_id, lane, due_at) values (:tenant_id, :lane, coalesce(:at::timestamptz, now()))
on conflict (tenant_id, lane) do update
set due_at = greatest(least(lanes.due_at, excluded.due_at), lanes.resting_until)

-- start_lane
-- Forgets that it failed.
insert into lanes (tenant_id, lane, due_at) values (:tenant_id, :lane, now())
on conflict (tenant_id, lane) do update
set due_at = now(), resting_until = null, failures = 0, failing_since = null

-- due_lanes
-- For the role of the sweep.
select tenant_id, lane from lanes
where due_at <= now() and (leased_until is null or leased_until < now())
order by due_at limit :limit

-- next_due
-- For the role of the sweep: seconds until something is due.
select extract(epoch from min(due_at) - now())::float8 from lanes where due_at > now()

-- lease_lane
update lanes set leased_until = now() + :lease::interval
where lane = :lane and due_at <= now() and (leased_until is null or leased_until < now())
returning failures, failing_since

-- renew_lease
update lanes set leased_until = now() + :lease::interval where lane = :lane and leased_until > now()

-- due_deliveries
select delivery_id, event_id, event_type, content, created_at, attempts, tried_since from deliveries
where lane = :lane and status = 'pending' and next_try_at <= now()
order by next_try_at, delivery_id limit :limit

-- settle_delivery
update deliveries
set status = :status, attempts = attempts + 1, last_attempt_at = now(),
    next_try_at = case when :status = 'pending' then now() + :pause::interval end,
    delivered_at = case when :status = 'delivered' then now() end,
    response_status = :response_status, error = :error
where delivery_id = :delivery_id

-- lock_lane
select failures from lanes where lane = :lane for update

-- leave_lane
-- Runs after lock_lane, so that it sees what was put meanwhile.
update lanes
set leased_until = null, failures = :failures::int,
    failing_since = case when :failures::int > 0 then coalesce(failing_since, now()) end,
    resting_until = case when :failures::int > 0 then now() + :pause::interval end,
    due_at = (
        select greatest(min(d.next_try_at), case when :failures::int > 0 then now() + :pause::interval end)
        from deliveries d where d.lane = :lane and d.status = 'pending'
    )
where lane = :lane
returning failing_since

-- stop_lane
update lanes set due_at = null, leased_until = null where lane = :lane

-- list_deliveries
select delivery_id, event_id, event_type, status, attempts, created_at, next_try_at, last_attempt_at, delivered_at,
       response_status, error
from deliveries
where lane = :lane and (created_at, delivery_id) < (:before_time::text::timestamptz, :before_id::text)
  and (:status::text is null or status = :status)
order by created_at desc, delivery_id desc
limit :limit

-- redeliver
update deliveries set status = 'pending', next_try_at = now(), tried_since = now(), error = null
where lane = :lane and status <> 'pending' and delivery_id = any (:delivery_ids::text[])

-- redeliver_failed
update deliveries set status = 'pending', next_try_at = now(), tried_since = now(), error = null
where lane = :lane and status = 'failed'

-- forget_deliveries
delete from deliveries where tenant_id = :tenant_id and delivery_id in (
    select delivery_id from deliveries
    where tenant_id = :tenant_id and created_at < :created_before and status <> 'pending'
    order by created_at limit :limit
)

-- erase_deliveries
-- What was sent to a person, and what outside systems were sent of who they are and why they cancelled tasks.
delete from deliveries where tenant_id = :tenant_id and delivery_id in (
    select delivery_id from deliveries
    where tenant_id = :tenant_id
    and (lane = any(:lanes) or (event_type = 'identity.user_changed'
        and content -> 'data' -> 'user' ->> 'user_id' = :user_id)
        or (event_type = 'task.cancelled' and content -> 'data' ->> 'actor' = :user_id))
    limit :limit
)

-- erase_feed
delete from notifications where tenant_id = :tenant_id and notification_id in (
    select notification_id from notifications where tenant_id = :tenant_id and user_id = :user_id limit :limit
)

-- erase_lanes
delete from lanes where tenant_id = :tenant_id and lane = any(:lanes)

-- erase_preferences
delete from preferences where tenant_id = :tenant_id and owner = :owner

-- erase_copy_of_person
update people set email = null, name = null, locale = null, time_zone = null
where tenant_id = :tenant_id and user_id = :user_id and num_nonnulls(email, name, locale, time_zone) > 0

-- forget_answers
select forget_answers(:tenant_id, :principal)
