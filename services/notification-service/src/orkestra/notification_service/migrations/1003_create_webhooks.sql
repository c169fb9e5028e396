-- migrate:up

create table webhooks (
    tenant_id        uuid not null,
    webhook_id       text collate "C" not null,
    url              text not null,
    events           text[] not null,
    description      text,
    status           text collate "C" not null default 'active',
    disabled_reason  text,
    disabled_at      timestamptz,
    -- Private: which of the secrets that are made of the installation's key it has; none is kept.
    generation       integer not null default 1,
    old_secret_until timestamptz,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    version          bigint not null default 1,
    constraint webhooks_pkey primary key (tenant_id, webhook_id),
    constraint webhooks_status_known check (status in ('active', 'disabled'))
);

-- One row for each receiver on one channel. Its lease makes one process at a time send to it.
create table lanes (
    tenant_id     uuid not null,
    lane          text collate "C" not null,
    due_at        timestamptz,
    leased_until  timestamptz,
    resting_until timestamptz,
    failures      integer not null default 0,
    failing_since timestamptz,
    constraint lanes_pkey primary key (tenant_id, lane)
) with (fillfactor = 70);

create index lanes_due on lanes (due_at) where due_at is not null;

-- One row for each event, recipient and channel, whatever happens.
create table deliveries (
    tenant_id       uuid not null,
    delivery_id     text collate "C" not null,
    lane            text collate "C" not null,
    cause           text collate "C" not null,
    event_id        text collate "C" not null,
    event_type      text collate "C" not null,
    content         json not null,
    status          text collate "C" not null default 'pending',
    attempts        integer not null default 0,
    created_at      timestamptz not null default clock_timestamp(),
    next_try_at     timestamptz,
    -- Since when it is tried; a redelivery starts anew.
    tried_since     timestamptz not null default now(),
    last_attempt_at timestamptz,
    delivered_at    timestamptz,
    response_status integer,
    error           text,
    constraint deliveries_pkey primary key (tenant_id, delivery_id),
    constraint deliveries_once unique (tenant_id, lane, cause),
    constraint deliveries_status_known check (status in ('pending', 'delivered', 'failed'))
);

create index deliveries_log on deliveries (tenant_id, lane, created_at desc, delivery_id desc);
create index deliveries_pending on deliveries (tenant_id, lane, next_try_at) where status = 'pending';
create index deliveries_created_at on deliveries (created_at);

alter table webhooks enable row level security;
alter table webhooks force row level security;
create policy tenant_isolation on webhooks
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table lanes enable row level security;
alter table lanes force row level security;
create policy tenant_isolation on lanes
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

alter table deliveries enable row level security;
alter table deliveries force row level security;
create policy tenant_isolation on deliveries
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- The sweep looks across tenants, for what is due and what is old, and at nothing of what it says.
create policy sweep on lanes for select to notification_sweep using (true);
grant select (tenant_id, lane, due_at, leased_until) on lanes to notification_sweep;
create policy sweep on deliveries to notification_sweep using (true);
grant select (tenant_id, delivery_id, created_at), delete on deliveries to notification_sweep;

-- migrate:down
