"""A small room for the chassis' tests: groups with a name, on a real schema."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
from orkestra.chassis import sql as statements
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, operation_above_tenants, read
from orkestra.testkit import Schema
from orkestra.v1.events import GroupEvent
from orkestra.v1.identity import AddMemberRequest, CreateGroupRequest, GetGroupRequest, Group
from orkestra.wire import Context, FailedPrecondition, NotFound, Principal

sql = statements.load("chassis_room")


class Groups:
    """Operations of the room; `gate` holds `rename_slowly` until a test opens it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    @operation
    async def create_group(self, tx: Tx, request: CreateGroupRequest) -> Group:
        return await created(tx, request)

    @operation_above_tenants
    async def create_group_elsewhere(self, tx: Tx, request: CreateGroupRequest) -> Group:
        await tx.enter(str(request.name))
        return await created(tx, request)

    @operation
    async def rename_group(self, tx: Tx, request: CreateGroupRequest) -> Group:
        return await renamed(tx, request)

    @operation
    async def rename_slowly(self, tx: Tx, request: CreateGroupRequest) -> Group:
        self.entered.set()
        await self.gate.wait()
        return await renamed(tx, request)

    @operation
    async def fail_after_writing(self, tx: Tx, request: CreateGroupRequest) -> Group:
        await created(tx, request)
        raise RuntimeError("a bug")

    @operation
    async def add_member(self, tx: Tx, request: AddMemberRequest) -> Group:
        raise NotFound("GROUP_NOT_FOUND", f"There is no group {request.group_id} in {tx.tenant_id}.")

    @read
    async def get_group(self, tx: Tx, request: GetGroupRequest) -> Group:
        group = await sql.get_group.one(tx.conn, Group, tenant_id=tx.tenant_id, group_id=request.group_id)
        if group is None:
            raise NotFound("GROUP_NOT_FOUND", f"There is no group {request.group_id}.")
        return group


async def created(tx: Tx, request: CreateGroupRequest) -> Group:
    group = await sql.create_group.one(
        tx.conn,
        Group,
        tenant_id=tx.tenant_id,
        group_id=request.group_id,
        name=request.name or request.group_id,
        members=request.members,
    )
    assert group is not None
    await told(tx, "created", group)
    return group


async def renamed(tx: Tx, request: CreateGroupRequest) -> Group:
    group = await sql.rename_group.one(
        tx.conn, Group, tenant_id=tx.tenant_id, group_id=request.group_id, name=request.name
    )
    if group is None:
        raise FailedPrecondition("GROUP_HAS_THE_NAME", "The group has this name already.")
    await told(tx, "renamed", group)
    return group


async def told(tx: Tx, event: str, group: Group) -> None:
    await tx.emit(
        aggregate="group", event=event, payload=GroupEvent(group=group), key=group.group_id, version=group.version
    )


def someone(*, tenant_id: str | None = None, rpc: str = "orkestra.v1.Groups/Test") -> Context:
    """A caller in a tenant of its own."""
    principal = Principal(subject=f"user_{uuid4().hex}", kind="user", tenant_id=tenant_id or str(uuid4()))
    return Context(principal=principal, rpc=rpc)


def asking(ctx: Context, request_id: str) -> Context:
    """The same caller with a request id, in a new call."""
    return Context(principal=ctx.principal, rpc=ctx.rpc, request_id=request_id)


def above_tenants(ctx: Context) -> Context:
    """The same caller without a tenant."""
    return replace(ctx, principal=replace(ctx.principal, tenant_id=None))


async def outbox(schema: Schema, tenant_id: str) -> list[asyncpg.Record]:
    """The tenant's events, as a superuser sees them."""
    return await rows(schema, f"select * from {schema.name}.outbox where tenant_id = $1 order by seq", tenant_id)


async def rows(schema: Schema, query: str, *values: object) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(schema.admin_url)
    try:
        return await conn.fetch(query, *values)
    finally:
        await conn.close()


Migrated = Callable[..., Awaitable[Schema]]


async def room(migrated: Migrated) -> Schema:
    """The schema of the room."""
    return await migrated("chassis_room", "room")


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the server, which may listen on a socket in a folder."""
    parts = urlsplit(url)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if "host" in given:
        return await asyncio.open_unix_connection(f"{given['host']}/.s.PGSQL.{given['port']}")
    return await asyncio.open_connection(parts.hostname, parts.port)
