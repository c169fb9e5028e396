-- known_names
-- Which people (by id or lower-case e-mail address) and groups are known, and what time it is: one trip for a creation.
select now() as now,
       coalesce((select json_agg(json_build_array(user_id, email, status)) from people
                 where user_id = any (:people::text[]) or email = any (:people::text[])), '[]') as people,
       array(select group_id from groups where group_id = any (:groups::text[]) and not is_deleted) as groups,
       exists (select from groups where group_id = any (:groups::text[]) and strategy <> 'pull') as is_routed

-- remember_person
insert into people (tenant_id, user_id, email, status, max_open_tasks, skills, version)
values (:tenant_id, :user_id, :email, :status, :max_open_tasks, :skills, :version)
on conflict (tenant_id, user_id) do update
set email = excluded.email, status = excluded.status, max_open_tasks = excluded.max_open_tasks,
    skills = excluded.skills, version = excluded.version
where people.version < excluded.version

-- remember_group
-- With its members, all of them.
with kept as (
    insert into groups (tenant_id, group_id, strategy, max_open_tasks, skills, is_deleted, version)
    values (:tenant_id, :group_id, :strategy, :max_open_tasks, :skills, :is_deleted, :version)
    on conflict (tenant_id, group_id) do update
    set strategy = excluded.strategy, max_open_tasks = excluded.max_open_tasks, skills = excluded.skills,
        is_deleted = excluded.is_deleted, version = excluded.version
    where groups.version < excluded.version
    returning tenant_id, group_id
), gone as (
    delete from members m using kept k where m.group_id = k.group_id and m.user_id <> all (:members::text[])
)
insert into members (tenant_id, group_id, user_id)
select k.tenant_id, k.group_id, one from kept k, unnest(:members::text[]) as one
on conflict do nothing

-- create_task
-- A second creation with the same id, or the same key within one run, inserts nothing and returns nothing.
with created as (
    insert into tasks (
        tenant_id, task_id, workflow_id, first_run_id, key, requested_by, on_behalf_of, title, description, type, tags,
        correlation, form, context, input, draft, assignee, candidate_users, candidate_groups, excluded_users,
        allow_agents, four_eyes, approval_policy, tally, action_digest, priority, status, sla, version, revision, max_revisions, status_since, created_at, updated_at,
        due_at, next_step_at, is_claim_plain, traceparent
    ) values (
        :tenant_id, :task_id, :workflow_id, :first_run_id, :key, :requested_by, :on_behalf_of, :title, :description, :type, :tags,
        :correlation, :form, :context, :input, :draft, :assignee, :candidate_users, :candidate_groups, :excluded_users,
        :allow_agents, :four_eyes, :approval_policy, :tally, :action_digest, :priority, :status, :sla, :version, :revision, :max_revisions, :status_since, :created_at, :updated_at,
        coalesce(:due_at::timestamptz, 'infinity'), coalesce(:next_step_at::timestamptz, 'infinity'), :is_claim_plain,
        :traceparent
    )
    on conflict do nothing
    returning *
), seen as (
    insert into task_audience (tenant_id, task_id, audience, status, due_at, created_at, offered)
    select c.tenant_id, c.task_id, a.audience, c.status, c.due_at, c.created_at, a.offered
    from created c, unnest(:audience::text[], :offered::boolean[]) as a (audience, offered)
), found_by as (
    insert into task_terms (tenant_id, kind, term, task_id)
    select c.tenant_id, w.kind, w.term, c.task_id from created c, unnest(:kinds::text[], :terms::text[]) as w (kind, term)
), noted as (
    insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, before, after)
    select tenant_id, task_id, history_length, 'created', created_at, :actor, :door, :before, :after from created
)
select task_id from created

-- find_first
-- The task that a creation meant, where it exists already.
select * from tasks
where task_id = :task_id
   or (key = :key and workflow_id = :workflow_id and first_run_id = :first_run_id)
limit 1

-- get_task
select *, next_step_at <= clock_timestamp() as is_due from tasks where task_id = :task_id

-- look_at_task
-- Without a transaction around it: the function sets the tenant for its own statement.
select *, clock_timestamp() as now from look_at_task(:tenant_id, :task_id)

-- lock_task
-- The clock is read after the lock is held: the outer select sees the row only then. With whom the caller stands in
-- for, as absences_before has it; for how long answers can be taken back; and whether anybody of the tenant is away.
with recursive locked as materialized (
    select * from tasks where task_id = :task_id for update
), reached as (
    select s.user_id, s.substitute, s.task_types
    from substitutions s
    where s.substitute = :subject and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
    union
    select s.user_id, s.substitute, s.task_types
    from reached r
    join substitutions s on s.substitute = r.user_id
    where s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
)
select *, clock_timestamp() as now,
       (select json_agg(json_build_array(user_id, substitute, task_types)) from reached) as absences,
       coalesce(
           (select make_interval(secs => undo_seconds) from task_settings s where s.tenant_id = locked.tenant_id),
           interval '0') as undo_window,
       exists (
           select from substitutions s
           where s.tenant_id = locked.tenant_id and s.substitute is not null and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
       ) as is_anybody_away
from locked

-- claim_task
-- The one conditional update of a plain claim: what is due, taken, or reserved for another is left to the slower way.
-- The time is read once, and again where the row had to be waited for. Audience and history follow by follow_claim. With
-- whether anybody is away of those to whom the task is offered by name: who that is, and who stands in, absences_after
-- says.
update tasks set
    status = 'claimed', assignee = :subject, acted_for = null, version = version + 1, history_length = history_length + 1,
    (updated_at, claimed_at, status_since, time_to_claim) = (
        select clock.now, clock.now, clock.now,
               coalesce(tasks.time_to_claim, interval '0') + (clock.now - coalesce(tasks.status_since, tasks.created_at))
        from (select clock_timestamp() as now where tasks.version > 0) as clock)
where task_id = :task_id and status = 'open' and is_claim_plain
  and (assignee is null or assignee = :subject)
  and (:version::bigint is null or version = :version)
  and next_step_at > clock_timestamp()
  and not exists (
      select from substitutions s
      where s.substitute = :subject and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp())
returning new.*, old.assignee as was_assignee, old.updated_at as was_updated_at,
          old.status_since as was_status_since, old.time_to_claim as was_time_to_claim,
          exists (
              select from substitutions s
              where s.user_id = any (new.candidate_users || new.assignee) and s.substitute is not null
                and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()) as is_somebody_away

-- save_task
-- Writes what was decided about the version that was seen, who sees the task from now on, and what history says of it.
with saved as (
    update tasks set
        status = :status, assignee = :assignee, candidate_users = :candidate_users, candidate_groups = :candidate_groups,
        priority = :priority, outcome = :outcome, result = :result, completed_by = :completed_by, decided_by = :decided_by,
        acted_for = :acted_for, sla = :sla, reason = :reason, version = :version, updated_at = :updated_at,
        title = :title, description = :description, tags = :tags, delegated_by = :delegated_by,
        status_since = :status_since, time_to_claim = :time_to_claim, time_active = :time_active,
        time_waiting = :time_waiting, time_paused = :time_paused,
        context = :context, form = :form, draft = :draft, revision = :revision, action_digest = :action_digest,
        change_requests = :change_requests, votes = :votes, tally = :tally, receipt = :receipt, saved = :saved, saved_at = :saved_at,
        claimed_at = :claimed_at, completed_at = :completed_at, submission = :submission,
        due_at = coalesce(:due_at::timestamptz, 'infinity'), next_step_at = coalesce(:next_step_at::timestamptz, 'infinity'),
        is_claim_plain = :is_claim_plain, told_at = :told_at, history_length = history_length + cardinality(:events::text[])
    where task_id = :task_id and version = :seen_version
    returning tenant_id, task_id, status, due_at, created_at, old.history_length
), gone as (
    delete from task_audience where task_id = :task_id and audience <> all (:audience::text[])
), seen as (
    insert into task_audience (tenant_id, task_id, audience, status, due_at, created_at, offered)
    select s.tenant_id, s.task_id, a.audience, s.status, s.due_at, s.created_at, a.offered
    from saved s, unnest(:audience::text[], :offered::boolean[]) as a (audience, offered)
    on conflict (tenant_id, task_id, audience)
    do update set status = excluded.status, due_at = excluded.due_at, offered = excluded.offered
)
insert into task_history (tenant_id, task_id, sequence, event, at, actor, acted_for, door, reason, before, after)
select s.tenant_id, s.task_id, s.history_length + h.number, h.event, h.at, h.actor, h.acted_for, h.door, h.reason, h.before, h.after
from saved s, unnest(
    :events::text[], :ats::timestamptz[], :actors::text[], :acted_fors::text[], :doors::text[], :reasons::text[],
    :befores::json[], :afters::json[]
) with ordinality as h (event, at, actor, acted_for, door, reason, before, after, number)
order by h.number

-- change_terms
with gone as (
    delete from task_terms k using unnest(:gone_kinds::text[], :gone_terms::text[]) as w (kind, term)
    where k.kind = w.kind and k.term = w.term and k.task_id = :task_id
)
insert into task_terms (tenant_id, kind, term, task_id)
select :tenant_id::uuid, w.kind, w.term, :task_id from unnest(:new_kinds::text[], :new_terms::text[]) as w (kind, term)
on conflict do nothing

-- record_late_answer
-- Nothing of the task changes but its history; the same answer sent again by the same person is recorded once.
with noted as (
    update tasks t set history_length = history_length + 1
    where t.task_id = :task_id and not exists (
        select from task_history h
        where h.tenant_id = t.tenant_id and h.task_id = t.task_id and h.event = :event and h.actor = :actor
          and h.after::text = :after::json::text
    )
    returning tenant_id, task_id, history_length
)
insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, reason, after)
select tenant_id, task_id, history_length, :event, :at, :actor, :door, :reason, :after::json from noted

-- task_history
select sequence, event, at, actor, acted_for, door, reason, before, after, content_digest, digest
from task_history where task_id = :task_id order by sequence

-- task_chain
-- Each entry with what recomputing says of it.
select h.sequence, h.digest, h.previous, h.signature, t.history_length,
       h.content_digest = history_content_digest(h.reason, h.before, h.after) as is_content_whole,
       num_nonnulls(h.reason, h.before, h.after) = 0 as is_erased,
       h.digest = history_digest(
           h.task_id, h.sequence, h.event, h.at, h.actor, h.acted_for, h.door, h.content_digest, h.previous) as is_whole
from tasks t left join task_history h on h.task_id = t.task_id
where t.task_id = :task_id order by h.sequence

-- unsigned_histories
-- Tasks with entries that no signed tip covers; for the role of the sweep.
select distinct tenant_id, task_id from (
    select tenant_id, task_id from task_history where signature is null order by at limit :limit
) oldest

-- unsigned_tips
-- The newest entry of each history where it is not signed; under the tasks' locks, so that each tip stays one. What
-- another holds at the moment is left for the next time.
with locked as materialized (
    select task_id from tasks where task_id = any (:task_ids::text[]) order by task_id for update skip locked
)
select distinct on (h.task_id) h.task_id, h.sequence, h.digest
from locked l join task_history h on h.task_id = l.task_id
where h.signature is null
order by h.task_id, h.sequence desc

-- sign_tips
update task_history h set signature = case when h.sequence = tip.sequence then tip.signature else '' end
from unnest(:task_ids::text[], :sequences::bigint[], :signatures::text[]) as tip (task_id, sequence, signature)
where h.task_id = tip.task_id and h.signature is null and h.sequence <= tip.sequence

-- list_tasks
-- One short index walk for each audience and status, merged: an index serves it under row-level security.
-- `offset 0` keeps a term a look-up by its index for each row; a hash would read the whole table.
select t.tenant_id, t.task_id, t.workflow_id, t.first_run_id, t.key, t.requested_by, t.on_behalf_of, t.title, t.type, t.tags,
       t.correlation, t.assignee, t.candidate_users, t.candidate_groups, t.excluded_users, t.allow_agents, t.priority,
       t.status, t.outcome, t.completed_by, t.decided_by, t.acted_for, t.sla, t.reason, t.version, t.revision,
       t.created_at, t.updated_at, t.claimed_at, t.completed_at, t.woken_at, t.action_digest, t.four_eyes, t.approval_policy, t.tally,
       t.delegated_by, t.max_revisions, t.status_since, t.time_to_claim, t.time_active, t.time_waiting, t.time_paused, page.due_at::text as place
from (
    select distinct p.due_at, p.task_id
    from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
    cross join unnest(:statuses::text[]) as s (status)
    cross join lateral (
        select v.due_at, v.task_id
        from task_audience v
        where v.audience = a.audience and v.status = s.status
          and (v.due_at, v.task_id) > (:after_place::text::timestamptz, :after_task::text)
          and (not a.offered or v.offered)
          and (a.type is null or exists (
              select from task_terms y where y.kind = 'type' and y.term = a.type and y.task_id = v.task_id offset 0))
          and (:due_after::timestamptz is null or v.due_at >= :due_after)
          and (:due_before::timestamptz is null or v.due_at < :due_before)
          and (:created_after::timestamptz is null or v.created_at >= :created_after)
          and (:created_before::timestamptz is null or v.created_at < :created_before)
          and (:is_behind_figures::boolean is not true or exists (
              select from tasks c where c.task_id = v.task_id
                  and (:completed_after::timestamptz is null or c.completed_at >= :completed_after)
                  and (:completed_before::timestamptz is null or c.completed_at < :completed_before)
                  and (:breached::boolean is null or coalesce((c.sla ->> 'breached')::boolean, false) = :breached)
                  and (:escalated::boolean is null or (coalesce((c.sla ->> 'escalation_level')::integer, 0) > 0) = :escalated) offset 0))
          and (:group::text is null or exists (
              select from task_audience g where g.task_id = v.task_id and g.audience = :group offset 0))
          and (:assignee::text is null or exists (
              select from tasks f where f.task_id = v.task_id and f.assignee = :assignee offset 0))
          and not exists (
              select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
              where not exists (
                  select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = v.task_id offset 0))
        order by v.due_at, v.task_id
        limit :limit
    ) p
    order by p.due_at, p.task_id
    limit :limit
) page
join tasks t on t.task_id = page.task_id
order by page.due_at, page.task_id

-- list_newest_tasks
-- The same walk backwards along another index.
select t.tenant_id, t.task_id, t.workflow_id, t.first_run_id, t.key, t.requested_by, t.on_behalf_of, t.title, t.type, t.tags,
       t.correlation, t.assignee, t.candidate_users, t.candidate_groups, t.excluded_users, t.allow_agents, t.priority,
       t.status, t.outcome, t.completed_by, t.decided_by, t.acted_for, t.sla, t.reason, t.version, t.revision,
       t.created_at, t.updated_at, t.claimed_at, t.completed_at, t.woken_at, t.action_digest, t.four_eyes, t.approval_policy, t.tally,
       t.delegated_by, t.max_revisions, t.status_since, t.time_to_claim, t.time_active, t.time_waiting, t.time_paused, page.created_at::text as place
from (
    select distinct p.created_at, p.task_id
    from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
    cross join unnest(:statuses::text[]) as s (status)
    cross join lateral (
        select v.created_at, v.task_id
        from task_audience v
        where v.audience = a.audience and v.status = s.status
          and v.created_at > '-infinity' and (v.created_at, v.task_id) < (:after_place::text::timestamptz, :after_task::text)
          and (not a.offered or v.offered)
          and (a.type is null or exists (
              select from task_terms y where y.kind = 'type' and y.term = a.type and y.task_id = v.task_id offset 0))
          and (:due_after::timestamptz is null or v.due_at >= :due_after)
          and (:due_before::timestamptz is null or v.due_at < :due_before)
          and v.created_at >= coalesce(:created_after::timestamptz, '-infinity')
          and v.created_at < coalesce(:created_before::timestamptz, 'infinity')
          and (:is_behind_figures::boolean is not true or exists (
              select from tasks c where c.task_id = v.task_id
                  and (:completed_after::timestamptz is null or c.completed_at >= :completed_after)
                  and (:completed_before::timestamptz is null or c.completed_at < :completed_before)
                  and (:breached::boolean is null or coalesce((c.sla ->> 'breached')::boolean, false) = :breached)
                  and (:escalated::boolean is null or (coalesce((c.sla ->> 'escalation_level')::integer, 0) > 0) = :escalated) offset 0))
          and (:group::text is null or exists (
              select from task_audience g where g.task_id = v.task_id and g.audience = :group offset 0))
          and (:assignee::text is null or exists (
              select from tasks f where f.task_id = v.task_id and f.assignee = :assignee offset 0))
          and not exists (
              select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
              where not exists (
                  select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = v.task_id offset 0))
        order by v.created_at desc, v.task_id desc
        limit :limit
    ) p
    order by p.created_at desc, p.task_id desc
    limit :limit
) page
join tasks t on t.task_id = page.task_id
order by page.created_at desc, page.task_id desc

-- scarcest_term
-- Which of the terms the fewest tasks have, counted no further than the limit.
select w.kind, w.term, n.count
from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
cross join lateral (
    select count(*) from (
        select from task_terms k where k.kind = w.kind and k.term = w.term limit :limit
    ) few
) n
order by n.count, w.kind, w.term
limit 1

-- search_tasks
-- Few tasks have the scarcest term: they are found first and then held against everything else.
select t.tenant_id, t.task_id, t.workflow_id, t.first_run_id, t.key, t.requested_by, t.on_behalf_of, t.title, t.type, t.tags,
       t.correlation, t.assignee, t.candidate_users, t.candidate_groups, t.excluded_users, t.allow_agents, t.priority,
       t.status, t.outcome, t.completed_by, t.decided_by, t.acted_for, t.sla, t.reason, t.version, t.revision,
       t.created_at, t.updated_at, t.claimed_at, t.completed_at, t.woken_at, t.action_digest, t.four_eyes, t.approval_policy, t.tally,
       t.delegated_by, t.max_revisions, t.status_since, t.time_to_claim, t.time_active, t.time_waiting, t.time_paused, t.due_at::text as place
from task_terms d
join tasks t on t.task_id = d.task_id
where d.kind = :kind and d.term = :term
  and (t.due_at, t.task_id) > (:after_place::text::timestamptz, :after_task::text)
  and t.status = any (:statuses::text[])
  and (:due_after::timestamptz is null or t.due_at >= :due_after)
  and (:due_before::timestamptz is null or t.due_at < :due_before)
  and (:created_after::timestamptz is null or t.created_at >= :created_after)
  and (:created_before::timestamptz is null or t.created_at < :created_before)
  and (:is_behind_figures::boolean is not true or (:completed_after::timestamptz is null or t.completed_at >= :completed_after)
      and (:completed_before::timestamptz is null or t.completed_at < :completed_before)
      and (:breached::boolean is null or coalesce((t.sla ->> 'breached')::boolean, false) = :breached)
      and (:escalated::boolean is null or (coalesce((t.sla ->> 'escalation_level')::integer, 0) > 0) = :escalated))
  and (:assignee::text is null or t.assignee = :assignee)
  and exists (
      select from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
      join task_audience v on v.audience = a.audience
      where v.task_id = t.task_id and (not a.offered or v.offered) and (a.type is null or a.type = t.type))
  and (:group::text is null or exists (
      select from task_audience g where g.task_id = t.task_id and g.audience = :group))
  and not exists (
      select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
      where not exists (
          select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = t.task_id offset 0))
order by t.due_at, t.task_id
limit :limit

-- search_newest_tasks
-- The same, the newest first.
select t.tenant_id, t.task_id, t.workflow_id, t.first_run_id, t.key, t.requested_by, t.on_behalf_of, t.title, t.type, t.tags,
       t.correlation, t.assignee, t.candidate_users, t.candidate_groups, t.excluded_users, t.allow_agents, t.priority,
       t.status, t.outcome, t.completed_by, t.decided_by, t.acted_for, t.sla, t.reason, t.version, t.revision,
       t.created_at, t.updated_at, t.claimed_at, t.completed_at, t.woken_at, t.action_digest, t.four_eyes, t.approval_policy, t.tally,
       t.delegated_by, t.max_revisions, t.status_since, t.time_to_claim, t.time_active, t.time_waiting, t.time_paused, t.created_at::text as place
from task_terms d
join tasks t on t.task_id = d.task_id
where d.kind = :kind and d.term = :term
  and (t.created_at, t.task_id) < (:after_place::text::timestamptz, :after_task::text)
  and t.status = any (:statuses::text[])
  and (:due_after::timestamptz is null or t.due_at >= :due_after)
  and (:due_before::timestamptz is null or t.due_at < :due_before)
  and (:created_after::timestamptz is null or t.created_at >= :created_after)
  and (:created_before::timestamptz is null or t.created_at < :created_before)
  and (:is_behind_figures::boolean is not true or (:completed_after::timestamptz is null or t.completed_at >= :completed_after)
      and (:completed_before::timestamptz is null or t.completed_at < :completed_before)
      and (:breached::boolean is null or coalesce((t.sla ->> 'breached')::boolean, false) = :breached)
      and (:escalated::boolean is null or (coalesce((t.sla ->> 'escalation_level')::integer, 0) > 0) = :escalated))
  and (:assignee::text is null or t.assignee = :assignee)
  and exists (
      select from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
      join task_audience v on v.audience = a.audience
      where v.task_id = t.task_id and (not a.offered or v.offered) and (a.type is null or a.type = t.type))
  and (:group::text is null or exists (
      select from task_audience g where g.task_id = t.task_id and g.audience = :group))
  and not exists (
      select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
      where not exists (
          select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = t.task_id offset 0))
order by t.created_at desc, t.task_id desc
limit :limit

-- workflows_with_live_tasks
select distinct workflow_id from tasks
where workflow_id = any(:workflow_ids::text[]) and status in ('open', 'claimed', 'waiting')
order by workflow_id

-- lock_live_tasks_of_workflow
with locked as materialized (
    select * from tasks
    where workflow_id = :workflow_id and status in ('open', 'claimed', 'waiting')
    order by task_id
    for update
)
select *, clock_timestamp() as now from locked

-- confirm_wake_ups
-- Bookkeeping about events, not changes of the tasks: the versions stay.
update tasks t set woken_at = coalesce(t.woken_at, clock_timestamp()), told_at = null
from unnest(:task_ids::text[], :versions::bigint[]) as known (task_id, version)
where t.task_id = known.task_id and t.version <= known.version and t.status in ('completed', 'cancelled', 'expired')
  and (t.woken_at is null or t.told_at is not null)

-- untold_ends
-- Ends that no workflow has confirmed for longer than the age, which doubles with each telling up to 32 times; for the
-- role of the sweep.
select tenant_id, task_id from tasks
where told_at < clock_timestamp() - :age::interval
  and told_at < clock_timestamp() - :age::interval * least(power(2, told_times - 1), 32)
order by told_at limit :limit

-- tell_again
-- Of several sweeps one gets the row.
update tasks set told_at = clock_timestamp(), told_times = told_times + 1
where task_id = :task_id and told_at < clock_timestamp() - :age::interval * least(power(2, told_times - 1), 32)
returning *

-- save_draft
-- Partial values are no change of the task: no version, no history.
update tasks set saved = :saved, saved_at = :saved_at where task_id = :task_id

-- add_comment
with mentioned as (
    update tasks set mentioned_users = :mentioned_users
    where task_id = :task_id and mentioned_users <> :mentioned_users::text[]
    returning task_id
), seen as (
    insert into task_audience (tenant_id, task_id, audience, status, due_at, created_at, offered)
    select t.tenant_id, t.task_id, a.audience, t.status, t.due_at, t.created_at, false
    from tasks t, unnest(:audience::text[]) as a (audience)
    where t.task_id = :task_id
    on conflict (tenant_id, task_id, audience) do nothing
)
insert into task_comments (tenant_id, task_id, comment_id, author, author_name, text, mentions, created_at, door)
select tenant_id, task_id, :comment_id, :author, :author_name, :text, :mentions, :created_at, :door
from tasks where task_id = :task_id
returning *

-- task_comments
select comment_id, task_id, author, author_name, text, mentions, created_at
from task_comments where task_id = :task_id and comment_id > :after order by comment_id limit :limit

-- count_tasks
-- Counts no further than the limit; each audience and status is one index walk.
select count(*) from (
    select distinct p.task_id
    from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
    cross join unnest(:statuses::text[]) as s (status)
    cross join lateral (
        select v.task_id
        from task_audience v
        where v.audience = a.audience and v.status = s.status
          and (not a.offered or v.offered)
          and (a.type is null or exists (
              select from task_terms y where y.kind = 'type' and y.term = a.type and y.task_id = v.task_id offset 0))
          and (:due_after::timestamptz is null or v.due_at >= :due_after)
          and (:due_before::timestamptz is null or v.due_at < :due_before)
          and (:group::text is null or exists (
              select from task_audience g where g.task_id = v.task_id and g.audience = :group offset 0))
          and (:assignee::text is null or exists (
              select from tasks f where f.task_id = v.task_id and f.assignee = :assignee offset 0))
          and not exists (
              select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
              where not exists (
                  select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = v.task_id offset 0))
        limit :limit
    ) p
    limit :limit
) found

-- count_found_tasks
-- The same from the tasks that have the scarcest term.
select count(*)
from task_terms d
join tasks t on t.task_id = d.task_id
where d.kind = :kind and d.term = :term
  and t.status = any (:statuses::text[])
  and (:due_after::timestamptz is null or t.due_at >= :due_after)
  and (:due_before::timestamptz is null or t.due_at < :due_before)
  and (:assignee::text is null or t.assignee = :assignee)
  and exists (
      select from unnest(:audiences::text[], :offered::boolean[], :types::text[]) as a (audience, offered, type)
      join task_audience v on v.audience = a.audience
      where v.task_id = t.task_id and (not a.offered or v.offered) and (a.type is null or a.type = t.type))
  and (:group::text is null or exists (
      select from task_audience g where g.task_id = t.task_id and g.audience = :group))
  and not exists (
      select from unnest(:kinds::text[], :terms::text[]) as w (kind, term)
      where not exists (
          select from task_terms k where k.kind = w.kind and k.term = w.term and k.task_id = t.task_id offset 0))

-- task_settings
select undo_seconds, version, updated_at, updated_by from task_settings

-- put_task_settings
-- One row in each tenant, at the version that was seen where one is named; otherwise nothing is written.
insert into task_settings (tenant_id, undo_seconds, version, updated_at, updated_by)
select :tenant_id::uuid, :undo_seconds, 1, clock_timestamp(), :updated_by
where coalesce(:version::int, 0) = 0 or exists (select from task_settings)
on conflict (tenant_id) do update
set undo_seconds = excluded.undo_seconds, version = task_settings.version + 1, updated_at = excluded.updated_at,
    updated_by = excluded.updated_by
where :version::int is null or task_settings.version = :version
returning undo_seconds, version, updated_at, updated_by

-- lock_escalation_policy
-- One writer at a time in each tenant.
select pg_advisory_xact_lock(hashtextextended('escalation_policy ' || :tenant_id::text, 0))

-- escalation_policy
select rules, version, updated_at, updated_by, kept_target from escalation_policies order by version desc limit 1

-- put_escalation_policy
insert into escalation_policies (tenant_id, version, rules, updated_at, updated_by, kept_target)
values (:tenant_id, :version, :rules, clock_timestamp(), :updated_by, :kept_target)
returning rules, version, updated_at, updated_by, kept_target

-- record_escalation_check
insert into escalation_checks (
    tenant_id, check_id, topic, confidence, agent, model, prompt_version, decision, reason, threshold, sampled,
    policy_version, checked_at, checked_by
) values (
    :tenant_id, :check_id, :topic, :confidence, :agent, :model, :prompt_version, :decision, :reason, :threshold, :sampled,
    :policy_version, :checked_at, :checked_by
)

-- link_escalation_check
-- The first task that its own requester names it in; another one changes nothing.
update escalation_checks set task_id = :task_id
where check_id = :check_id and checked_by = :requested_by and task_id is null

-- end_escalation_check
update escalation_checks set
    task_status = :task_status, outcome = :outcome, decided_by = :decided_by, kept_draft = :kept_draft, ended_at = :ended_at
where task_id = :task_id and ended_at is null

-- escalation_check
select * from escalation_checks
where check_id = :check_id and (:checked_by::text is null or checked_by = :checked_by)

-- list_escalation_checks
select * from escalation_checks
where (checked_at, check_id) < (:before_at::text::timestamptz, :before_check::text)
  and (:checked_by::text is null or checked_by = :checked_by)
  and (:topic::text is null or topic = :topic)
  and (:decision::text is null or decision = :decision)
order by checked_at desc, check_id desc
limit :limit

-- list_corrections
-- What people answered where an agent had drafted, by the time of the answer.
select * from tasks
where draft is not null and decided_by = 'person' and completed_at is not null
  and (completed_at, task_id) > (:after_at::text::timestamptz, :after_task::text)
  and completed_at >= coalesce(:answered_after::timestamptz, '-infinity')
  and completed_at < coalesce(:answered_before::timestamptz, 'infinity')
  and (:type::text is null or type = :type)
order by completed_at, task_id limit :limit

-- correction_statistics
-- Everything from one walk along the index of corrections.
with seen as materialized (
    select t.task_id, t.type, t.draft, t.result, (t.context -> 'agent' ->> 'confidence')::double precision as confidence
    from tasks t
    where t.draft is not null and t.decided_by = 'person' and t.completed_at is not null
      and t.completed_at >= :answered_after and t.completed_at < :answered_before
      and (:type::text is null or t.type = :type)
      and (:agent::text is null or t.context -> 'agent' ->> 'name' = :agent)
      and (:model::text is null or t.context -> 'agent' ->> 'model' = :model)
      and (:prompt_version::text is null or t.context -> 'agent' ->> 'prompt_version' = :prompt_version)
), fields as materialized (
    select s.task_id, s.type, p.name as field, (p.proposal ->> 'confidence')::double precision as confidence,
           s.result -> p.name is null as is_emptied,
           coalesce((p.proposal -> 'value')::jsonb = (s.result -> p.name)::jsonb, false) as is_kept
    from seen s, json_each(s.draft) as p (name, proposal)
), answers as materialized (
    select s.task_id, s.confidence, bool_and(f.is_kept) as is_kept
    from seen s join fields f on f.task_id = s.task_id group by s.task_id, s.confidence
)
select json_build_object(
    'answered', (select count(*) from answers),
    'kept', (select count(*) from answers where is_kept),
    'fields', coalesce((
        select json_agg(one) from (
            select type, field, count(*) as drafted, count(*) filter (where is_kept) as kept,
                   count(*) filter (where is_emptied) as emptied, avg(confidence) as mean_confidence
            from fields group by type, field order by count(*) desc, type nulls first, field limit :most
        ) one), '[]'),
    'confidences', coalesce((
        select json_agg(json_build_array(hundredths, answered, kept)) from (
            select floor(round((confidence * 100)::numeric, 6))::integer as hundredths, count(*) as answered,
                   count(*) filter (where is_kept) as kept
            from answers where confidence is not null group by 1
        ) one), '[]'))

-- task_figures
-- Every figure of the tasks that were asked in a time, from one walk along the index of the newest: what is counted over
-- all of them in one pass, and what lies in their JSON from columns that are generated with the row.
with seen as materialized (
    select t.status, t.created_at, t.completed_at, t.assignee, t.completed_by, t.decided_by, t.candidate_groups,
           extract(epoch from t.time_to_claim)::float8 as to_claim, extract(epoch from t.time_active)::float8 as active,
           nullif(extract(epoch from t.time_waiting), 0)::float8 as waiting,
           nullif(extract(epoch from t.time_paused), 0)::float8 as paused,
           t.status = 'completed' and t.decided_by = 'person' as is_answered,
           t.sla_breached, t.sla_level, t.drafted
    from unnest(:statuses::text[]) as s (status)
    cross join lateral (
        select v.task_id from task_audience v
        where v.audience = 'all' and v.status = s.status and v.created_at > '-infinity'
          and v.created_at >= :since and v.created_at < :until
    ) as a
    join tasks t on t.task_id = a.task_id
    where (:type::text is null or t.type = :type)
      and (:group::text is null or :group = any(t.candidate_groups))
), counted as (
    select count(*) as asked, count(*) filter (where status in ('open', 'claimed', 'waiting')) as live,
           count(*) filter (where status = 'completed') as completed,
           count(*) filter (where status = 'completed' and decided_by = 'policy') as completed_by_policy,
           count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'expired') as expired,
           count(sla_breached) as with_sla, count(*) filter (where sla_breached) as breached,
           count(*) filter (where sla_level > 0) as escalated,
           json_build_array(
               count(to_claim) filter (where completed_at is not null or status = 'claimed'),
               percentile_cont(array[0.5, 0.95]) within group (order by to_claim)
                   filter (where completed_at is not null or status = 'claimed')) as time_to_claim,
           json_build_array(
               count(*) filter (where is_answered),
               percentile_cont(array[0.5, 0.95]) within group (order by coalesce(to_claim, 0) + coalesce(active, 0))
                   filter (where is_answered)) as time_to_complete,
           json_build_array(
               count(active) filter (where is_answered),
               percentile_cont(array[0.5, 0.95]) within group (order by active) filter (where is_answered)) as time_active,
           json_build_array(
               count(waiting), percentile_cont(array[0.5, 0.95]) within group (order by waiting)) as time_waiting,
           json_build_array(
               count(paused), percentile_cont(array[0.5, 0.95]) within group (order by paused)) as time_paused
    from seen
), made as (
    select drafted ->> 'agent' as agent, drafted ->> 'model' as model, drafted ->> 'prompt_version' as prompt_version,
           (drafted -> 'proposed')::int as proposed, (drafted -> 'kept')::int as kept
    from seen where drafted is not null
)
select to_jsonb(counted) || jsonb_build_object(
    'days', (select coalesce(json_agg(json_build_object('day', day, 'asked', asked, 'completed', completed) order by day), '[]')
             from (select day, sum(asked) as asked, sum(completed) as completed
                   from (select (created_at at time zone :zone)::date as day, 1 as asked, 0 as completed from seen
                         union all
                         select (completed_at at time zone :zone)::date, 0, 1 from seen where status = 'completed') as happened
                   group by 1) as days),
    'people', (select coalesce(json_agg(json_build_object('user_id', person, 'claimed', claimed, 'completed', completed)), '[]')
               from (select person, sum(claimed) as claimed, sum(completed) as completed
                     from (select assignee as person, 1 as claimed, 0 as completed from seen where status = 'claimed'
                           union all
                           select completed_by, 0, 1 from seen where is_answered) as held
                     where person is not null
                     group by 1 order by sum(claimed) + sum(completed) desc, 1 limit :most) as people),
    'groups', (select coalesce(json_agg(json_build_object('group_id', name, 'open', open, 'claimed', claimed, 'completed', completed)), '[]')
               from (select name, count(*) filter (where status = 'open') as open, count(*) filter (where status = 'claimed') as claimed,
                            count(*) filter (where status = 'completed') as completed
                     from (select unnest(candidate_groups) as name, status from seen) as offered
                     group by 1 order by count(*) desc, 1 limit :most) as groups),
    'drafts', (select coalesce(json_agg(json_build_object('agent', agent, 'model', model, 'prompt_version', prompt_version,
                                        'answered', answered, 'edited', edited, 'overridden', overridden)), '[]')
               from (select agent, model, prompt_version, count(*) as answered,
                            count(*) filter (where kept < proposed) as edited, count(*) filter (where kept = 0) as overridden
                     from made where proposed > 0
                     group by 1, 2, 3 order by count(*) desc, 1, 2, 3 limit :most) as drafts)
) as figures
from counted

-- redeem_receipt
-- The one conditional update of a redemption: unused and in time, or used by this very use before. History says the first.
with redeemed as (
    update tasks set
        redeemed_use_id = coalesce(redeemed_use_id, :use_id), redeemed_by = coalesce(redeemed_by, :subject),
        redeemed_at = coalesce(redeemed_at, clock_timestamp()),
        history_length = history_length + case when redeemed_at is null then 1 else 0 end
    where task_id = :task_id and receipt is not null and receipt ->> 'token' = :token
      and ((redeemed_at is null and clock_timestamp() < :expires_at)
           or (redeemed_use_id = :use_id and redeemed_by = :subject))
    returning new.*, old.redeemed_at is null as is_first
), noted as (
    insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, after)
    select tenant_id, task_id, history_length, 'receipt_redeemed', redeemed_at, redeemed_by, :door,
           json_build_object('use_id', redeemed_use_id)
    from redeemed where is_first
)
select task_id, redeemed_use_id as use_id, redeemed_at from redeemed

-- redemption
-- What became of a receipt that could not be redeemed.
select * from tasks where task_id = :task_id and receipt ->> 'token' = :token

-- create_calendar
-- A second calendar of the same id, or of the same group, inserts nothing and returns nothing.
insert into calendars (tenant_id, calendar_id, name, group_id, working_hours, version, created_at, updated_at, updated_by)
values (:tenant_id, :calendar_id, :name, :group_id, :working_hours, 1, clock_timestamp(), clock_timestamp(), :updated_by)
on conflict do nothing
returning *

-- get_calendar
select * from calendars where calendar_id = :calendar_id

-- calendar_of_group
select * from calendars where group_id = :group_id

-- list_calendars
select * from calendars
where calendar_id > :after and (:group_id::text is null or group_id = :group_id)
order by calendar_id limit :limit

-- update_calendar
update calendars set
    name = :name, group_id = :group_id, working_hours = :working_hours, version = version + 1,
    updated_at = clock_timestamp(), updated_by = :updated_by
where calendar_id = :calendar_id and (:version::bigint is null or version = :version)
returning *

-- delete_calendar
delete from calendars where calendar_id = :calendar_id and (:version::bigint is null or version = :version)
returning *

-- create_view
insert into views (tenant_id, view_id, name, owner, group_id, filter, version, created_at, updated_at, updated_by)
values (:tenant_id, :view_id, :name, :owner, :group_id, :filter, 1, clock_timestamp(), clock_timestamp(), :owner)
returning *

-- get_view
select * from views where view_id = :view_id

-- list_views
select * from views
where view_id > :after
  and (owner = :subject or group_id = any (:groups::text[]) or (:manages::boolean and group_id is not null))
order by view_id limit :limit

-- lock_view
select * from views where view_id = :view_id for update

-- update_view
update views set
    name = :name, group_id = :group_id, filter = :filter, version = version + 1,
    updated_at = clock_timestamp(), updated_by = :updated_by
where view_id = :view_id
returning *

-- delete_view
delete from views where view_id = :view_id

-- remember_substitution
insert into substitutions (tenant_id, user_id, substitute, begins_at, ends_at, task_types, version)
values (
    :tenant_id, :user_id, :substitute, coalesce(:begins_at::timestamptz, '-infinity'),
    coalesce(:ends_at::timestamptz, 'infinity'), :task_types, :version
)
on conflict (tenant_id, user_id) do update set
    substitute = excluded.substitute, begins_at = excluded.begins_at, ends_at = excluded.ends_at,
    task_types = excluded.task_types, version = excluded.version
where substitutions.version < excluded.version

-- absences_before
-- Who is away now and leads to the person, directly or by others who are away; a circle ends by itself.
with recursive reached as (
    select s.user_id, s.substitute, s.task_types
    from substitutions s
    where s.substitute = :subject and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
    union
    select s.user_id, s.substitute, s.task_types
    from reached r
    join substitutions s on s.substitute = r.user_id
    where s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
)
select user_id, substitute, task_types from reached

-- absences_after
-- Who of these people is away now, and who of their substitutes; a circle ends by itself.
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
select user_id, substitute, task_types from reached

-- note_heard
insert into heard as h (consumer, handed_over) values (:consumer, :handed_over)
on conflict (consumer) do update set handed_over = greatest(h.handed_over, excluded.handed_over)

-- compare_heard
-- What the broker has handed over and is not in the copies was lost with them; so was all of a stream that is gone.
-- A durable consumer that was made anew counts from one again.
insert into heard as h (consumer, stream_created, handed_over, is_old)
values (:consumer, :stream_created, :handed_over::bigint, :handed_over::bigint > 0)
on conflict (consumer) do update set
    is_old = h.is_old or h.handed_over < excluded.handed_over or h.stream_created is distinct from excluded.stream_created,
    stream_created = excluded.stream_created,
    handed_over = case when h.stream_created is distinct from excluded.stream_created or excluded.handed_over = 0
                       then excluded.handed_over else greatest(h.handed_over, excluded.handed_over) end
returning is_old

-- copies_are_old
select is_old from heard where consumer = :consumer

-- copies_are_new
update heard set is_old = false where consumer = :consumer

-- lock_routing_groups
-- Those of the groups that give work to their members: each gives one task at a time.
select group_id, strategy, max_open_tasks, skills, turn from groups
where group_id = any (:groups::text[]) and strategy <> 'pull'
order by group_id for update

-- rosters
-- Who could be given the task: how many live tasks are theirs beside it, and whether they are away for its type.
select m.group_id, m.user_id, coalesce(p.skills, '{}') as skills, p.max_open_tasks,
       exists (
           select from substitutions s
           where s.user_id = m.user_id and s.substitute is not null
             and s.begins_at <= clock_timestamp() and s.ends_at > clock_timestamp()
             and (s.task_types = '{}' or :type::text = any (s.task_types))) as is_away,
       (select count(*) from unnest(array['open', 'claimed', 'waiting']) as l (status)
        join task_audience v on v.audience = 'user:' || m.user_id and v.status = l.status and v.offered
        join tasks t on t.task_id = v.task_id
        where t.assignee = m.user_id and v.task_id <> :task_id) as load
from members m
left join people p on p.user_id = m.user_id
where m.group_id = any (:groups::text[]) and coalesce(p.status, 'active') = 'active'

-- worked_before
-- Who worked on tasks of the same correlation, last first.
select coalesce(t.completed_by, t.assignee)
from task_terms k
join tasks t on t.task_id = k.task_id
where k.kind = 'correlation' and k.term = :correlation and k.task_id <> :task_id
  and coalesce(t.completed_by, t.assignee) is not null
order by t.updated_at desc, t.task_id desc limit 50

-- take_turn
update groups set turn = :user_id where group_id = :group_id

-- begin_attachment
insert into task_attachments (
    tenant_id, task_id, attachment_id, name, media_type, field, created_by, created_by_name, created_at, door, max_size, store)
select tenant_id, task_id, :attachment_id, :name, :media_type, :field, :created_by, :created_by_name, :created_at, :door,
       :max_size, :store
from tasks where task_id = :task_id
returning *

-- count_attachments
-- With those on their way.
select count(*) from task_attachments where task_id = :task_id

-- attachment
select * from task_attachments where task_id = :task_id and attachment_id = :attachment_id

-- lock_attachment
select * from task_attachments where task_id = :task_id and attachment_id = :attachment_id for update

-- finished_attachment
select * from task_attachments where task_id = :task_id and attachment_id = :attachment_id and finished_at is not null

-- task_attachments
select attachment_id, task_id, name, media_type, size, sha256, field, created_by, created_by_name, created_at
from task_attachments where task_id = :task_id and finished_at is not null order by attachment_id

-- note_part
update task_attachments set parts = :parts, size = :size where task_id = :task_id and attachment_id = :attachment_id

-- close_attachment
-- From now on no part is taken, so that what is looked at is what is attached.
update task_attachments set closed_at = coalesce(closed_at, now()) where task_id = :task_id and attachment_id = :attachment_id

-- finish_attachment
with finished as (
    update task_attachments set sha256 = :sha256, finished_at = :at
    where task_id = :task_id and attachment_id = :attachment_id and closed_at is not null and finished_at is null
    returning *
), told as (
    update tasks set history_length = history_length + 1
    where task_id = :task_id and exists (select from finished)
    returning tenant_id, task_id, history_length
), noted as (
    insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, after)
    select tenant_id, task_id, history_length, 'attached', :at, :actor, :door, :after::json from told
)
select attachment_id, task_id, name, media_type, size, sha256, field, created_by, created_by_name, created_at from finished

-- remove_attachment
with gone as (
    delete from task_attachments where task_id = :task_id and attachment_id = :attachment_id and finished_at is not null
    returning task_id
), told as (
    update tasks set history_length = history_length + 1
    where task_id = :task_id and exists (select from gone)
    returning tenant_id, task_id, history_length
)
insert into task_history (tenant_id, task_id, sequence, event, at, actor, door, before)
select tenant_id, task_id, history_length, 'attachment_removed', :at, :actor, :door, :before::json from told

-- drop_attachment
delete from task_attachments where task_id = :task_id and attachment_id = :attachment_id and finished_at is null

-- put_chunk
-- Where the file is still on its way: nothing that was looked at is written over.
insert into task_attachment_chunks (tenant_id, task_id, attachment_id, number, digest, content)
select tenant_id, task_id, attachment_id, :number, :digest, :content
from task_attachments where task_id = :task_id and attachment_id = :attachment_id and closed_at is null
on conflict do nothing

-- read_chunk
select substring(content from :start for :length)
from task_attachment_chunks
where task_id = :task_id and attachment_id = :attachment_id and number = :number and digest = :digest

-- drop_other_chunks
-- Parts that were sent again with other bytes.
delete from task_attachment_chunks c
where task_id = :task_id and attachment_id = :attachment_id
  and not exists (select from unnest(:numbers::int[], :digests::text[]) as p (number, digest)
                  where p.number = c.number and p.digest = c.digest)

-- unfinished_attachments
-- Files that were begun and left; for the role of the sweep.
select tenant_id, task_id, attachment_id from task_attachments
where finished_at is null and created_at < now() - :age::interval order by created_at limit :limit

-- attachment_leftovers
-- What has yet to go from a store outside; for the role of the sweep.
select tenant_id, task_id, attachment_id, store from task_attachment_leftovers order by noted_at limit :limit

-- drop_stale_attachment
delete from task_attachments
where task_id = :task_id and attachment_id = :attachment_id and finished_at is null and created_at < now() - :age::interval

-- forget_leftover
delete from task_attachment_leftovers where task_id = :task_id and attachment_id = :attachment_id

-- forgettable_tasks
-- Ended before a time, with an end that is known to whoever waited for it and no receipt that may still be used.
-- By when they were opened, of each kind of end for itself, so that an index serves it.
select t.task_id, t.workflow_id from task_audience a
join tasks t on t.tenant_id = a.tenant_id and t.task_id = a.task_id
where a.tenant_id = :tenant_id and a.audience = 'all' and a.status = :status
and a.created_at > '-infinity' and a.created_at < :ended_before and a.task_id > :after
and t.status = :status and coalesce(t.completed_at, t.updated_at) < :ended_before and t.told_at is null
and (t.receipt is null or t.redeemed_at is not null or (t.receipt ->> 'expires_at')::timestamptz < now())
order by a.task_id limit :limit

-- still_forgettable
-- Of these the ones that nothing has changed about, locked.
select task_id from tasks
where tenant_id = :tenant_id and task_id = any(:task_ids) and status in ('completed', 'cancelled', 'expired')
and coalesce(completed_at, updated_at) < :ended_before and told_at is null
and (receipt is null or redeemed_at is not null or (receipt ->> 'expires_at')::timestamptz < now())
order by task_id for update

-- forget_tasks
select forget_tasks(:tenant_id, :task_ids)

-- forget_answers
select forget_answers(:tenant_id, :principal, :about)

-- erase_told_reasons
select erase_told_reasons(:tenant_id, :user_id)

-- erase_comments
-- That there was a comment stays, and when.
with written as (
    select task_id, comment_id from task_comments
    where tenant_id = :tenant_id and author = :user_id and (text <> '' or author_name is not null)
    order by comment_id limit :limit for update
)
update task_comments c set text = '', author_name = null from written w
where c.tenant_id = :tenant_id and c.task_id = w.task_id and c.comment_id = w.comment_id

-- erase_entries
-- The words of entries that a person gave any; digests stay, so that the chain holds and says what was erased.
with written as (
    select task_id, sequence, reason from task_history
    where tenant_id = :tenant_id and actor = :user_id
    and (reason is not null or event in ('changes_requested', 'answered'))
    and num_nonnulls(reason, before, after) > 0
    order by task_id, sequence limit :limit for update
)
update task_history h set reason = null, before = null, after = null from written w
where h.tenant_id = :tenant_id and h.task_id = w.task_id and h.sequence = w.sequence
returning w.task_id, w.reason

-- erase_questions
-- Entries of others repeat what was asked about changes; the task itself still says what they wrote.
update task_history set reason = null, before = null, after = null
where tenant_id = :tenant_id and task_id = any(:task_ids)
and position('"change_requests":[{' in concat(before, after)) > 0

-- erase_words_of_tasks
-- What was asked and answered about changes, why it was done, and what was typed and not sent.
update tasks t set
    change_requests = coalesce((
        select json_agg(
            (one::jsonb
                || case when one ->> 'asked_by' = :user_id then '{"message": ""}'::jsonb else '{}' end
                || case when one ->> 'answered_by' = :user_id then '{"answer": ""}'::jsonb else '{}' end
            )::json order by place)
        from json_array_elements(t.change_requests) with ordinality asked (one, place)), '[]'),
    reason = case when t.reason = any(:reasons) then null else t.reason end
where t.tenant_id = :tenant_id and t.task_id = any(:task_ids)

-- erase_saved
with held as (
    select task_id from tasks
    where tenant_id = :tenant_id and assignee = :user_id and saved is not null
    and status in ('completed', 'cancelled', 'expired')
    order by task_id limit :limit for update
)
update tasks t set saved = null, saved_at = null from held h where t.tenant_id = :tenant_id and t.task_id = h.task_id

-- erase_attachers
with attached as (
    select task_id, attachment_id from task_attachments
    where tenant_id = :tenant_id and created_by = :user_id and created_by_name is not null
    order by task_id limit :limit for update
)
update task_attachments f set created_by_name = null from attached a
where f.tenant_id = :tenant_id and f.task_id = a.task_id and f.attachment_id = a.attachment_id

-- erase_copy_of_person
update people set email = :email where tenant_id = :tenant_id and user_id = :user_id and email <> :email
