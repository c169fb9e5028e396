"""The official TypeScript client at the MCP door: it checks structured results against their schemas by itself."""

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

HOME = Path(sys.prefix) / "clients" / "typescript"
PROGRAM = Path(__file__).with_name("typescript_client.mjs")
ANSWER = {"answer": "Yes, within 30 days."}

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module")
async def door(world: World, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(world.signer, schema.app_url, tasks=world.channel) as one:
        yield one


async def test_it_lists_asks_hears_progress_reads_and_is_told_what_is_wrong(door: McpWorld, world: World) -> None:
    if not (HOME / "complete").exists():
        pytest.skip("the client is not installed: make clients")
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    key = door.rooms.know("ork_typescript", subject=tenant.agent().id, tenant_id=tenant.id)
    path = f"{os.environ['PATH']}{os.pathsep}{Path(sys.prefix) / 'bin'}"  # the machine's node, else the wheel's
    env = os.environ | {"PATH": path, "ORKESTRA_MCP_URL": door.url, "ORKESTRA_API_KEY": key, "CLIENT_HOME": str(HOME)}
    running = await asyncio.create_subprocess_exec(
        *("node", str(PROGRAM)), env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
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
    told = json.loads(out)
    assert told["newest"] == "2025-11-25", "it speaks a newer generation: try it too, with the tasks extension"
    assert told["server"] == "orkestra"
    assert {"ask_human", "task_wait", "workflow_start"} <= set(told["tools"])
    assert (told["templates"], told["prompts"]) == (4, ["hand_over", "take_answer_back"])
    assert told["progress"][0].endswith("waiting for support-l1")
    assert told["answer"] == told["again"] == ANSWER
    assert told["resource"] == "completed"
    is_error, text = told["refused"]
    assert is_error
    assert "TASK_NOT_FOUND" in text
