"""Every MCP tool, resource, prompt and handle is tried with what belongs to another tenant; an unlisted one fails."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult
from orkestra.mcp_gateway.tools.handles import TASKS, Handles
from orkestra.testkit.stack import Stack
from other_tenant import MARK, Theirs, theirs, unchanged
from rest_matrix import BODY, INSTALLATION, LIST, OWN, THEIR_ID, Tried
from test_mcp_handles import State, Verb
from test_rest_tenants_matrix import filled

__all__ = ["theirs"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

MODERN = "2026-07-28"
QUESTION = {"question": "q", "conversation_id": "c", "customer_id": "d"}
WORKFLOW, TASK = {"workflow_id": "{workflow_id}"}, {"task_id": "{task_id}"}
TOOLS: dict[str, tuple[Tried, dict[str, Any]]] = {  # words in braces are ids: theirs first, then made-up ones
    "workflow_definitions": (INSTALLATION, {}),
    "workflow_start": (
        BODY,
        {"definition": "customer-support", "input": QUESTION, "on_behalf_of": "{user_id}"},
    ),
    "workflow_status": (THEIR_ID, WORKFLOW),
    "workflow_result": (THEIR_ID, WORKFLOW | {"wait_seconds": 5}),
    "workflow_signal": (THEIR_ID, WORKFLOW | {"signal": "s"}),
    "workflow_cancel": (THEIR_ID, WORKFLOW),
    "workflow_list": (LIST, {}),
    "task_get": (THEIR_ID, TASK),
    "task_wait": (THEIR_ID, TASK | {"wait_seconds": 5}),
    "task_answer": (THEIR_ID, TASK | {"message": "m"}),
    "task_comment": (THEIR_ID, TASK | {"text": "t"}),
    "task_cancel": (THEIR_ID, TASK),
    "task_list": (LIST, {}),
    "task_create": (BODY, {"title": "Ours", "assignees": ["{user_id}"], "groups": ["{group_id}"]}),
    "ask_human": (BODY, {"question": "q", "groups": ["{group_id}"], "wait_seconds": 0}),
    "request_approval": (BODY, {"action": "a", "args": {}, "assignees": ["{user_id}"], "wait_seconds": 0}),
    "receipt_redeem": (THEIR_ID, {"token": "{receipt}", "use_id": "theirs"}),
    "escalation_check": (OWN, {"topic": "matrix", "confidence": 0.5}),
}
RESOURCES = {
    "orkestra://workflow-definitions/{name}": INSTALLATION,
    "orkestra://workflows/{workflow_id}": THEIR_ID,
    "orkestra://tasks/{task_id}": THEIR_ID,
    "orkestra://tasks/{task_id}/conversation": THEIR_ID,
}
PROMPTS = {"hand_over": INSTALLATION, "take_answer_back": INSTALLATION}
"""Texts of the installation's, around what the caller gives."""
HANDLES = {"tasks/get": {}, "tasks/update": {"inputResponses": {"changes-1": {"action": "accept"}}}, "tasks/cancel": {}}
WAYS = [("legacy", "agent"), (MODERN, "agent"), (MODERN, "admin"), (MODERN, "person")]


@asynccontextmanager
async def client_of(stack: Stack, era: str, caller: str) -> AsyncIterator[Client]:
    async with stack.rest(email="ann@demo.example") as ann:
        credential = f"Bearer {stack.info['api_keys'].get(caller)}"
        headers = {"authorization": ann.headers["authorization"] if caller == "person" else credential}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(
                streamable_http_client(stack.info["mcp"], http_client=http),
                mode=era,
                extensions=[advertise(TASKS)] if era == MODERN else [],
            ) as client,
        ):
            yield client


@pytest.fixture(scope="module", autouse=True)
async def _theirs_stays(stack: Stack, theirs: Theirs) -> AsyncIterator[None]:
    async with unchanged(stack, theirs):
        yield


async def answered(client: Client, tool: str, ids: dict[str, str]) -> tuple[bool, str]:
    """Whether a tool refused, and all that it said."""
    answer = await client.session.call_tool(tool, json.loads(filled(TOOLS[tool][1], ids)), allow_claimed=True)
    return bool(isinstance(answer, CallToolResult) and answer.is_error), answer.model_dump_json()


async def refusal(client: Client, uri: str) -> tuple[int, str]:
    with pytest.raises(MCPError) as refused:
        await client.read_resource(uri)
    return refused.value.code, refused.value.message


def tools(*ways: Tried) -> list[str]:
    return [name for name, (how, _) in TOOLS.items() if how in ways]


async def test_everything_that_the_door_serves_is_in_the_matrix(stack: Stack) -> None:
    async with client_of(stack, MODERN, "agent") as client:
        served = {tool.name for tool in (await client.list_tools()).tools}
        templates = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        resources = (await client.list_resources()).resources
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
    assert served == TOOLS.keys(), "say above how each tool is tried with what belongs to another tenant"
    assert templates == RESOURCES.keys()
    assert not resources
    assert prompts == PROMPTS.keys()
    assert {method.method for method in Handles(None, None, {}).methods()} == HANDLES.keys()  # type: ignore[arg-type]


@pytest.mark.parametrize(("era", "caller"), WAYS)
async def test_their_ids_answer_as_ids_that_do_not_exist(stack: Stack, theirs: Theirs, era: str, caller: str) -> None:
    async with client_of(stack, era, caller) as client:
        for tool in tools(THEIR_ID):
            refused, told = await answered(client, tool, theirs.ids)
            assert refused, (tool, told)
            same = await answered(client, tool, theirs.made_up())
            assert (refused, theirs.unnamed(told)) == (same[0], theirs.unnamed(same[1])), tool
            assert MARK not in told
        for template in (uri for uri, how in RESOURCES.items() if how is THEIR_ID):
            code, told = await refusal(client, template.format_map(theirs.ids))
            other = await refusal(client, template.format_map(theirs.made_up()))
            assert (code, theirs.unnamed(told)) == (other[0], theirs.unnamed(other[1])), template


@pytest.mark.parametrize("caller", ["agent", "admin", "person"])
async def test_a_handle_of_theirs_is_no_handle(stack: Stack, theirs: Theirs, caller: str) -> None:
    async with client_of(stack, MODERN, caller) as client:
        for method, more in HANDLES.items():
            told = []
            for ids in (theirs.ids, theirs.made_up()):
                request = Verb(method=method, params={"taskId": ids["task_id"], **more})
                with pytest.raises(MCPError) as refused:
                    await client.session.send_request(request, State)
                told.append((refused.value.code, theirs.unnamed(refused.value.message)))
            assert told[0] == told[1], method


@pytest.mark.parametrize(("era", "caller"), WAYS)
async def test_no_list_has_anything_of_theirs(stack: Stack, theirs: Theirs, era: str, caller: str) -> None:
    async with client_of(stack, era, caller) as client:
        for tool in tools(LIST, OWN):
            refused, told = await answered(client, tool, {})
            assert theirs.in_(told) == [], (tool, refused)


@pytest.mark.parametrize(("era", "caller"), WAYS)
async def test_their_ids_as_arguments_are_as_made_up_ones(stack: Stack, theirs: Theirs, era: str, caller: str) -> None:
    async with client_of(stack, era, caller) as client:
        for tool in tools(BODY):
            refused, told = await answered(client, tool, theirs.ids)
            same = await answered(client, tool, theirs.made_up())
            assert refused == same[0], (tool, told, same)
            assert MARK not in told, tool
            if refused:
                assert theirs.unnamed(told) == theirs.unnamed(same[1]), tool


async def test_nobody_listens_to_what_is_theirs(stack: Stack, theirs: Theirs) -> None:
    async with client_of(stack, MODERN, "admin") as client:
        for template in (uri for uri, how in RESOURCES.items() if how is THEIR_ID):
            told = []
            for ids in (theirs.ids, theirs.made_up()):
                with pytest.raises(MCPError) as refused:
                    async with client.listen(resource_subscriptions=[template.format_map(ids)]):
                        pass
                told.append((refused.value.code, theirs.unnamed(refused.value.message)))
            assert told[0] == told[1], template
