"""FastMCP's client at the MCP door in each generation of the protocol, with the tasks extension and without."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from mcp_world import McpWorld, Migrated, mcp_door
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import CompleteTaskRequest, ListTasksRequest, Task
from task_world import World, world

__all__ = ["world"]

HOME = Path(sys.prefix) / "clients" / "fastmcp"
ANSWER = {"answer": "Yes, within 30 days."}
ASKS = """
import asyncio, json, os, sys
generation, way = sys.argv[1:]
if way == "tasks":
    from fastmcp_tasks import call_tool_task
from fastmcp import Client

async def main():
    asked = ("ask_human", {"question": "May it go back?", "groups": ["support-l1"], "wait_seconds": 50})
    async with Client(os.environ["ORKESTRA_MCP_URL"], auth=os.environ["ORKESTRA_API_KEY"], mode=generation) as client:
        handle = await call_tool_task(client, *asked) if way == "tasks" else None
        result = await (client.call_tool(*asked) if handle is None else handle.result())
        known = client.initialize_result
        told = [None if known is None else known.protocol_version, None if handle is None else handle.task_id]
        print(json.dumps([*told, result.structured_content["result"]]))

asyncio.run(main())
"""
"""A handshake tells a version; a client of the newer generation makes none."""

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module")
async def door(world: World, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(world.signer, schema.app_url, tasks=world.channel) as one:
        yield one


@pytest.mark.parametrize(
    ("generation", "way", "shaken"),
    [("2026-07-28", "tasks", None), ("2026-07-28", "plain", None), ("legacy", "plain", "2025-11-25")],
)
async def test_fastmcp_is_answered_by_a_person(
    door: McpWorld, world: World, generation: str, way: str, shaken: str | None
) -> None:
    if not (HOME / "complete").exists():
        pytest.skip("the client is not installed: make clients")
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    key = door.rooms.know(f"ork_{generation}_{way}", subject=tenant.agent().id, tenant_id=tenant.id)
    env = {
        "ORKESTRA_MCP_URL": door.url,
        "ORKESTRA_API_KEY": key,
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
    }
    running = await asyncio.create_subprocess_exec(
        *(str(HOME / "bin" / "python"), "-c", ASKS, generation, way),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    ending = asyncio.create_task(running.communicate())

    async def asked() -> Task | None:
        assert not ending.done(), ending.result()
        page = await ana.list_tasks(ListTasksRequest())
        return page.tasks[0] if page.tasks else None

    try:
        task = await eventually(asked, timeout=60)
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
        out, err = await asyncio.wait_for(ending, 90)
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, err.decode()
    assert json.loads(out.splitlines()[-1]) == [shaken, task.task_id if way == "tasks" else None, ANSWER]
