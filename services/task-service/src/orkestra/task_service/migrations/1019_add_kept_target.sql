-- migrate:up

alter table escalation_policies
    add column kept_target double precision,
    add constraint escalation_policies_kept_target_is_a_share check (kept_target between 0 and 1) not valid;
alter table escalation_policies validate constraint escalation_policies_kept_target_is_a_share;

-- migrate:down
