-- create_tenant
insert into tenants (tenant_id, slug, name)
values (:tenant_id, :slug, :name)
on conflict (slug) do nothing
returning *

-- get_tenant
select * from tenants where tenant_id = :tenant_id

-- delete_tenant
-- A suspended one alone: resumed meanwhile, it stays.
delete from tenants where tenant_id = :tenant_id and status = 'suspended' returning tenant_id

-- keep_deletion
insert into deleted_tenants (deletion_id, deleted_tenant, slug, deleted_by, reason, door)
values ('deletion_' || replace(uuidv7()::text, '-', ''), :tenant_id, :slug, :deleted_by, :reason, :door)
returning *, deleted_tenant as tenant_id

-- list_deletions
-- Newest first: ids begin with their time.
select *, deleted_tenant as tenant_id from deleted_tenants
where deletion_id < :before
order by deletion_id desc
limit :limit

-- list_tenants
-- Across tenants, for operators: runs as identity_lookup.
select * from tenants
where slug > :after
order by slug
limit :limit

-- create_user
insert into users (tenant_id, user_id, email, email_key, name, roles, locale, time_zone, password_hash)
values (
    :tenant_id, 'user_' || replace(uuidv7()::text, '-', ''), :email, :email_key, :name, :roles, :locale, :time_zone,
    :password_hash
)
on conflict (tenant_id, email_key) do nothing
returning user_id

-- find_users
-- People by id or by address; both lists may be empty.
select
    u.*,
    array(
        select m.group_id from memberships as m
        where m.tenant_id = u.tenant_id and m.user_id = u.user_id
        order by m.group_id
    ) as groups
from users as u
where u.tenant_id = :tenant_id and (u.user_id = any(:user_ids) or u.email_key = any(:email_keys))

-- list_users
select
    u.*,
    array(
        select m.group_id from memberships as m
        where m.tenant_id = u.tenant_id and m.user_id = u.user_id
        order by m.group_id
    ) as groups
from users as u
where u.tenant_id = :tenant_id and u.email_key > :after
order by u.email_key
limit :limit

-- create_group
-- The id of a deleted group may be used again; its version goes on, so that copies elsewhere take the new one.
insert into groups as g (tenant_id, group_id, name, strategy, max_open_tasks, skills)
values (:tenant_id, :group_id, :name, coalesce(:strategy, 'pull'), :max_open_tasks, :skills)
on conflict (tenant_id, group_id) do update set
    name = excluded.name, strategy = excluded.strategy, max_open_tasks = excluded.max_open_tasks,
    skills = excluded.skills, created_at = now(), deleted_at = null, version = g.version + 1
where g.deleted_at is not null
returning group_id

-- get_group
select
    g.*,
    array(
        select m.user_id from memberships as m
        where m.tenant_id = g.tenant_id and m.group_id = g.group_id
        order by m.user_id
    ) as members
from groups as g
where g.tenant_id = :tenant_id and g.group_id = :group_id and g.deleted_at is null

-- list_groups
select
    g.*,
    array(
        select m.user_id from memberships as m
        where m.tenant_id = g.tenant_id and m.group_id = g.group_id
        order by m.user_id
    ) as members
from groups as g
where g.tenant_id = :tenant_id and g.group_id > :after and g.deleted_at is null
order by g.group_id
limit :limit

-- lock_group
-- Changes of one group's membership follow each other, so that its version counts them.
select group_id from groups
where tenant_id = :tenant_id and group_id = :group_id and deleted_at is null
for update

-- update_group
update groups set
    name = coalesce(:name, name),
    strategy = coalesce(:strategy, strategy),
    max_open_tasks = case when :max_open_tasks::integer is null then max_open_tasks else nullif(:max_open_tasks, 0) end,
    skills = :skills,
    version = version + 1
where tenant_id = :tenant_id and group_id = :group_id

-- delete_group
update groups set deleted_at = now(), version = version + 1 where tenant_id = :tenant_id and group_id = :group_id

-- remove_members
delete from memberships where tenant_id = :tenant_id and group_id = :group_id

-- raise_group_version
update groups set version = version + 1 where tenant_id = :tenant_id and group_id = :group_id

-- add_member
insert into memberships (tenant_id, group_id, user_id)
values (:tenant_id, :group_id, :user_id)
on conflict do nothing
returning user_id

-- remove_member
delete from memberships
where tenant_id = :tenant_id and group_id = :group_id and user_id = :user_id
returning user_id

-- create_api_key
insert into api_keys (
    tenant_id, key_id, key_hash, prefix, name, kind, roles, on_behalf_of, allowed_ips, created_by, expires_at
)
values (
    :tenant_id, 'key_' || replace(uuidv7()::text, '-', ''), :key_hash, :prefix, :name, :kind, :roles, :on_behalf_of,
    :allowed_ips, :created_by, :expires_at
)
returning *

-- get_api_key
select * from api_keys where tenant_id = :tenant_id and key_id = :key_id

-- list_api_keys
-- Newest first: key ids begin with their time.
select * from api_keys
where tenant_id = :tenant_id and key_id < :before
order by key_id desc
limit :limit

-- update_api_key
update api_keys set
    name = coalesce(:name, name),
    on_behalf_of = :on_behalf_of,
    allowed_ips = :allowed_ips,
    expires_at = coalesce(:expires_at, expires_at),
    version = version + 1
where tenant_id = :tenant_id and key_id = :key_id and revoked_at is null
returning *

-- lock_api_key
select key_id from api_keys where tenant_id = :tenant_id and key_id = :key_id for update

-- revoke_api_key
update api_keys set revoked_at = now(), version = version + 1
where tenant_id = :tenant_id and key_id = :key_id and revoked_at is null
returning *

-- note_api_key_use
update api_keys set last_used_at = now()
where
    tenant_id = :tenant_id and key_id = :key_id
    and (last_used_at is null or last_used_at < now() - interval '1 minute')

-- find_api_key
-- Whose key this is, on PostgreSQL's clock: runs as identity_lookup.
select
    k.tenant_id, k.key_id, k.name, k.kind, k.roles, k.on_behalf_of, k.allowed_ips,
    k.revoked_at is not null as revoked,
    coalesce(k.expires_at <= now() or (k.key_hash <> :hash and k.previous_until <= now()), false) as expired,
    k.last_used_at is null or k.last_used_at < now() - interval '1 minute' as use_is_news,
    t.status as tenant_status
from api_keys as k
inner join tenants as t on t.tenant_id = k.tenant_id
where k.key_hash = :hash or k.previous_hash = :hash

-- find_api_key_by_id
-- The same of a key whose holder an outside issuer has named: runs as identity_lookup.
select
    k.tenant_id, k.key_id, k.name, k.kind, k.roles, k.on_behalf_of, k.allowed_ips,
    k.revoked_at is not null as revoked,
    coalesce(k.expires_at <= now(), false) as expired,
    k.last_used_at is null or k.last_used_at < now() - interval '1 minute' as use_is_news,
    t.status as tenant_status
from api_keys as k
inner join tenants as t on t.tenant_id = k.tenant_id
where k.tenant_id = :tenant_id and k.key_id = :key_id

-- find_session
-- Whose session this is, on PostgreSQL's clock: runs as identity_lookup.
select
    s.tenant_id, s.user_id, u.name, u.roles, u.status as user_status, t.status as tenant_status,
    s.ended_at is not null or s.expires_at <= now() as ended,
    array(
        select m.group_id from memberships as m
        where m.tenant_id = s.tenant_id and m.user_id = s.user_id
        order by m.group_id
    ) as groups
from sessions as s
inner join users as u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
inner join tenants as t on t.tenant_id = s.tenant_id
where s.token_hash = :hash

-- find_good_sessions
-- Those of many sessions that let somebody in, on PostgreSQL's clock: runs as identity_lookup.
select
    s.token_hash, s.tenant_id, s.user_id, u.roles,
    array(
        select m.group_id from memberships as m
        where m.tenant_id = s.tenant_id and m.user_id = s.user_id
        order by m.group_id
    ) as groups
from sessions as s
inner join users as u on u.tenant_id = s.tenant_id and u.user_id = s.user_id
inner join tenants as t on t.tenant_id = s.tenant_id
where s.token_hash = any (:hashes::text[]) and s.ended_at is null and s.expires_at > now()
    and u.status = 'active' and t.status = 'active'

-- find_installation_key
-- The key's name, and whether the tenant to act in exists: runs as identity_lookup.
select k.name, exists (select from tenants as t where t.tenant_id = :tenant_id) as tenant_exists
from installation_keys as k
where k.key_hash = :hash

-- find_sign_in
-- Everyone with this address (in one tenant, where its slug is given): runs as identity_lookup.
select u.tenant_id, u.user_id, u.password_hash, u.status as user_status, t.status as tenant_status, t.slug
from users as u
inner join tenants as t on t.tenant_id = u.tenant_id
where u.email_key = :email_key and (:slug::text is null or t.slug = :slug)
order by u.created_at, u.tenant_id
limit 8

-- get_lock
-- Seconds for which this address is locked; no row where it is not.
select extract(epoch from locked_until - now())::float8 as seconds
from sign_in_failures
where email_hash = :email_hash and locked_until > now()

-- count_failure
-- A day without failures begins a new count; while the address is locked nothing is counted.
insert into sign_in_failures as f (email_hash, failures)
values (:email_hash, 1)
on conflict (email_hash) do update set
    failures = case
        when f.locked_until > now() then f.failures
        when f.last_failed_at < now() - interval '1 day' then 1
        else f.failures + 1
    end,
    last_failed_at = now()
returning failures, coalesce(extract(epoch from f.locked_until - now())::float8, 0) as locked_seconds

-- lock_sign_in
update sign_in_failures set locked_until = now() + :wait::interval where email_hash = :email_hash

-- forget_failures
-- A lock set meanwhile by others who tried stays.
delete from sign_in_failures where email_hash = :email_hash and (locked_until is null or locked_until <= now())

-- forget_old_failures
-- Each failure takes a few forgotten ones away, so the table stays as small as the day's failures.
delete from sign_in_failures
where email_hash in (
    select email_hash from sign_in_failures
    where last_failed_at < now() - interval '1 day'
    order by last_failed_at
    limit 10
    for update skip locked
)

-- open_session
insert into sessions (tenant_id, session_id, token_hash, user_id, expires_at)
values (:tenant_id, 'session_' || replace(uuidv7()::text, '-', ''), :token_hash, :user_id, now() + :lifetime::interval)
returning expires_at

-- forget_ended_sessions
delete from sessions where tenant_id = :tenant_id and user_id = :user_id and expires_at <= now()

-- end_session
update sessions set ended_at = now() where tenant_id = :tenant_id and token_hash = :hash and ended_at is null

-- put_installation_key
insert into installation_keys as k (name, key_hash)
values (:name, :key_hash)
on conflict (name) do update set key_hash = excluded.key_hash, updated_at = now()
where k.key_hash <> excluded.key_hash

-- known_groups
select group_id from groups
where tenant_id = :tenant_id and group_id = any(:group_ids) and deleted_at is null

-- change_tenant_status
update tenants set status = :tenant_status, version = version + 1
where tenant_id = :tenant_id and status <> :tenant_status
returning *

-- update_tenant
update tenants set name = coalesce(:name, name), version = version + 1
where tenant_id = :tenant_id and (:version::bigint is null or version = :version)
returning *

-- lock_user
-- Changes of one person follow each other, and those of a tenant's admins too: the tenant always keeps one.
with locked as (
    select t.tenant_id from tenants as t where t.tenant_id = :tenant_id for no key update
)
select u.user_id from users as u
where u.tenant_id = :tenant_id and u.user_id = :user_id and exists (select from locked)
for update

-- find_other_admin
select user_id from users
where tenant_id = :tenant_id and user_id <> :user_id and status = 'active' and 'admin' = any(roles)
limit 1

-- update_user
update users set
    email = coalesce(:email, email),
    email_key = coalesce(:email_key, email_key),
    name = coalesce(:name, name),
    roles = coalesce(:roles, roles),
    locale = case when :locale::text is null then locale else nullif(:locale, '') end,
    time_zone = case when :time_zone::text is null then time_zone else nullif(:time_zone, '') end,
    status = coalesce(:status, status),
    skills = coalesce(:skills, skills),
    max_open_tasks = case when :max_open_tasks::integer is null then max_open_tasks else nullif(:max_open_tasks, 0) end,
    version = version + 1
where tenant_id = :tenant_id and user_id = :user_id

-- get_password
select password_hash, email_key from users where tenant_id = :tenant_id and user_id = :user_id

-- change_password
update users set password_hash = :password_hash, version = version + 1
where tenant_id = :tenant_id and user_id = :user_id

-- end_sessions
-- All of a person's but the one of this token.
update sessions set ended_at = now()
where tenant_id = :tenant_id and user_id = :user_id and token_hash <> :hash and ended_at is null

-- put_mail_link
-- The link before of the same purpose is replaced; one that is younger than a minute stays, and no row comes.
insert into mail_links as l (tenant_id, link_id, user_id, purpose, token_hash, expires_at)
values (:tenant_id, :link_id, :user_id, :purpose, :token_hash, now() + :lifetime::interval)
on conflict (tenant_id, user_id, purpose) do update set
    link_id = excluded.link_id, token_hash = excluded.token_hash, created_at = now(), expires_at = excluded.expires_at
where l.created_at < now() - interval '1 minute'
returning *

-- get_mail_link
select * from mail_links where tenant_id = :tenant_id and link_id = :link_id and expires_at > now()

-- find_mail_link
-- Whose link this is, on PostgreSQL's clock: runs as identity_lookup.
select l.tenant_id, l.user_id, u.email_key
from mail_links as l
inner join users as u on u.tenant_id = l.tenant_id and u.user_id = l.user_id
inner join tenants as t on t.tenant_id = l.tenant_id
where l.token_hash = :hash and l.expires_at > now() and u.status = 'active' and t.status = 'active'

-- use_mail_link
delete from mail_links where tenant_id = :tenant_id and token_hash = :hash and expires_at > now() returning purpose

-- forget_mail_links
delete from mail_links where tenant_id = :tenant_id and user_id = :user_id

-- rotate_api_key
-- Without an overlap the secret before is refused at once.
update api_keys set
    previous_hash = key_hash,
    previous_until = now() + :overlap::interval,
    key_hash = :key_hash,
    prefix = :prefix,
    expires_at = coalesce(:expires_at, expires_at),
    version = version + 1
where
    tenant_id = :tenant_id and key_id = :key_id and revoked_at is null
    and (expires_at is null or expires_at > now())
returning *

-- add_audit_entry
insert into audit_entries (
    tenant_id, entry_id, actor, actor_kind, action, resource, resource_id, before, after, door
)
values (
    :tenant_id, 'audit_' || replace(uuidv7()::text, '-', ''), :actor, :actor_kind, :action, :resource, :resource_id,
    :before, :after, :door
)

-- list_audit
-- Newest first: entry ids begin with their time.
select * from audit_entries
where
    tenant_id = :tenant_id and entry_id < :before
    and (:actor::text is null or actor = :actor)
    and (:action::text is null or action = :action)
    and (:resource_id::text is null or resource_id = :resource_id)
    and (:since::timestamptz is null or at >= :since)
    and (:until::timestamptz is null or at < :until)
order by entry_id desc
limit :limit

-- get_substitution
select * from substitutions where tenant_id = :tenant_id and user_id = :user_id

-- every_group
-- Deleted ones too: their members have left them.
select
    g.*, g.deleted_at is not null as is_deleted,
    array(
        select m.user_id from memberships as m
        where m.tenant_id = g.tenant_id and m.group_id = g.group_id
        order by m.user_id
    ) as members
from groups as g
where g.tenant_id = :tenant_id and g.group_id > :after
order by g.group_id
limit :limit

-- substitutions_of
select * from substitutions where tenant_id = :tenant_id and user_id = any (:user_ids) order by user_id

-- set_substitution
insert into substitutions as s (tenant_id, user_id, substitute, begins_at, ends_at, task_types)
values (:tenant_id, :user_id, :substitute, :begins_at, :ends_at, :task_types)
on conflict (tenant_id, user_id) do update set
    substitute = excluded.substitute, begins_at = excluded.begins_at, ends_at = excluded.ends_at,
    task_types = excluded.task_types, version = s.version + 1
returning *

-- find_linked_subject
-- Who a subject of an outside issuer is (in one tenant, where its slug is given): runs as identity_lookup.
select
    l.tenant_id, l.user_id, l.key_id, u.name, u.roles, u.status as user_status, t.status as tenant_status,
    array(
        select m.group_id from memberships as m
        where m.tenant_id = l.tenant_id and m.user_id = l.user_id
        order by m.group_id
    ) as groups
from linked_subjects as l
inner join tenants as t on t.tenant_id = l.tenant_id
left join users as u on u.tenant_id = l.tenant_id and u.user_id = l.user_id
where l.issuer = :issuer and l.subject = :subject and (:slug::text is null or t.slug = :slug)
order by l.created_at, l.tenant_id
limit 8

-- find_tenant_by_slug
-- Runs as identity_lookup.
select tenant_id, status from tenants where slug = :slug

-- link_subject
insert into linked_subjects (tenant_id, subject_id, issuer, subject, user_id, key_id)
values (:tenant_id, 'subject_' || replace(uuidv7()::text, '-', ''), :issuer, :subject, :user_id, :key_id)
on conflict do nothing
returning *, coalesce(user_id, key_id) as principal

-- list_linked_subjects
select *, coalesce(user_id, key_id) as principal from linked_subjects
where
    tenant_id = :tenant_id and subject_id > :after
    and (:principal::text is null or user_id = :principal or key_id = :principal)
order by subject_id
limit :limit

-- unlink_subject
delete from linked_subjects where tenant_id = :tenant_id and subject_id = :subject_id
returning *, coalesce(user_id, key_id) as principal

-- provider_groups
-- What the person's provider gave, and not a colleague.
select group_id from memberships where tenant_id = :tenant_id and user_id = :user_id and from_provider

-- mark_from_provider
update memberships set from_provider = true
where tenant_id = :tenant_id and group_id = :group_id and user_id = :user_id

-- erase_user
-- Who the person is: what stays is their id.
update users set
    email = :email, email_key = :email, name = :name, password_hash = null, locale = null, time_zone = null,
    skills = '{}', version = version + 1
where tenant_id = :tenant_id and user_id = :user_id and status = 'disabled' and email <> :email
returning user_id

-- erase_traces
-- What no role of this service may change: the audit's words of a person, and copies on their way to others.
select erase_traces(:tenant_id, :user_id, :words)

-- erase_substitutions
delete from substitutions where tenant_id = :tenant_id and (user_id = :user_id or substitute = :user_id)

-- erase_linked_subjects
delete from linked_subjects where tenant_id = :tenant_id and user_id = :user_id

-- erase_sessions
delete from sessions where tenant_id = :tenant_id and user_id = :user_id

-- groups_of_user
select group_id from memberships where tenant_id = :tenant_id and user_id = :user_id order by group_id

-- forget_answers
select forget_answers(:tenant_id, :principal)
