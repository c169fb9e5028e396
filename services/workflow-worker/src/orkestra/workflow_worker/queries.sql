-- newest_definition
select *, xmin::text as seen from definitions where name = :name order by version desc limit 1;

-- get_definition
select *, xmin::text as seen from definitions where name = :name and version = :version;

-- versions_of_definition
select * from definitions where name = :name order by version desc;

-- newest_definitions
select distinct on (name) * from definitions order by name, version desc;

-- definition_names
select distinct name from definitions order by name;

-- register_definition
-- A registered (name, version) keeps its schemas and its histories' format; what does not change the contract may
-- change.
insert into definitions (
    name, version, description, task_queue, input_schema, output_schema, forms, start_roles, history_format
) values (
    :name, :version, :description, :task_queue, :input_schema, :output_schema, :forms, :start_roles, :history_format
)
on conflict on constraint definitions_pk do update set
    description = excluded.description,
    task_queue = excluded.task_queue,
    input_schema = excluded.input_schema,
    output_schema = excluded.output_schema,
    forms = excluded.forms,
    start_roles = excluded.start_roles
returning *;

-- insert_run
-- Returns no row while another run with this business id is running, and where the definition is not as it was `seen`:
-- PostgreSQL gives a row another xmin with each change. Where the newest was wanted, it has to be the newest still.
insert into runs (
    tenant_id, workflow_id, definition, version, input, business_id, tags, search_attributes, handoff,
    requested_by, on_behalf_of, task_queue, start_at, traceparent, schedule_id
)
select
    :tenant_id, 'wf_' || replace(uuidv7()::text, '-', ''), :definition, :version, :input, :business_id, :tags,
    :search_attributes, :handoff, :requested_by, :on_behalf_of, :task_queue, now() + :start_delay::interval, :traceparent,
    :schedule_id
where :seen::text is null or (
    exists (select from definitions d where d.name = :definition and d.version = :version and d.xmin::text = :seen)
    and not (:is_newest and exists (select from definitions d where d.name = :definition and d.version > :version))
)
on conflict (tenant_id, business_id) where status = 'running' and business_id is not null do nothing
returning *;

-- newest_of_business_id
select * from runs where tenant_id = :tenant_id and business_id = :business_id order by workflow_id desc limit 1;

-- running_of_business_id
select * from runs where tenant_id = :tenant_id and business_id = :business_id and status = 'running';

-- get_run
-- With the first of its tasks that waits for the requester.
select r.*, case when r.status = 'running' then (
    select json_build_object('task_id', w.task_id, 'message', w.message)
    from waiting_tasks w
    where w.tenant_id = r.tenant_id and w.workflow_id = r.workflow_id and w.message is not null
    order by w.task_id
    limit 1
) end as answer_needed
from runs r
where r.tenant_id = :tenant_id and r.workflow_id = :workflow_id;

-- look_at_run
-- The same without a transaction around it: the function sets the tenant for its own statement.
select (seen.run).*, seen.answer_needed from look_at_run(:tenant_id, :workflow_id) seen;

-- note_waiting
-- What was asked by somebody who is erased since comes without the words; a minute is more than clocks differ.
insert into waiting_tasks (tenant_id, task_id, workflow_id, version, message, asked_by)
values (
    :tenant_id, :task_id, :workflow_id, :version,
    case when exists (
        select from erasures e
        where e.tenant_id = :tenant_id and e.user_id = :asked_by::text
        and e.requested_at > :asked_at::timestamptz - interval '1 minute'
    ) then '' else :message::text end,
    :asked_by::text
)
on conflict on constraint waiting_tasks_pk do update
set version = excluded.version, message = excluded.message, asked_by = excluded.asked_by
where waiting_tasks.version < excluded.version;

-- no_longer_waits
update waiting_tasks set version = :version, message = null, asked_by = null
where tenant_id = :tenant_id and task_id = :task_id and version < :version;

-- list_runs
-- With all of the labels asked for: a tag is a label without a name.
select * from runs r
where tenant_id = :tenant_id
  and workflow_id < :before
  and (:requested_by::text is null or requested_by = :requested_by)
  and (:status::text is null or status = :status)
  and (:definition::text is null or definition = :definition)
  and (:business_id::text is null or business_id = :business_id)
  and (:schedule_id::text is null or schedule_id = :schedule_id)
  and (:started_after::timestamptz is null or started_at >= :started_after)
  and (:started_before::timestamptz is null or started_at < :started_before)
  and not exists (
      select from unnest(:label_names::text[], :label_values::text[]) asked (name, value)
      where not exists (
          select from run_labels l
          where l.tenant_id = r.tenant_id and l.workflow_id = r.workflow_id
            and l.name = asked.name and l.value = asked.value
      )
  )
order by workflow_id desc
limit :page_size;

-- note_start
-- Without a transaction around it: the function sets the tenant for its own statement.
select * from note_start(:tenant_id, :workflow_id, :run_id);

-- request_cancel
update runs set
    cancel_requested_at = now(),
    cancel_reason = :reason,
    updated_at = now(),
    resource_version = resource_version + 1
where tenant_id = :tenant_id and workflow_id = :workflow_id and status = 'running' and cancel_requested_at is null
returning *;

-- reopen_run
-- The run goes on from an earlier step, and what ended it or asked it to stop is forgotten.
update runs set
    status = 'running', result = null, failure = null, closed_at = null,
    cancel_requested_at = null, cancel_reason = null, cancel_delivered_at = null
where tenant_id = :tenant_id and workflow_id = :workflow_id;

-- note_reset
update runs set run_id = :run_id, updated_at = now(), resource_version = resource_version + 1
where tenant_id = :tenant_id and workflow_id = :workflow_id
returning *;

-- note_cancel_delivered
update runs set cancel_delivered_at = now()
where tenant_id = :tenant_id and workflow_id = :workflow_id and cancel_delivered_at is null;

-- note_progress
update runs set
    progress = coalesce(:progress, progress),
    updated_at = now(),
    resource_version = resource_version + 1
where tenant_id = :tenant_id and workflow_id = :workflow_id and status = 'running'
returning *;

-- end_run
with ended as (
    update runs set
        status = :status,
        run_id = :run_id,
        result = :result,
        failure = case
            when :status::text = 'cancelled' and cancel_reason is not null
            then json_build_object('type', 'CANCELLED', 'message', cancel_reason)
            else :failure::json
        end,
        closed_at = now(),
        updated_at = now(),
        resource_version = resource_version + 1
    where tenant_id = :tenant_id and workflow_id = :workflow_id and status = 'running'
    returning *
), forgotten as (
    delete from waiting_tasks
    where tenant_id = :tenant_id and workflow_id = :workflow_id and exists (select from ended)
)
select * from ended;

-- sweep_unstarted
-- A start that is under way takes at most two seconds.
select * from runs
where status = 'running' and run_id is null and started_at < now() - interval '2 seconds'
order by started_at
limit 100;

-- sweep_uncancelled
select * from runs
where status = 'running' and cancel_requested_at < now() - interval '2 seconds' and cancel_delivered_at is null
  and run_id is not null
order by cancel_requested_at
limit 100;

-- sweep_oldest_running
select min(started_at) from runs where status = 'running';

-- sweep_running
select tenant_id, workflow_id from runs where workflow_id = any(:workflow_ids::text[]) and status = 'running';

-- insert_schedule
insert into schedules (
    tenant_id, schedule_id, definition, definition_version, input, cron, every, time_zone, overlap, paused, note, tags,
    search_attributes, requested_by, on_behalf_of
) values (
    :tenant_id, 'schedule_' || replace(uuidv7()::text, '-', ''), :definition, :definition_version, :input, :cron, :every,
    :time_zone, :overlap, :paused, :note, :tags, :search_attributes, :requested_by, :on_behalf_of
)
returning *;

-- get_schedule
select * from schedules where tenant_id = :tenant_id and schedule_id = :schedule_id and deleted_at is null;

-- list_schedules
select * from schedules
where tenant_id = :tenant_id
  and schedule_id < :before
  and deleted_at is null
  and (:requested_by::text is null or requested_by = :requested_by)
  and (:definition::text is null or definition = :definition)
  and (:paused::boolean is null or paused = :paused)
order by schedule_id desc
limit :page_size;

-- update_schedule
update schedules set
    paused = :paused, note = :note, overlap = :overlap, input = :input, cron = :cron, every = :every,
    time_zone = :time_zone, version = version + 1, updated_at = now()
where tenant_id = :tenant_id and schedule_id = :schedule_id and deleted_at is null
returning *;

-- delete_schedule
update schedules set deleted_at = now(), updated_at = now()
where tenant_id = :tenant_id and schedule_id = :schedule_id and deleted_at is null;

-- lock_schedule
-- Of two that fire, or make Temporal's as the row, the second waits for the first.
select * from schedules where tenant_id = :tenant_id and schedule_id = :schedule_id for update;

-- note_synced
update schedules set synced_version = version where tenant_id = :tenant_id and schedule_id = :schedule_id;

-- forget_schedule
delete from schedules where tenant_id = :tenant_id and schedule_id = :schedule_id and deleted_at is not null;

-- note_firing
update schedules set
    last_fired_at = now(),
    last_workflow_id = coalesce(:workflow_id::text, last_workflow_id),
    last_failure = :failure
where tenant_id = :tenant_id and schedule_id = :schedule_id
returning *;

-- running_of_schedule
select * from runs where tenant_id = :tenant_id and schedule_id = :schedule_id and status = 'running';

-- sweep_unsynced
-- Whoever changed it tries for two seconds itself.
select tenant_id, schedule_id from schedules
where (synced_version < version or deleted_at is not null) and updated_at < now() - interval '2 seconds'
order by updated_at
limit 100;

-- runs_after
select workflow_id from runs where tenant_id = :tenant_id and workflow_id > :after order by workflow_id limit :limit;

-- schedules_of_tenant
select schedule_id from schedules where tenant_id = :tenant_id;

-- get_retention
select *, now() as now from retention where tenant_id = :tenant_id;

-- lock_retention
select * from retention where tenant_id = :tenant_id for update;

-- put_retention
insert into retention as r (tenant_id, task_days, run_days, delivery_days, event_days, updated_by)
values (:tenant_id, :task_days, :run_days, :delivery_days, :event_days, :updated_by)
on conflict on constraint retention_pk do update set
    task_days = excluded.task_days, run_days = excluded.run_days, delivery_days = excluded.delivery_days,
    event_days = excluded.event_days, updated_by = excluded.updated_by, updated_at = now(), version = r.version + 1
returning *;

-- note_retention_synced
update retention set synced_version = version where tenant_id = :tenant_id;

-- note_retention_applied
update retention set applied_at = now() where tenant_id = :tenant_id;

-- sweep_unsynced_retention
select tenant_id from retention
where synced_version < version and updated_at < now() - interval '2 seconds' order by updated_at limit 100;

-- running_among
-- Of these runs the ones that go on.
select workflow_id from runs
where tenant_id = :tenant_id and workflow_id = any(:workflow_ids::text[]) and status = 'running';

-- forgettable_runs
select workflow_id from runs
where tenant_id = :tenant_id and closed_at < :closed_before and status <> 'running' order by closed_at limit :limit;

-- forget_runs
-- Labels go with their run. One that was reset meanwhile goes on, and stays.
with gone as (
    delete from runs
    where tenant_id = :tenant_id and workflow_id = any(:workflow_ids::text[]) and closed_at < :closed_before
    returning workflow_id
), waited as (
    delete from waiting_tasks w using gone g where w.tenant_id = :tenant_id and w.workflow_id = g.workflow_id
)
select workflow_id from gone;

-- insert_erasure
insert into erasures (tenant_id, erasure_id, user_id, requested_by, reason)
values (:tenant_id, 'erasure_' || replace(uuidv7()::text, '-', ''), :user_id, :requested_by, :reason)
on conflict (tenant_id, user_id) where status = 'running' do nothing
returning *;

-- running_erasure
select * from erasures where tenant_id = :tenant_id and user_id = :user_id and status = 'running';

-- get_erasure
select * from erasures where tenant_id = :tenant_id and erasure_id = :erasure_id;

-- lock_erasure
select * from erasures where tenant_id = :tenant_id and erasure_id = :erasure_id for update;

-- list_erasures
select * from erasures where tenant_id = :tenant_id and erasure_id < :before order by erasure_id desc limit :page_size;

-- note_erasure_started
update erasures set started_at = now() where tenant_id = :tenant_id and erasure_id = :erasure_id and started_at is null;

-- note_erased
update erasures set
    parts = :parts, counted = :counted,
    status = case when :is_done then 'done' else status end,
    done_at = case when :is_done then now() end
where tenant_id = :tenant_id and erasure_id = :erasure_id;

-- erase_answers
select forget_answers(:tenant_id, :principal);

-- hold_off_erasures
-- Until commit nothing is erased. Stands alone and before what writes, so that what it waited for is seen.
select pg_advisory_xact_lock_shared(hashtextextended('waiting ' || current_setting('app.tenant_id'), 0));

-- begin_erasure
-- Waits for those who hold erasures off, and has them wait until commit.
select pg_advisory_xact_lock(hashtextextended('waiting ' || current_setting('app.tenant_id'), 0));

-- erase_asked
-- That somebody waits for an answer stays.
update waiting_tasks set message = ''
where tenant_id = :tenant_id and asked_by = :user_id and message <> '';

-- sweep_unstarted_erasures
select tenant_id, erasure_id from erasures
where started_at is null and requested_at < now() - interval '2 seconds' order by requested_at limit 100;
