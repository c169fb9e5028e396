"""Statements that are sent ahead: fewer trips, and nothing of a transaction that stands alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import chassis_world as world
import pytest
from chassis_world import Groups, Migrated, outbox, someone, sql
from orkestra.chassis.connection import Ahead
from orkestra.chassis.database import Database
from orkestra.testkit import Schema
from orkestra.v1.identity import CreateGroupRequest, GetGroupRequest, Group
from orkestra.wire import Unavailable

ONE_WAY_SECONDS = 0.06
BEGUN = b"C\0\0\0\x0aBEGIN\0" + b"C\0\0\0\x08SET\0" + b"Z\0\0\0\5T"
TOLD = b"A\0\0\0\x0cabcdefgh"
ANSWERED = b"2\0\0\0\4" + b"C\0\0\0\x0dSELECT 1\0" + b"Z\0\0\0\5T"


@pytest.fixture(scope="session")
async def schema(migrated: Migrated) -> Schema:
    return await world.room(migrated)


@pytest.fixture
async def database(schema: Schema) -> AsyncIterator[Database]:
    opened = await Database.connect(schema.app_url, schema=schema.name, max_size=1)
    yield opened
    await opened.close()


@asynccontextmanager
async def far_away(url: str) -> AsyncIterator[str]:
    """The same database behind a long line."""
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(ONE_WAY_SECONDS, writer.write, data)
        loop.call_later(ONE_WAY_SECONDS, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await world.opened(url)
        for pair in ((reader, back), (there, writer)):
            task = asyncio.create_task(carry(*pair))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    parts = urlsplit(url)
    place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield urlunsplit(parts._replace(netloc=place, query="sslmode=disable"))
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def test_a_read_takes_one_trip_and_a_write_no_more_than_its_statements_and_the_commit(schema: Schema) -> None:
    ctx = someone()
    async with far_away(schema.app_url) as url:
        database = await Database.connect(url, schema=schema.name, max_size=1)
        groups = Groups(database)
        await groups.create_group(ctx, CreateGroupRequest(group_id="first"))  # connects, and prepares its statements
        await groups.get_group(ctx, GetGroupRequest(group_id="first"))

        began = time.perf_counter()
        await groups.get_group(ctx, GetGroupRequest(group_id="first"))
        read = time.perf_counter() - began
        began = time.perf_counter()
        await groups.create_group(ctx, CreateGroupRequest(group_id="second"))
        written = time.perf_counter() - began
        await database.close()
    trip = 2 * ONE_WAY_SECONDS
    assert trip <= read < 1.8 * trip
    assert 2 * trip <= written < 2.8 * trip


async def test_after_a_read_nothing_of_its_transaction_is_left(database: Database) -> None:
    ctx = someone()
    groups = Groups(database)
    await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
    await groups.get_group(ctx, GetGroupRequest(group_id="one"))
    async with database.statement() as conn:
        assert await conn.fetchval("select current_setting('app.tenant_id', true)") in (None, "")
        assert await conn.fetchval("select current_setting('transaction_read_only')") == "off"
        first = await conn.fetchval("select now()")
        assert await conn.fetchval("select now()") > first  # each in a transaction of its own


async def test_a_transaction_in_which_nothing_was_asked_leaves_nothing_either(database: Database) -> None:
    ctx = someone()
    with pytest.raises(RuntimeError, match="before the first statement"):
        async with database.transaction(ctx.tenant_id):
            raise RuntimeError("before the first statement")
    async with database.reading(ctx.tenant_id):
        pass
    async with database.transaction(ctx.tenant_id):
        pass
    async with database.unscoped() as conn:
        assert await sql.list_groups_mutant.all(conn, Group) == []
    assert (await Groups(database).create_group(ctx, CreateGroupRequest(group_id="one"))).group_id == "one"


async def test_what_is_refused_ahead_fails_the_call_and_commits_nothing(schema: Schema, database: Database) -> None:
    ctx = someone()

    async def divided() -> None:
        async with database.transaction(ctx.tenant_id) as conn:
            await sql.create_group.one(conn, Group, tenant_id=ctx.tenant_id, group_id="lost", name="lost", members=[])
            conn.send_ahead("SELECT 1 / 0")

    with pytest.raises(Unavailable):
        await divided()
    async with database.transaction(ctx.tenant_id) as conn:
        assert await sql.list_groups_mutant.all(conn, Group) == []
    assert await outbox(schema, ctx.tenant_id) == []


async def test_a_refused_begin_lets_nothing_stand_alone(database: Database) -> None:
    ctx = someone()
    with pytest.raises(Unavailable):
        async with database.opened("BEGIN; SET LOCAL app.tenant_id = '', '';") as conn:
            await sql.create_group.one(conn, Group, tenant_id=ctx.tenant_id, group_id="alone", name="alone", members=[])
    async with database.transaction(ctx.tenant_id) as conn:
        assert await sql.list_groups_mutant.all(conn, Group) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_answers_are_taken_out_however_they_are_cut(size: int) -> None:
    driver, transport = Driver(), Line()
    ahead = Ahead(driver, transport)
    ahead.send("BEGIN; SET LOCAL x = 1")
    assert transport.sent == b"Q\0\0\0\x1bBEGIN; SET LOCAL x = 1\0"
    ahead.send("SELECT 1")
    came = BEGUN + TOLD + BEGUN + ANSWERED + ANSWERED
    for at in range(0, len(came), size):
        ahead.data_received(came[at : at + size])
    assert driver.received == TOLD + ANSWERED + ANSWERED


class Driver(asyncio.Protocol):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Line(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)
