"""Bad calls at the MCP door of a running stack: a clear error, and afterwards no row, event or run is there."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from spoiled_keys import REFUSALS, spoiled
from test_rest_stores_nothing import ids_of_another_tenant

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

QUESTION = {"question": "q", "conversation_id": "c", "customer_id": "d"}
START: dict[str, Any] = {"definition": "customer-support", "input": QUESTION}
LIMIT = 1024 * 1024
TEXT: list[Any] = [{"a": 1}, [[]], 7, True, "a\u0000b"]
WRONG: dict[str | None, list[Any]] = {  # by the type that an argument has
    "string": TEXT,
    "object": ["{}", [], 7, True, {"a": "\u0000"}],
    "array": ["x", {}, 7, True, [7], ["\u0000"]],
    "integer": ["5", True, {}, 2**80, 1.5],
    "number": ["0.5", True, {}, 7],
    None: ["\u0000", {"a": ["\u0000"]}],
}


@asynccontextmanager
async def agent(stack: Stack, key: str = "agent") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {stack.info['api_keys'][key]}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        yield client


async def good_calls(client: Client) -> dict[str, dict[str, Any]]:
    """For each tool that does something, arguments that it would take: of what this agent has in hand."""
    started = await call(client, "workflow_start", START)
    asked = await call(client, "task_create", {"title": "t", "groups": ["support-l1"]})
    workflow_id = {"workflow_id": started.structured_content["workflow_id"]}
    task_id = {"task_id": asked.structured_content["task_id"]}
    return {
        "workflow_start": START,
        "workflow_signal": workflow_id | {"signal": "s"},
        "workflow_cancel": workflow_id,
        "ask_human": {"question": "q", "wait_seconds": 0},
        "request_approval": {"action": "a", "args": {}, "wait_seconds": 0},
        "task_create": {"title": "t"},
        "task_answer": task_id | {"message": "m"},
        "task_comment": task_id | {"text": "t"},
        "task_cancel": task_id,
        "receipt_redeem": {"token": "t", "use_id": "u"},
        "escalation_check": {"topic": "t", "confidence": 0.5},
    }


async def call(client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    answer = await client.call_tool(tool, arguments)
    assert isinstance(answer, CallToolResult)
    return answer


def text_of(answer: CallToolResult) -> str:
    return "\n".join(block.text for block in answer.content if block.type == "text")


def bad_calls(schema: dict[str, Any], good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each call that has one wrong argument, with its name."""
    yield "surprise", good | {"surprise": 1}
    for name in schema.get("required", []):
        yield name, {given: value for given, value in good.items() if given != name}
    for name, kind in schema["properties"].items():
        for wrong in WRONG[kind.get("type")]:
            yield name, good | {name: wrong}


async def test_wrong_arguments_of_any_tool_are_refused_by_name_and_leave_nothing(stack: Stack) -> None:
    async with agent(stack) as client:
        good = await good_calls(client)
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {name for name, tool in tools.items() if not (tool.annotations and tool.annotations.read_only_hint)} == {
            *good
        }
        before = await settled(stack)
        for tool, arguments in good.items():
            for name, bad in bad_calls(tools[tool].input_schema, arguments):
                answer = await call(client, tool, bad)
                assert answer.is_error is True, (tool, bad)
                assert f"- {name}" in text_of(answer), (tool, bad, text_of(answer))
        assert await settled(stack) == before


async def test_what_the_rooms_refuse_leaves_nothing(stack: Stack) -> None:
    async with agent(stack) as client:
        before = await settled(stack)
        for tool, bad, told in (
            ("workflow_start", START | {"definition": "nope"}, "DEFINITION_NOT_FOUND"),
            ("workflow_start", START | {"input": {"question": 1}}, "- input.question: "),
            ("workflow_start", START | {"input": QUESTION | {"surprise": 1}}, "- input.surprise: "),
            ("workflow_start", START | {"on_behalf_of": "nobody@demo.example"}, "on_behalf_of"),
            ("ask_human", {"question": "q", "form": {"a": {"type": "nope"}}, "wait_seconds": 0}, "- form"),
            ("ask_human", {"question": "q", "deadline": "soon", "wait_seconds": 0}, "- deadline"),
            ("task_create", {"title": "t", "correlation": "c" * 5000}, "- correlation"),
            ("receipt_redeem", {"token": "no.receipt.this", "use_id": "u"}, "RECEIPT"),
        ):
            answer = await call(client, tool, bad)
            assert answer.is_error is True, (tool, bad)
            assert told in text_of(answer), (tool, bad, text_of(answer))
        assert await settled(stack) == before


async def test_another_tenants_ids_answer_as_ids_that_do_not_exist(stack: Stack) -> None:
    theirs = await ids_of_another_tenant(stack)
    async with agent(stack) as client:
        good = await good_calls(client)
        good |= {key: {"workflow_id": ""} for key in ("workflow_status", "workflow_result")}
        good |= {key: {"task_id": ""} for key in ("task_get", "task_wait")}
        before = await settled(stack)
        for tool, arguments in good.items():
            for name in arguments.keys() & theirs.keys():
                real = await call(client, tool, arguments | {name: theirs[name]})
                unknown = f"{theirs[name][:-4]}0000"
                made_up = await call(client, tool, arguments | {name: unknown})
                assert real.is_error is True, tool
                assert text_of(real).replace(theirs[name], unknown) == text_of(made_up)
                assert "_NOT_FOUND: " in text_of(real)
        for kind in ("workflow", "task"):
            with pytest.raises(MCPError, match="NOT_FOUND"):
                await client.read_resource(f"orkestra://{kind}s/{theirs[f'{kind}_id']}")
        assert await settled(stack) == before


async def post(stack: Stack, body: bytes, version: str, **headers: str) -> httpx2.Response:
    usual = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": version,
        "mcp-method": "tools/call",
        "mcp-name": "workflow_start",
    }
    async with httpx2.AsyncClient(timeout=60) as http:
        return await http.post(stack.info["mcp"], content=body, headers=usual | headers)


def start_body(arguments: str) -> bytes:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    }
    call = f'{{"name":"workflow_start","arguments":{arguments},"_meta":{json.dumps(meta)}}}'
    return f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{call}}}'.encode()


def bad_bodies() -> Iterator[bytes]:
    yield from (b"", b"{", b"not json", b"[]", b"null", b"\xff", b"{} {}")
    for value in ("NaN", "Infinity", "1e999", '"\\u0000"', '"\\ud800"', "[" * 50 + "]" * 50, "9" * 5000):
        yield start_body(json.dumps(START).replace('"q"', value))
    yield start_body(json.dumps(START)[:-1] + ',"definition":"customer-support"}')
    yield start_body(json.dumps(START).replace('"question":', '"question":"p","question":'))
    yield start_body(json.dumps(START)[:-1] + " " * LIMIT + "}")


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
async def test_bodies_that_are_no_strict_json_leave_nothing(stack: Stack, version: str) -> None:
    authorization = f"Bearer {stack.info['api_keys']['agent']}"
    before = await settled(stack)
    for body in bad_bodies():
        answer = await post(stack, body, version, authorization=authorization)
        told = answer.text[answer.text.index("{") :]
        said = json.loads(told.splitlines()[0])
        assert "error" in said or said["result"]["isError"] is True, (body[:300], answer.text)
    assert await settled(stack) == before
    good = await post(stack, start_body(json.dumps(START)), version, authorization=authorization)
    assert '"isError":false' in good.text, "what is sent is right but for what is spoiled in it"


async def test_without_a_good_key_nothing_is_left(stack: Stack) -> None:
    headers = await spoiled(stack)
    before = await settled(stack)
    for what, authorization in headers.items():
        given = {} if authorization is None else {"authorization": authorization}
        for version in ("2025-06-18", "2026-07-28"):
            answer = await post(stack, start_body(json.dumps(START)), version, **given)
            assert answer.status_code == 401, what
            assert answer.json()["error"]["data"]["reason"] in REFUSALS
    assert await settled(stack) == before
