"""A database that is away is Unavailable within 3 seconds, and used again when it is back."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from chassis_world import Groups, asking, someone
from orkestra.chassis.database import Database
from orkestra.cli.servers import Postgres, start
from orkestra.testkit import Schema, eventually, migrated
from orkestra.v1.identity import CreateGroupRequest, GetGroupRequest
from orkestra.wire import Unavailable


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that these tests may kill."""
    with tempfile.TemporaryDirectory(prefix="orkestra-test-", ignore_cleanup_errors=True) as folder:
        postgres = Postgres(Path(folder) / "data", log=Path(folder) / "postgres.log")
        start(postgres)
        try:
            yield postgres
        finally:
            postgres.process.stop()


@pytest.fixture
async def schema(server: Postgres) -> Schema:
    return await migrated(server.url(), "chassis_room", "room")


@contextlib.asynccontextmanager
async def opened(url: str, *, max_size: int = 10) -> AsyncIterator[Groups]:
    database = await Database.connect(url, schema="room", max_size=max_size)
    yield Groups(database)
    await database.close()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began <= seconds


async def is_back(groups: Groups) -> bool:
    try:
        await groups.database.check()
    except Unavailable:
        return False
    return True


async def is_away(groups: Groups) -> bool:
    return not await is_back(groups)


async def test_a_killed_database_is_unavailable_at_once_and_used_again_when_it_is_back(
    server: Postgres, schema: Schema
) -> None:
    ctx = someone()
    async with opened(schema.app_url) as groups:
        created = await groups.create_group(asking(ctx, "key-1"), CreateGroupRequest(group_id="one"))
        server.process.kill()
        await eventually(lambda: is_away(groups))  # backends notice a moment later
        for _ in range(3):
            with within(3), pytest.raises(Unavailable) as refused:
                await groups.get_group(ctx, GetGroupRequest(group_id="one"))
            assert refused.value.reason == "DATABASE_UNAVAILABLE"
            assert refused.value.retry_after == 1.0
        start(server)
        await eventually(lambda: is_back(groups), timeout=60)
        again = asking(ctx, "key-1")
        assert await groups.create_group(again, CreateGroupRequest(group_id="one")) == created
        assert again.reply.replayed


async def test_a_database_that_never_answers_is_unavailable_within_three_seconds() -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with opened(f"postgresql://room_app@127.0.0.1:{port}/postgres") as groups:
        with within(3), pytest.raises(Unavailable):
            await groups.get_group(someone(), GetGroupRequest(group_id="one"))
    silent.close()


async def test_a_backend_that_stops_answering_is_cut_and_the_next_call_gets_another(schema: Schema) -> None:
    ctx = someone()
    async with opened(schema.app_url, max_size=1) as groups:
        await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
        async with groups.database.unscoped() as conn:
            backend = await conn.fetchval("select pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)
        try:
            with within(3), pytest.raises(Unavailable):
                await groups.get_group(ctx, GetGroupRequest(group_id="one"))
            assert (await groups.get_group(ctx, GetGroupRequest(group_id="one"))).group_id == "one"
        finally:
            os.kill(backend, signal.SIGCONT)


async def test_a_driver_that_has_lost_its_place_costs_one_call_and_its_connection(schema: Schema) -> None:
    ctx = someone()
    async with opened(schema.app_url, max_size=1) as groups:
        await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
        used: list[asyncpg.Connection] = []

        async def lose() -> None:
            async with groups.database.unscoped() as conn:
                used.append(conn)
                raise asyncpg.InternalClientError("got result for unknown protocol state 3")

        with pytest.raises(Unavailable):
            await lose()
        assert used[0].is_closed()
        assert (await groups.get_group(ctx, GetGroupRequest(group_id="one"))).group_id == "one"


async def test_when_every_connection_is_taken_a_call_is_unavailable_within_three_seconds(schema: Schema) -> None:
    ctx = someone()
    async with opened(schema.app_url, max_size=1) as groups:
        async with groups.database.unscoped(seconds=10):
            with within(3), pytest.raises(Unavailable):
                await groups.get_group(ctx, GetGroupRequest(group_id="one"))
        assert await is_back(groups)


async def test_a_cancelled_call_leaves_a_connection_that_is_fit_for_the_next_tenant(schema: Schema) -> None:
    one, two = someone(), someone()
    async with opened(schema.app_url, max_size=1) as groups:
        await groups.create_group(one, CreateGroupRequest(group_id="one"))
        for _ in range(5):
            groups.entered.clear()
            held = asyncio.create_task(groups.rename_slowly(one, CreateGroupRequest(group_id="one", name="x")))
            await groups.entered.wait()
            held.cancel()
            await asyncio.wait((held,))
            sleeping = asyncio.create_task(_sleep(groups.database, one.tenant_id))
            await asyncio.sleep(0)
            sleeping.cancel()
            await asyncio.wait((sleeping,))
            async with groups.database.transaction(two.tenant_id) as conn:
                assert await conn.fetchval("select current_setting('app.tenant_id')") == two.tenant_id
                assert await conn.fetchval("select count(*) from groups") == 0


async def test_a_deadline_of_the_caller_does_not_break_the_pool(schema: Schema) -> None:
    async with opened(schema.app_url, max_size=1) as groups:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_sleep(groups.database, someone().tenant_id), timeout=0.05)
        assert await is_back(groups)


async def _sleep(database: Database, tenant_id: str) -> None:
    async with database.transaction(tenant_id) as conn:
        await conn.execute("select pg_sleep(2)")


@pytest.mark.parametrize("state", ["53100", "53200", "58030"], ids=["disk full", "out of memory", "I/O error"])
async def test_a_database_that_cannot_write_is_unavailable_and_no_fault_of_the_caller(
    schema: Schema, state: str
) -> None:
    async with opened(schema.app_url) as groups:
        with pytest.raises(Unavailable) as refused:
            async with groups.database.unscoped() as conn:
                await conn.execute(f"do $$ begin raise exception 'no room' using errcode = '{state}'; end $$")
        assert refused.value.reason == "DATABASE_UNAVAILABLE"
        await groups.database.check()
