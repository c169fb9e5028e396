"""What the MCP door lists: small enough for every conversation, and nothing that decides."""

import json
from collections.abc import AsyncIterator

import jsonschema
import pytest_asyncio
from mcp.types import Tool
from mcp_world import Migrated, mcp_door
from orkestra.chassis.tokens import Signer

CHARACTERS_PER_TOKEN = 3.5
"""Fewer than tokenizers of today need for JSON, so that the count is never too low."""
READING = {
    "workflow_definitions",
    "workflow_result",
    "workflow_status",
    "workflow_list",
    "task_get",
    "task_list",
    "task_wait",
}
DOING = {
    "ask_human",
    "request_approval",
    "task_create",
    "workflow_start",
    "workflow_signal",
    "workflow_cancel",
    "task_answer",
    "task_comment",
    "task_cancel",
    "receipt_redeem",
    "escalation_check",
}
Tools = dict[str, Tool]


@pytest_asyncio.fixture(scope="module")
async def tools(signer: Signer, migrated: Migrated) -> AsyncIterator[Tools]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as door, door.client() as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    yield listed


async def test_the_tool_list_is_under_4000_tokens(tools: Tools) -> None:
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools.values()]
    assert len(json.dumps(listed, separators=(",", ":"))) / CHARACTERS_PER_TOKEN < 3800


async def test_no_tool_lets_an_agent_decide(tools: Tools) -> None:
    assert set(tools) == READING | DOING, "complete, claim, release and vote are for people"
    assert not [name for name, tool in tools.items() if "allow_agents" in json.dumps(tool.input_schema)]


async def test_every_tool_says_what_it_takes_gives_and_does(tools: Tools) -> None:
    for name, tool in tools.items():
        assert tool.description
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert "next" in tool.output_schema["properties"]
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint is True) == (name in READING)
        assert (tool.annotations.destructive_hint is False) == (name in DOING - {"task_cancel", "workflow_cancel"})


async def test_what_creates_or_decides_takes_an_idempotency_key(tools: Tools) -> None:
    keyed = {name for name, tool in tools.items() if "idempotency_key" in tool.input_schema["properties"]}
    assert keyed == DOING - {"receipt_redeem"}, "a receipt has its use_id"


async def test_a_wait_is_shorter_than_the_patience_of_clients(tools: Tools) -> None:
    waiting = {name for name, tool in tools.items() if "wait_seconds" in tool.input_schema["properties"]}
    assert waiting == {"ask_human", "request_approval", "task_wait", "workflow_result"}
    assert {tools[name].input_schema["properties"]["wait_seconds"]["maximum"] for name in waiting} == {50}
