-- migrate:up
create index deliveries_tenant_created_at on deliveries (tenant_id, created_at);

-- migrate:down
