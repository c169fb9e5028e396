"""The dashboard hears of a tenant's tasks while one of its pages is open, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from chassis_events import MonitoredNats, monitored_nats
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.cli.servers import start
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from test_dashboard_streams import listening, told

Migrated = Callable[..., Awaitable[Schema]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MonitoredNats]:
    with monitored_nats(tmp_path) as one:
        yield one


@pytest.fixture
async def world(signer: Signer, migrated: Migrated, server: MonitoredNats) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, server.url) as one:
        yield one


async def test_nats_is_asked_for_the_tasks_of_a_tenant_while_its_pages_are_open(
    world: DashboardWorld, server: MonitoredNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orkestra.chassis.hearing.LINGER_SECONDS", 0.3)
    tenant, elsewhere = world.tenant(), world.tenant()
    ada, ben = (world.person(name, GROUP, tenant_id=tenant) for name in ("Ada", "Ben"))
    eve = world.person("Eve", GROUP, tenant_id=elsewhere)

    async def heard() -> list[str]:
        return await server.heard("orkestra.v1.")

    assert await heard() == []
    async with listening(world, ada), listening(world, ben):
        assert await heard() == [f"orkestra.v1.{tenant}.task.*"], "one for both pages"
        async with listening(world, eve):
            assert await heard() == sorted(f"orkestra.v1.{one}.task.*" for one in (tenant, elsewhere))
        await eventually(lambda: _is(heard(), [f"orkestra.v1.{tenant}.task.*"]))
    await eventually(lambda: _is(heard(), []))


async def test_what_is_asked_as_soon_as_a_page_listens_is_told_to_it_and_to_no_other_tenant(
    world: DashboardWorld,
) -> None:
    eve = world.person("Eve", GROUP, tenant_id=world.tenant())
    async with listening(world, eve) as other:
        for _ in range(5):
            tenant = world.tenant()
            async with listening(world, world.person("Ada", GROUP, tenant_id=tenant)) as page:
                task = await ask(world, tenant)
                assert task.task_id.encode() in await told(page, "task")
        own = await ask(world, eve.tenant_id)
        assert own.task_id.encode() in await told(other, "task"), "the first that it is told"


async def test_pages_are_told_to_look_again_when_nats_is_back_also_those_opened_meanwhile(
    world: DashboardWorld, server: MonitoredNats
) -> None:
    tenant, elsewhere = world.tenant(), world.tenant()
    async with listening(world, world.person("Ada", GROUP, tenant_id=tenant)) as before:
        server.process.kill()
        async with listening(world, world.person("Eve", GROUP, tenant_id=elsewhere)) as meanwhile:
            start(server)
            await asyncio.gather(*(told(page, "reset") for page in (before, meanwhile)))
            assert await server.heard("orkestra.v1.") == sorted(
                f"orkestra.v1.{one}.task.*" for one in (tenant, elsewhere)
            )
            for page, whose in ((before, tenant), (meanwhile, elsewhere)):
                task = await asked(world, whose)
                assert task in await told(page, "task")


async def asked(world: DashboardWorld, tenant: str) -> bytes:
    """The id of a new task, which the room can tell once it is connected again."""
    await eventually(lambda: world.rooms.tasks.nats.is_connected)
    return (await ask(world, tenant)).task_id.encode()


async def _is(found: Awaitable[list[str]], wanted: list[str]) -> bool:
    return await found == wanted
