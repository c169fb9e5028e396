-- migrate:up

alter table escalation_checks
    add column task_status text,
    add column outcome     text,
    add column decided_by  text,
    add column kept_draft  boolean,
    add column ended_at    timestamptz,
    add constraint escalation_checks_task_status_known check (task_status in ('completed', 'cancelled', 'expired')),
    add constraint escalation_checks_decided_by_known check (decided_by in ('person', 'policy')),
    add constraint escalation_checks_ended_whole check (num_nulls(task_status, ended_at) in (0, 2));

create index escalation_checks_by_task on escalation_checks (tenant_id, task_id) where task_id is not null;
create index escalation_checks_by_time on escalation_checks (tenant_id, checked_at desc, check_id desc);
create index escalation_checks_by_topic on escalation_checks (tenant_id, topic, checked_at desc, check_id desc);
create index escalation_checks_by_asker on escalation_checks (tenant_id, checked_by, checked_at desc, check_id desc);

-- migrate:down
