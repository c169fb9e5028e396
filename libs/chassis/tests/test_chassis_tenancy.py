"""Tenants apart, schemas apart, by PostgreSQL alone."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import chassis_world as world
import pytest
from chassis_world import Groups, Migrated, someone, sql
from orkestra.chassis.database import Database
from orkestra.chassis.migrate import migrate
from orkestra.testkit import Schema
from orkestra.v1.identity import CreateGroupRequest, GetGroupRequest, Group
from orkestra.wire import NotFound


@pytest.fixture(scope="session")
async def schema(migrated: Migrated) -> Schema:
    return await world.room(migrated)


@pytest.fixture
async def database(schema: Schema) -> AsyncIterator[Database]:
    opened = await Database.connect(schema.app_url, schema=schema.name)
    yield opened
    await opened.close()


async def test_a_query_without_a_tenant_filter_shows_and_changes_nothing_of_another_tenant(database: Database) -> None:
    groups, ours, theirs = Groups(database), someone(), someone()
    await groups.create_group(ours, CreateGroupRequest(group_id="secret"))
    async with database.transaction(theirs.tenant_id) as conn:
        assert await sql.get_group_mutant.one(conn, Group, group_id="secret") is None
        assert await sql.list_groups_mutant.all(conn, Group) == []
        assert await sql.rename_all_mutant.execute(conn) == 0
    with pytest.raises(NotFound):
        await groups.get_group(theirs, GetGroupRequest(group_id="secret"))
    assert (await groups.get_group(ours, GetGroupRequest(group_id="secret"))).name == "secret"


async def test_without_a_tenant_nothing_is_seen_also_after_a_tenant_used_the_connection(schema: Schema) -> None:
    database = await Database.connect(schema.app_url, schema=schema.name, max_size=1)
    await Groups(database).create_group(someone(), CreateGroupRequest(group_id="secret"))
    async with database.unscoped() as conn:
        assert await sql.list_groups_mutant.all(conn, Group) == []
    await database.close()


async def test_a_row_of_another_tenant_cannot_be_written(database: Database) -> None:
    theirs = someone()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(someone().tenant_id) as conn:
            await sql.create_group.one(conn, Group, tenant_id=theirs.tenant_id, group_id="one", name="one", members=[])


async def test_an_event_of_another_tenant_cannot_be_written(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(someone().tenant_id) as conn:
            await conn.execute(
                "insert into outbox (tenant_id, subject, payload, headers) values ($1, 's', '', '{}')",
                someone().tenant_id,
            )


async def test_the_sweep_role_sees_every_tenant_and_only_what_it_was_given(schema: Schema, database: Database) -> None:
    one, two = someone(), someone()
    for ctx in (one, two):
        await Groups(database).create_group(ctx, CreateGroupRequest(group_id="one"))
    sweep = await Database.connect(schema.sweep_url, schema=schema.name)
    async with sweep.unscoped() as conn:
        seen = {group.tenant_id for group in await sql.list_groups_mutant.all(conn, Group)}
    assert {one.tenant_id, two.tenant_id} <= seen
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with sweep.unscoped() as conn:
            await conn.fetch("select * from outbox")
    await sweep.close()


@pytest.mark.parametrize("role", ["app", "relay", "sweep"])
async def test_a_role_is_refused_on_every_other_schema(schema: Schema, role: str) -> None:
    await migrate(schema.admin_url, "chassis_bare", "other")
    conn = await asyncpg.connect(schema.url(role))
    for table in ("outbox", "request_keys", "schema_migrations"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch(f"select * from other.{table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("create table public.mine (a int)")
    await conn.close()


async def test_no_service_role_is_superuser_owner_or_above_row_level_security(schema: Schema) -> None:
    roles = await world.rows(
        schema,
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname ^@ 'room_'",
    )
    assert roles
    assert all(not any(list(role.values())[1:]) for role in roles)
    owners = await world.rows(schema, "select distinct tableowner from pg_tables where schemaname = 'room'")
    assert [owner["tableowner"] for owner in owners] == ["room_owner"]


async def test_every_table_with_a_tenant_has_forced_row_level_security(schema: Schema) -> None:
    loose = await world.rows(
        schema,
        """
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'room'::regnamespace and c.relkind = 'r'
            and not (c.relrowsecurity and c.relforcerowsecurity)
        """,
    )
    assert loose == []


async def test_migrating_again_and_from_two_places_at_once_changes_nothing(schema: Schema, empty_database: str) -> None:
    again = migrate(schema.admin_url, "chassis_room", schema.name)
    await asyncio.gather(again, *(migrate(empty_database, "chassis_room", "room") for _ in range(3)))
    versions = await world.rows(schema, "select version from room.schema_migrations order by version")
    assert [row["version"] for row in versions] == ["0001", "0002", "0003", "0004", "1001"]


async def test_every_query_prepares_against_the_migrated_schema(schema: Schema) -> None:
    conn = await asyncpg.connect(schema.app_url, server_settings={"search_path": schema.name})
    for query in sql:
        await conn.prepare(query.text)
    await conn.close()
