"""Row-level security holds where a statement forgets its tenant, roles where a process goes astray; old is pruned."""

from datetime import timedelta

import asyncpg
import pytest
from notification_world import Tenant, World, world
from orkestra.notification_service.operations import sql
from orkestra.v1.identity import UserStatus
from orkestra.v1.notification import CreateWebhookRequest

__all__ = ["world"]

TABLES = ("notifications", "heard_tasks", "people", "groups", "memberships", "webhooks", "lanes", "deliveries")


async def fill(tenant: Tenant) -> None:
    ana = tenant.person()
    tenant.group("support-l1", ana)
    admin = tenant.reader("user", "user_admin", "admin")
    await admin.create_webhook(CreateWebhookRequest(url="http://127.0.0.1:9/closed", events=["task.*"]))
    await tenant.tells_person(ana, UserStatus.ACTIVE, version=1)
    await tenant.hears("created", tenant.task(candidate_groups=["support-l1"]))


async def test_every_statement_prepares_against_the_schema(world: World) -> None:
    async with world.database.transaction(world.tenant().id) as conn:
        for query in sql:
            await conn.prepare(query.text)


async def test_every_table_forces_row_level_security_on_its_tenant(world: World) -> None:
    rows = await world.rows(
        "select relname, relrowsecurity and relforcerowsecurity as is_forced from pg_class "
        "where relkind = 'r' and relnamespace = 'notification'::regnamespace and relname <> 'schema_migrations'"
    )
    assert set(TABLES) <= {row["relname"] for row in rows}
    assert all(row["is_forced"] for row in rows)


@pytest.mark.parametrize("table", TABLES)
async def test_a_statement_without_a_tenant_filter_gives_nothing_of_another_tenant(world: World, table: str) -> None:
    tenant, other = world.tenant(), world.tenant()
    await fill(tenant)
    async with world.database.transaction(tenant.id) as conn:
        assert await conn.fetchval(f"select count(*) from {table}") > 0
    async with world.database.transaction(other.id) as conn:
        assert await conn.fetchval(f"select count(*) from {table}") == 0
    async with world.database.unscoped() as conn:
        assert await conn.fetchval(f"select count(*) from {table}") == 0


async def test_a_row_of_another_tenant_can_be_neither_written_nor_changed(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    await fill(tenant)
    async with world.database.transaction(other.id) as conn:
        assert await conn.execute("update notifications set read_at = now()") == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.database.transaction(other.id) as conn:
            await conn.execute("insert into groups (tenant_id, group_id, version) values ($1, 'g', 1)", tenant.id)


async def test_without_the_policy_another_tenant_would_see_a_feed(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    ana = tenant.person()
    await tenant.hears("created", tenant.task(assignee=ana.id))
    arguments = [ana.id, "infinity", "", 51]
    connection = await asyncpg.connect(world.admin_url, server_settings={"search_path": "notification"})
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"set local app.tenant_id = '{other.id}'; set local role notification_app")
        assert await connection.fetch(sql.list_notifications.text, *arguments) == []
        await connection.execute("reset role; alter table notifications disable row level security")
        await connection.execute("set local role notification_app")
        assert len(await connection.fetch(sql.list_notifications.text, *arguments)) == 1
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize("query", ["list_notifications", "list_unread", "count_unread"])
async def test_what_a_feed_reads_uses_an_index_under_row_level_security(world: World, query: str) -> None:
    tenant = world.tenant()
    await fill(tenant)
    statement = getattr(sql, query)
    given = {"user_id": "user_x", "before_time": "infinity", "before_id": "", "limit": 51}
    async with world.database.transaction(tenant.id) as conn:
        await conn.execute("set local enable_seqscan = off")
        arguments = [given[name] for name in statement.parameters]
        plan = "\n".join(row[0] for row in await conn.fetch(f"explain {statement.text}", *arguments))
    assert "Index Cond: ((tenant_id = (InitPlan" in plan
    assert "user_id = " in plan.split("Index Cond", 1)[1].split("\n", 1)[0]


async def test_what_is_older_than_its_time_is_forgotten_and_nothing_else(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    for one in (tenant, other):
        await fill(one)
        await fill(one)
        await world.rows(
            "update notifications set created_at = now() - interval '91 days' where (tenant_id, notification_id) = "
            "(select tenant_id, notification_id from notifications where tenant_id = $1 limit 1)",
            one.id,
        )
        await world.rows(
            "update heard_tasks set heard_at = now() - interval '91 days' where (tenant_id, task_id) = "
            "(select tenant_id, task_id from heard_tasks where tenant_id = $1 limit 1)",
            one.id,
        )
    assert await world.retention.prune(timedelta(days=90)) == 4
    assert await world.retention.prune(timedelta(days=90)) == 0
    for table in ("notifications", "heard_tasks"):
        rows = await world.rows(f"select 1 from {table} where tenant_id = any ($1)", [tenant.id, other.id])
        assert len(rows) == 2


async def test_the_sweep_sees_how_old_entries_are_and_not_what_they_say(world: World) -> None:
    connection = await asyncpg.connect(world.url("sweep"), server_settings={"search_path": "notification"})
    try:
        for statement in (
            "select text from notifications",
            "select user_id from notifications",
            "select * from memberships",
            "select content from deliveries",
            "select * from webhooks",
            "update notifications set read_at = now()",
            "select * from outbox",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
