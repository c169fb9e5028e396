"""Row-level security holds where a statement forgets its tenant; roles hold where a process goes astray."""

import asyncpg
import pytest
from orkestra.task_service.operations import sql
from orkestra.v1.task import ClaimTaskRequest
from orkestra.wire import Principal
from task_world import World, ask_for_run, world

__all__ = ["world"]

TABLES = ("tasks", "task_audience", "task_history", "people", "groups")


async def test_every_statement_prepares_against_the_schema(world: World) -> None:
    tenant = world.tenant()
    async with world.database.transaction(tenant.id) as conn:
        for query in sql:
            await conn.prepare(query.text)


async def test_every_table_forces_row_level_security_on_its_tenant(world: World) -> None:
    rows = await world.rows(
        "select relname, relrowsecurity and relforcerowsecurity as is_forced from pg_class "
        "where relkind = 'r' and relnamespace = 'task'::regnamespace "
        "and relname not in ('schema_migrations', 'heard')"  # how far this service has heard is of no tenant
    )
    assert set(TABLES) <= {row["relname"] for row in rows}
    assert all(row["is_forced"] for row in rows)


@pytest.mark.parametrize("table", TABLES)
async def test_a_statement_without_a_tenant_filter_gives_nothing_of_another_tenant(world: World, table: str) -> None:
    tenant, other = world.tenant(), world.tenant()
    ana = tenant.person("ana", "support-l1")
    await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"], candidate_users=[ana.id]))
    async with world.database.transaction(tenant.id) as conn:
        assert await conn.fetchval(f"select count(*) from {table}") > 0
    async with world.database.transaction(other.id) as conn:
        assert await conn.fetchval(f"select count(*) from {table}") == 0
    async with world.database.unscoped() as conn:
        assert await conn.fetchval(f"select count(*) from {table}") == 0


async def test_a_row_of_another_tenant_can_be_neither_written_nor_changed(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    tenant.group("support-l1")
    await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"]))
    async with world.database.transaction(other.id) as conn:
        assert await conn.execute("update tasks set title = 'stolen'") == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.database.transaction(other.id) as conn:
            await conn.execute("insert into groups (tenant_id, group_id, version) values ($1, 'g', 1)", tenant.id)


async def test_the_sweep_sees_only_which_ends_are_unconfirmed(world: World) -> None:
    connection = await asyncpg.connect(world.url("sweep"), server_settings={"search_path": "task"})
    try:
        for statement in ("select title from tasks", "select * from task_history", "update tasks set told_at = now()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        assert await connection.fetchval("select count(*) from tasks where told_at is null") == 0
    finally:
        await connection.close()


async def test_a_tenant_in_the_token_is_the_only_tenant(world: World) -> None:
    tenant, other = world.tenant(), world.tenant()
    tenant.group("support-l1")
    task = await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"]))
    admin = other.person("eve", "support-l1", roles=("admin", "manager", "worker"))
    assert isinstance(admin.principal, Principal)
    with pytest.raises(Exception, match="There is no task"):
        await admin.claim_task(ClaimTaskRequest(task_id=task.task_id))
