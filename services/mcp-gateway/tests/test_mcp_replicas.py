"""Two replicas of the MCP door behind a plain round robin: every call may meet another one, and one of them may end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
import pytest_asyncio
from door_rooms import Rooms, running_rooms, workflow
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult
from mcp_world import ERAS, MODERN, Migrated, asked_task
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.wire import Context, Model
from round_robin import Load, Replica, RoundRobin, end, replicas
from test_mcp_handles import Polling

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

QUESTION = {"question": "May I?", "groups": ["support-l2"], "wait_seconds": 0}
ACCEPT = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}


@dataclass(frozen=True)
class World:
    rooms: Rooms
    balancer: RoundRobin

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.balancer.port}/mcp"

    @asynccontextmanager
    async def client(self, era: str, **options: Any) -> AsyncIterator[Client]:
        """The official client, with a new connection for each message, which the balancer gives to the next replica."""
        headers = {"authorization": "Bearer ork_agent", "connection": "close"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era, **options) as client,
        ):
            yield client


@pytest_asyncio.fixture
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[World]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with running_rooms(signer) as rooms:
        rooms.know("ork_agent")
        rooms.answer("get_workflow", workflow())
        addresses = dict.fromkeys(("IDENTITY_ADDRESS", "TASK_ADDRESS", "WORKFLOW_ADDRESS"), rooms.address)
        settings = {"DATABASE_URL": schema.app_url, "NATS_URL": nats_url, "MCP_STATE_KEY": "s" * 32, **addresses}
        async with replicas("orkestra.mcp_gateway", settings) as balancer:
            yield World(rooms, balancer)


async def test_both_generations_go_on_at_whichever_replica(world: World) -> None:
    ended = asked_task(status="completed", result={"answer": "Yes."})
    world.rooms.answer("create_task", asked_task())
    for era in ERAS:
        for replica in world.balancer.replicas:
            replica.served = 0
        world.rooms.answer("get_task", asked_task())
        async with world.client(era) as client:
            assert (await client.list_tools()).tools
            asked = await client.call_tool("ask_human", QUESTION)
            world.rooms.answer("get_task", ended)
            waited = await client.call_tool("task_wait", {"task_id": asked_task().task_id})
            assert (await client.list_resource_templates()).resource_templates
        assert _content(asked)["status"] == "open"
        assert _content(waited)["result"] == {"answer": "Yes."}
        assert min(replica.served for replica in world.balancer.replicas) >= 2, era
    looks = 0

    async def looked_at(_ctx: Context, _request: Model) -> Model:
        nonlocal looks
        looks += 1
        return ended if looks > 6 else asked_task()

    world.rooms.answer("get_task", looked_at)
    async with world.client(MODERN, extensions=[Polling()]) as client:
        by_handle = await client.call_tool("ask_human", QUESTION)
    assert isinstance(by_handle, CallToolResult)
    assert _content(by_handle)["result"] == {"answer": "Yes."}


async def test_no_call_fails_while_a_replica_ends(world: World) -> None:
    async def held(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"] or 0)
        return workflow()

    world.rooms.answer("get_workflow_result", held)
    headers = ACCEPT | {"authorization": "Bearer ork_agent"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as http:

        async def called(tool: str, **arguments: Any) -> str | None:
            params = {"name": tool, "arguments": {"workflow_id": "w", **arguments}}
            try:
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
                answer = await http.post(world.url, json=message)
            except httpx.HTTPError as failed:
                return repr(failed)
            good = answer.status_code == 200 and '"status":"running"' in answer.text
            return None if good else f"{answer.status_code} {answer.text}"

        load = Load(lambda: called("workflow_status"), lambda: called("workflow_result", wait_seconds=50))
        first, second = world.balancer.replicas
        async with load.going_on(holding=6):
            await eventually(lambda: _were_asked(20, first, second), timeout=30)
            await end(first)
            before = second.asked
            await eventually(lambda: _were_asked(before + 50, second), timeout=30)
    load.assert_nothing_failed()


def _content(answer: object) -> dict[str, Any]:
    assert isinstance(answer, CallToolResult)
    content: dict[str, Any] | None = answer.structured_content
    assert content is not None, answer.content
    return content


async def _were_asked(enough: int, *replicas: Replica) -> bool:
    return all(replica.asked >= enough for replica in replicas)
