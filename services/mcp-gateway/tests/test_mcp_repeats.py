"""Every tool with an idempotency key before the real rooms, called again with the same one; one not here fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from repeated_calls import GROUP, START, Body, Ids, Own, Watch, own_tenant, watching
from test_mcp_tool_list import DOING

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

KEYED = sorted(DOING - {"receipt_redeem"})
"""A receipt has its use_id."""
DONE_BEFORE = "This was done before"
SAID_NOTHING = {"escalation_check"}
"""Tools whose answer to a repetition is the first one to the letter."""


@dataclass(frozen=True)
class Repeated:
    """What a tool is called with, and what the same key must not stand for."""

    arguments: Body
    other: Body


@dataclass
class Asked:
    """Every tool was called once, with a key."""

    stack: Stack
    own: Own
    watch: Watch
    calls: dict[str, Repeated]
    first: dict[str, CallToolResult]
    before: Ids

    async def again(self, agent: Client, tool: str, **changed: Any) -> CallToolResult:
        return await call(agent, tool, self.calls[tool].arguments | changed, key=key_of(tool, self.own))

    async def changed(self) -> list[str]:
        """What is otherwise than after the first calls."""
        now = await self.watch.state(self.own.tenants)
        before, self.before = self.before, now
        return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


@asynccontextmanager
async def agent_of(stack: Stack, own: Own) -> AsyncIterator[Client]:
    """The tenant's agent at the MCP door."""
    headers = {"authorization": f"Bearer {own.callers.credential('agent')}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as agent,
    ):
        yield agent


def key_of(tool: str, own: Own) -> str:
    """A key of each tool's own: several tools ask the same of a room."""
    return f"{own.slug}-{tool}"


async def call(agent: Client, tool: str, arguments: Body, *, key: str | None = None) -> CallToolResult:
    answer = await agent.call_tool(tool, arguments | ({} if key is None else {"idempotency_key": key}))
    assert isinstance(answer, CallToolResult)
    return answer


async def asked_for(agent: Client, own: Own, *, asked_back: bool = False) -> str:
    """Ask the group something as the agent; Ann has asked something back where it is `asked_back`."""
    opened = await call(agent, "task_create", {"title": "May I?", "groups": [GROUP]})
    task_id = str((opened.structured_content or {})["task_id"])
    if asked_back:
        await own.callers.done("ann", f"/v1/tasks/{task_id}/claim")
        await own.callers.done("ann", f"/v1/tasks/{task_id}/request-changes", {"message": "Which order?"})
    return task_id


async def every_call(agent: Client, own: Own) -> dict[str, Repeated]:
    asks = {"question": "One?", "groups": [GROUP], "wait_seconds": 0}
    approval = {"action": "refund", "args": {"order": 1}, "groups": [GROUP], "wait_seconds": 0}
    signal = {"workflow_id": await own.run(by="agent"), "signal": "go-on", "payload": "one"}
    cancel = {"workflow_id": await own.run(by="agent"), "reason": "one"}
    comment = {"task_id": await asked_for(agent, own), "text": "One."}
    answered = {"task_id": await asked_for(agent, own, asked_back=True), "message": "Order 1."}
    return {
        "ask_human": Repeated(asks, {"question": "Other?"}),
        "request_approval": Repeated(approval, {"args": {"order": 2}}),
        "task_create": Repeated({"title": "One?", "groups": [GROUP]}, {"title": "Other?"}),
        "task_comment": Repeated(comment, {"text": "Other."}),
        "task_answer": Repeated(answered, {"message": "Order 2."}),
        "task_cancel": Repeated({"task_id": await asked_for(agent, own), "reason": "one"}, {"reason": "other"}),
        "workflow_start": Repeated(START, {"input": START["input"] | {"question": "other"}}),
        "workflow_signal": Repeated(signal, {"payload": "other"}),
        "workflow_cancel": Repeated(cancel, {"reason": "other"}),
        "escalation_check": Repeated({"topic": "returns", "confidence": 0.4}, {"confidence": 0.5}),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asked(stack: Stack) -> AsyncIterator[Asked]:
    async with own_tenant(stack) as own, watching(stack) as watch:
        async with agent_of(stack, own) as agent:
            calls = await every_call(agent, own)
            first = {tool: await call(agent, tool, one.arguments, key=key_of(tool, own)) for tool, one in calls.items()}
        refused = {tool: answer.content for tool, answer in first.items() if answer.is_error}
        assert not refused, refused
        await eventually(lambda: have_come_through(own, first), timeout=60)
        yield Asked(stack, own, watch, calls, first, await watch.still(own.tenants))


async def have_come_through(own: Own, first: dict[str, CallToolResult]) -> bool:
    """Whether what was started waits for people, and what was cancelled has ended."""
    started, cancelled = (
        (first[tool].structured_content or {})["workflow_id"] for tool in ("workflow_start", "workflow_cancel")
    )
    tasks = (await own.callers.get("admin", f"/v1/tasks?workflow_id={started}"))["tasks"]
    ended = (await own.callers.get("admin", f"/v1/workflows/{cancelled}"))["status"]
    return bool(tasks) and ended == "cancelled"


@pytest.mark.parametrize("tool", KEYED)
async def test_a_repeated_call_has_the_first_ones_answer_and_no_effect(asked: Asked, tool: str) -> None:
    first = asked.first[tool].structured_content or {}
    async with agent_of(asked.stack, asked.own) as agent:
        again = (await asked.again(agent, tool)).structured_content or {}
        refused = await asked.again(agent, tool, **asked.calls[tool].other)
    assert again.keys() == first.keys()
    assert {name: again[name] for name in again if name != "next"} == {
        name: first[name] for name in first if name != "next"
    }
    assert (DONE_BEFORE in again["next"]) == (tool not in SAID_NOTHING)
    assert DONE_BEFORE not in first["next"]
    assert refused.is_error
    assert "REQUEST_ID_REUSED" in str(refused.content)
    assert await asked.changed() == []


async def test_an_agent_sees_what_may_be_started_and_what_it_has_started(asked: Asked) -> None:
    cancelled = asked.calls["workflow_cancel"].arguments["workflow_id"]
    async with agent_of(asked.stack, asked.own) as agent:
        listed = (await call(agent, "workflow_definitions", {})).structured_content or {}
        mine = (await call(agent, "workflow_list", {})).structured_content or {}
        seen = (await call(agent, "workflow_status", {"workflow_id": cancelled})).structured_content or {}
    assert {"customer-support", "counts-repeats"} <= {one["name"] for one in listed["definitions"]}
    started = (asked.first["workflow_start"].structured_content or {})["workflow_id"]
    assert {started, cancelled} <= {one["workflow_id"] for one in mine["workflows"]}
    assert seen["status"] == "cancelled"
