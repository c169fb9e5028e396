"""The MCP door hears of a tenant's tasks and workflows while somebody of it waits or listens, and of nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from chassis_events import MonitoredNats, beside, monitored_nats
from door_rooms import TENANT
from mcp.shared.subscriptions import ResourceUpdated
from mcp_world import MODERN, McpWorld, Migrated, asked_task, mcp_door
from orkestra.chassis import streams
from orkestra.chassis.streams import Nats
from orkestra.chassis.tokens import Signer
from orkestra.cli.servers import start
from orkestra.mcp_gateway.tools.news import News
from orkestra.testkit.waiting import eventually
from orkestra.wire import Context, Model

TASK = asked_task().task_id
URI = f"orkestra://tasks/{TASK}"
ELSEWHERE = str(uuid4())
PREFIX = "orkestra.v1."
LINGER = "orkestra.chassis.hearing.LINGER_SECONDS"
LOOK = "orkestra.mcp_gateway.tools.waiting.LOOK_SECONDS"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MonitoredNats]:
    with monitored_nats(tmp_path) as one:
        yield one


@pytest.fixture
async def nats(server: MonitoredNats) -> AsyncIterator[Nats]:
    one = await streams.connect(server.url, name="mcp-gateway")
    await one.connected()
    yield one
    await one.close()


@pytest.fixture
async def door(signer: Signer, migrated: Migrated, nats: Nats) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    news = News(nats)
    async with mcp_door(signer, schema.app_url, news=news) as one, beside(news.run()):
        one.rooms.know("ork_elsewhere", tenant_id=ELSEWHERE)
        one.rooms.answer("get_task", asked_task())
        yield one


async def happen(nats: Nats, *, tenant_id: str = TENANT) -> None:
    """Have the room tell that the task was completed."""
    subject = f"{PREFIX}{tenant_id}.task.completed"
    await nats.client.publish(subject, b"{}", headers={"ce-subject": TASK})


async def waited(door: McpWorld, key: str = "ork_agent", *, seconds: int = 50) -> Any:
    async with door.client(MODERN, key) as client:
        answer = await client.call_tool("task_wait", {"task_id": TASK, "wait_seconds": seconds})
    return answer.structured_content


async def callers_own(ctx: Context, _request: Model) -> Model:
    return asked_task(requested_by=ctx.principal.subject)


def looks(door: McpWorld) -> int:
    return sum(asked.rpc == "get_task" for asked in door.rooms.asked)


async def test_nats_is_asked_for_what_a_tenant_waits_for_and_listens_to(
    door: McpWorld, server: MonitoredNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LINGER, 0.3)
    door.rooms.answer("get_task", callers_own)
    assert await server.heard(PREFIX) == []
    waiting = asyncio.create_task(waited(door, "ork_elsewhere"))
    await eventually(lambda: looks(door) > 0)
    theirs = [f"{PREFIX}{ELSEWHERE}.task.*"]
    assert await server.heard(PREFIX) == theirs
    async with door.client(MODERN) as client, client.listen(resource_subscriptions=[URI]):
        ours = [f"{PREFIX}{TENANT}.{kind}.*" for kind in ("task", "workflow")]
        assert await server.heard(PREFIX) == sorted(theirs + ours)
    await eventually(lambda: _is(server.heard(PREFIX), theirs))
    door.rooms.answer("get_task", asked_task(requested_by="ork_elsewhere", status="cancelled", version=2))
    assert (await waiting)["status"] == "cancelled"
    await eventually(lambda: _is(server.heard(PREFIX), []))


async def test_a_look_without_a_wait_asks_nats_for_nothing(door: McpWorld, server: MonitoredNats) -> None:
    assert (await waited(door, seconds=0))["status"] == "open"
    assert await server.heard(PREFIX) == []


async def test_what_happens_as_soon_as_a_client_listens_is_told(door: McpWorld, nats: Nats) -> None:
    async with door.client(MODERN) as client, client.listen(resource_subscriptions=[URI]) as listening:
        await happen(nats, tenant_id=ELSEWHERE)
        await happen(nats)
        told = await asyncio.wait_for(anext(listening), 5)
    assert told == ResourceUpdated(uri=URI)


async def test_what_happens_after_the_first_look_ends_the_wait(
    door: McpWorld, nats: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOOK, 40.0)
    waiting = asyncio.create_task(waited(door))
    await eventually(lambda: looks(door) > 0)
    door.rooms.answer("get_task", asked_task(status="completed", version=2, result={"answer": "Yes."}))
    await happen(nats, tenant_id=ELSEWHERE)
    await happen(nats)
    answer = await asyncio.wait_for(waiting, 10)
    assert (answer["status"], looks(door)) == ("completed", 2)


async def test_a_wait_without_nats_looks_from_time_to_time(door: McpWorld, server: MonitoredNats, nats: Nats) -> None:
    server.process.kill()
    await eventually(lambda: not nats.is_connected)
    began = time.monotonic()
    waiting = asyncio.create_task(waited(door))
    await eventually(lambda: looks(door) > 0)
    door.rooms.answer("get_task", asked_task(status="completed", version=2, result={"answer": "Yes."}))
    assert (await waiting)["status"] == "completed"
    assert time.monotonic() - began < 10


async def test_a_stream_ends_at_a_loss_and_one_begun_without_nats_when_it_is_back(
    door: McpWorld, server: MonitoredNats, nats: Nats
) -> None:
    async with door.client(MODERN) as client:
        async with client.listen(resource_subscriptions=[URI]) as listening:
            server.process.kill()
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(anext(listening), 10)
        async with client.listen(resource_subscriptions=[URI]) as listening:
            start(server)
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(anext(listening), 20)
        async with client.listen(resource_subscriptions=[URI]) as listening:
            await happen(nats)
            assert await asyncio.wait_for(anext(listening), 10) == ResourceUpdated(uri=URI)


async def _is(found: Awaitable[list[str]], wanted: list[str]) -> bool:
    return await found == wanted
