"""The programs of docs/guides/connect-an-agent.md ask, and print what a person answers, each with its own client.

Clients that do not go together with our own packages have environments of their own, which `make clients` installs.
"""

import asyncio
import json
import os
import re
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

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs/guides/connect-an-agent.md"
CLIENTS = ("plain", "langgraph", "openai-agents", "fastmcp")
ANSWER = "Yes, within 30 days."

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(300)]


def program(name: str) -> str:
    """Returns the block of the guide that begins with the name."""
    (block,) = re.findall(rf"^```python\n# {name}\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


def python_of(client: str) -> str:
    """Returns a Python that has the client: ours, or the one that `make clients` made for it."""
    if client == "plain":
        return sys.executable
    home = Path(sys.prefix) / "clients" / client
    if not (home / "complete").exists():
        pytest.skip(f"{client} is not installed: make clients")
    return str(home / "bin" / "python")


@pytest_asyncio.fixture(scope="module")
async def door(world: World, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(world.signer, schema.app_url, tasks=world.channel) as one:
        yield one


@pytest.mark.parametrize("name", CLIENTS)
async def test_the_guides_program_prints_what_a_person_answers(door: McpWorld, world: World, name: str) -> None:
    python = python_of(name)
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    key = door.rooms.know(f"ork_{name}", subject=tenant.agent().id, tenant_id=tenant.id)
    env = {
        "ORKESTRA_MCP_URL": door.url,
        "ORKESTRA_API_KEY": key,
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
    }
    running = await asyncio.create_subprocess_exec(
        *(python, "-c", program(name)), env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ending = asyncio.create_task(running.communicate())

    async def asked() -> Task | None:
        assert not ending.done(), ending.result()
        page = await ana.list_tasks(ListTasksRequest())
        return page.tasks[0] if page.tasks else None

    try:
        task = await eventually(asked, timeout=60)
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"answer": ANSWER}))
        out, err = await asyncio.wait_for(ending, 60)
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, err.decode()
    assert ANSWER in out.decode()


def test_the_guides_configurations_are_json_that_name_the_door() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    servers = [json.loads(block)["mcpServers"]["orkestra"] for block in blocks]
    assert len(servers) == 2
    assert servers[0]["headers"]["Authorization"] == "Bearer ${ORKESTRA_API_KEY}"
    assert "http://127.0.0.1:8001/mcp" in servers[1]["args"]


def test_every_tool_that_the_guide_names_is_served() -> None:
    named = set(re.findall(r"`((?:task|workflow|receipt|escalation|ask|request)_\w+)`", GUIDE.read_text("utf-8")))
    source = "".join(path.read_text("utf-8") for path in (ROOT / "services/mcp-gateway/src").rglob("tools/*.py"))
    known = set(re.findall(r"async def (\w+)\(", source))
    assert named - {"task_id"} <= known
