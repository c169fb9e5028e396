"""The official TypeScript clients at the MCP door, one for each generation of the protocol.

They check structured results against their schemas by themselves. Neither knows the tasks extension (SEP-2663).
"""

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

HOMES = {"2025-11-25": "typescript", "2026-07-28": "typescript-2"}
PROGRAM = Path(__file__).with_name("typescript_client.mjs")
ANSWER = {"answer": "Yes, within 30 days."}

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module")
async def door(world: World, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(world.signer, schema.app_url, tasks=world.channel) as one:
        yield one


@pytest.mark.parametrize("generation", HOMES)
async def test_it_lists_asks_hears_progress_reads_and_is_told_what_is_wrong(
    door: McpWorld, world: World, generation: str
) -> None:
    home = Path(sys.prefix) / "clients" / HOMES[generation]
    if not (home / "complete").exists():
        pytest.skip("the client is not installed: make clients")
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    key = door.rooms.know(f"ork_{generation}", subject=tenant.agent().id, tenant_id=tenant.id)
    path = f"{os.environ['PATH']}{os.pathsep}{Path(sys.prefix) / 'bin'}"  # the machine's node, else the wheel's
    env = os.environ | {"PATH": path, "CLIENT_HOME": str(home), "GENERATION": generation}
    env |= {"ORKESTRA_MCP_URL": door.url, "ORKESTRA_API_KEY": key}
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
    assert told["version"] == generation
    assert told["server"] == "orkestra"
    assert {"ask_human", "task_wait", "workflow_start"} <= set(told["tools"])
    assert (told["templates"], told["prompts"]) == (4, ["hand_over", "take_answer_back"])
    assert told["progress"][0].endswith("waiting for support-l1")
    assert told["answer"] == told["again"] == ANSWER
    assert told["resource"] == "completed"
    is_error, text = told["refused"]
    assert is_error
    assert "TASK_NOT_FOUND" in text
