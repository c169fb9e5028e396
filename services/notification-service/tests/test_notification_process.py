"""notification-service as the process it runs as, beside a task-service: from a task to the feed and to the doors."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from langfuse_endpoint import Endpoint, serving
from notification_world import Reader
from orkestra.chassis.grpc import channel
from orkestra.chassis.migrate import migrate
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import connect
from orkestra.cli.ports import free_port
from orkestra.testkit.databases import as_role
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import NotificationEvent
from orkestra.v1.identity import Group
from orkestra.v1.notification import ListNotificationsRequest
from orkestra.v1.task import AgentInfo, CompleteTaskRequest, TaskContext
from orkestra.wire import Unavailable
from task_world import ANSWER, Tenant, World, ask, running


@asynccontextmanager
async def process(
    world: World, nats_url: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, int]]:
    grpc_port, health_port = free_port(), free_port()
    environment = {
        "ORKESTRA_DATABASE_URL": as_role(world.admin_url, "notification_app"),
        "ORKESTRA_RELAY_DATABASE_URL": as_role(world.admin_url, "notification_relay"),
        "ORKESTRA_SWEEP_DATABASE_URL": as_role(world.admin_url, "notification_sweep"),
        "ORKESTRA_NATS_URL": nats_url,
        "ORKESTRA_IDENTITY_ADDRESS": world.address,
        "ORKESTRA_SERVICE_KEY": "k" * 40,
        "ORKESTRA_GRPC_PORT": str(grpc_port),
        "ORKESTRA_HEALTH_PORT": str(health_port),
        **(settings or {}),
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orkestra.notification_service", env=environment
    )
    try:
        yield started, grpc_port, health_port
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def is_ready(port: int) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def task_service(postgres: str, nats_url: str) -> AsyncIterator[World]:
    """A task-service whose events reach the stream."""
    async with running(postgres) as world:
        stream = await connect(nats_url, name="test")
        relay = asyncio.create_task(Relay(world.url("relay"), stream, schema="task").run())
        try:
            yield world
        finally:
            relay.cancel()
            await asyncio.wait([relay])
            await stream.close()


def with_members(tenant: Tenant, group_id: str, *members: str) -> None:
    group: Group = tenant.world.identity.groups[tenant.id, group_id]
    tenant.world.identity.groups[tenant.id, group_id] = group.model_copy(update={"members": list(members)})


async def test_a_task_reaches_the_feeds_and_the_doors(postgres: str, nats_url: str) -> None:
    await migrate(postgres, "orkestra.notification_service", "notification")
    async with task_service(postgres, nats_url) as world, process(world, nats_url) as (started, grpc_port, health_port):
        tenant = world.tenant()
        ana, ben = tenant.person("ana", "support-l1"), tenant.person("ben", "support-l1")
        lee = tenant.person("lee", roles=["manager"])
        with_members(tenant, "support-l1", ana.id, ben.id)
        await eventually(lambda: is_ready(health_port), timeout=60)
        outside = channel(f"127.0.0.1:{grpc_port}")
        feeds = {one.id: Reader(one.principal, world.signer, outside) for one in (ana, ben, lee)}
        stream = await connect(nats_url, name="door")
        await stream.connected()
        door = await stream.client.subscribe(f"orkestra.v1.{tenant.id}.notification.delivered")

        task = await lee.create_task(ask(candidate_groups=["support-l1"]))
        pushed = [
            NotificationEvent.model_validate_json((await door.next_msg(timeout=30)).data).user_id for _ in range(2)
        ]
        assert set(pushed) == {ana.id, ben.id}
        await ana.claimed(task)
        await eventually(lambda: shows(feeds[ben.id], ("group_task", False)), timeout=30)
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
        await eventually(lambda: shows(feeds[lee.id], ("answered", True)), timeout=30)

        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 15) == 0
        with pytest.raises(Unavailable):
            await feeds[ana.id].list_notifications(ListNotificationsRequest(), timeout=0.5)
        await outside.close(None)
        await stream.close()


async def shows(reader: Reader, *entries: tuple[str, bool]) -> bool:
    return await reader.shown() == list(entries)


def langfuse_at(url: str, world: World) -> dict[str, str]:
    return {
        "ORKESTRA_LANGFUSE_BASE_URL": url,
        "ORKESTRA_LANGFUSE_PUBLIC_KEY": "pk-1",
        "ORKESTRA_LANGFUSE_SECRET_KEY": "sk-1",
        "ORKESTRA_TASK_ADDRESS": world.address,
    }


async def test_with_langfuse_on_an_ended_task_is_told_there(postgres: str, nats_url: str) -> None:
    await migrate(postgres, "orkestra.notification_service", "notification")
    async with task_service(postgres, nats_url) as world:
        with serving(Endpoint()) as endpoint:
            async with process(world, nats_url, langfuse_at(endpoint.url, world)) as (_, _, health_port):
                tenant = world.tenant()
                ana = tenant.person("ana", "support-l1")
                await eventually(lambda: is_ready(health_port), timeout=60)
                agent = AgentInfo(trace_id="0af7651916cd43dd8448eb211c80319c")
                asked = ask(candidate_groups=["support-l1"], context=TaskContext(agent=agent))
                task = await tenant.agent().create_task(asked)
                await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
                await eventually(lambda: f"{task.task_id}-outcome" in endpoint.scores, timeout=60)
