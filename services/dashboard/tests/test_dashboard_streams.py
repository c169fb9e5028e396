"""Many pages open at once: one subscription and one check for all of them, told at once, and let go when it is time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import User

Migrated = Callable[..., Awaitable[Schema]]
PAGES = 60


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


@asynccontextmanager
async def listening(world: DashboardWorld, user: User) -> AsyncIterator[asyncio.StreamReader]:
    """The stream of a page of this person, after its greeting."""
    place = urlsplit(world.base)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    cookie = f"orkestra_session={world.rooms.identity.session(user)}"
    writer.write(f"GET /live HTTP/1.1\r\nhost: {place.netloc}\r\ncookie: {cookie}\r\n\r\n".encode())
    await reader.readuntil(b"event: hello\ndata: {}\n\n")
    try:
        yield reader
    finally:
        writer.close()


async def told(reader: asyncio.StreamReader, name: str) -> bytes:
    """The next event of this name."""
    async with asyncio.timeout(20):
        await reader.readuntil(f"event: {name}\ndata: ".encode())
        return await reader.readuntil(b"\n\n")


async def test_every_open_page_hears_of_a_task_and_all_are_checked_together(world: DashboardWorld) -> None:
    tenant = world.tenant()
    async with AsyncExitStack() as stack:
        people = [world.person(f"Person {place}", GROUP, tenant_id=tenant) for place in range(PAGES)]
        streams = [await stack.enter_async_context(listening(world, person)) for person in people]
        stranger = await stack.enter_async_context(listening(world, world.person("Eve", tenant_id=tenant)))
        task = await ask(world, tenant)
        heard = await asyncio.gather(*(told(stream, "task") for stream in streams))
        assert all(task.task_id.encode() in each for each in heard)
        world.rooms.identity.checked.clear()
        await eventually(lambda: len(world.rooms.identity.checked) >= 2)
        assert set(world.rooms.identity.checked) == {PAGES + 1}, "one call for all sessions"
        world.rooms.identity.end_sessions(people[0])
        assert await told(streams[0], "session")
        assert await streams[0].read() in (b"", b"0\r\n\r\n", b"\r\n0\r\n\r\n")
        again = await ask(world, tenant)
        assert again.task_id.encode() in await told(streams[1], "task")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stranger.readuntil(b"event: ")


async def test_a_page_hears_what_its_person_may_hear_by_now(world: DashboardWorld) -> None:
    tenant = world.tenant()
    ada = world.person("Ada", tenant_id=tenant)
    users = world.rooms.identity.users
    async with listening(world, ada) as stream:
        users[ada.user_id] = ada.model_copy(update={"groups": [GROUP]})
        count = len(world.rooms.identity.checked)
        await eventually(lambda: len(world.rooms.identity.checked) >= count + 2)
        task = await ask(world, tenant)
        assert task.task_id.encode() in await told(stream, "task")


async def test_nothing_is_told_while_sessions_cannot_be_checked(world: DashboardWorld) -> None:
    tenant = world.tenant()
    identity = world.rooms.identity
    async with listening(world, world.person("Ada", GROUP, tenant_id=tenant)) as stream:
        identity.is_away = True

        async def is_silent() -> bool:
            await ask(world, tenant)
            try:
                async with asyncio.timeout(0.5):
                    await stream.readuntil(b"event: task")
            except TimeoutError:
                return True
            return False

        await eventually(is_silent, timeout=30)
        identity.is_away = False
        assert await told(stream, "reset")
