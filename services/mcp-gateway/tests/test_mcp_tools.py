"""The MCP door, driven by the official client in both eras of the protocol."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from door_rooms import workflow
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ListToolsResult
from mcp_world import ERAS, McpWorld, Migrated, mcp_door
from orkestra.chassis.ratelimit import Limit
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.v1.workflow import StartWorkflowRequest, WorkflowStatus
from orkestra.wire import Context, FieldError, InvalidArgument, Model, NotFound, Unavailable

START: dict[str, Any] = {"definition": "customer-support", "input": {"n": 3, "big": 2**70}}


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_asked(door: McpWorld) -> None:
    door.rooms.reset()


class Agent:
    """Connects, asks once, and leaves: a connection must end in the task that opened it."""

    def __init__(self, door: McpWorld, era: str) -> None:
        self._door = door
        self._era = era

    async def call_tool(self, name: str, arguments: dict[str, Any], **more: Any) -> CallToolResult:
        async with self._door.client(self._era) as client:
            answer = await client.call_tool(name, arguments, **more)
        assert isinstance(answer, CallToolResult)
        return answer

    async def list_tools(self) -> ListToolsResult:
        async with self._door.client(self._era) as client:
            return await client.list_tools()


@pytest.fixture(params=ERAS)
def client(door: McpWorld, request: pytest.FixtureRequest) -> Agent:
    return Agent(door, request.param)


def text_of(answer: Any) -> str:
    return "\n".join(block.text for block in answer.content)


async def test_a_workflow_is_started_and_says_what_to_call_next(door: McpWorld, client: Agent) -> None:
    door.rooms.answer("start_workflow", workflow(handoff={"summary": "long"}))
    arguments = START | {"handoff": {"summary": "s", "agent": {"confidence": 0.4}}, "idempotency_key": "k-1"}
    answer = await client.call_tool("workflow_start", arguments)
    assert answer.is_error is False
    assert answer.structured_content is not None
    assert answer.structured_content["workflow_id"] == workflow().workflow_id
    assert answer.structured_content["status"] == "running"
    assert "handoff" not in answer.structured_content, "what the caller sent is not sent back"
    assert "workflow_result" in text_of(answer)
    (asked,) = door.rooms.asked
    assert isinstance(asked.request, StartWorkflowRequest)
    assert asked.request.input == START["input"]
    assert asked.request.handoff is not None
    assert (asked.ctx.door, asked.ctx.request_id, asked.ctx.subject) == ("mcp", "k-1", "ork_agent")


async def test_the_result_is_waited_for_with_progress(door: McpWorld, client: Agent) -> None:
    answers = iter([workflow(), workflow(), workflow(WorkflowStatus.COMPLETED, result={"answer": "yes"})])

    async def step_by_step(_ctx: Context, _request: Model) -> Model:
        await asyncio.sleep(0.05)
        return next(answers)

    door.rooms.answer("get_workflow_result", step_by_step)
    told: list[str | None] = []

    async def progress(_done: float, _total: float | None, message: str | None) -> None:
        told.append(message)

    arguments = {"workflow_id": "wf_1", "wait_seconds": 30}
    answer = await client.call_tool("workflow_result", arguments, progress_callback=progress)
    assert answer.structured_content is not None
    assert (answer.structured_content["status"], answer.structured_content["result"]) == (
        "completed",
        {"answer": "yes"},
    )
    assert told == ["The workflow is running."] * 2


async def test_a_wait_for_a_workflow_ends_when_a_reviewer_asks_something(door: McpWorld, client: Agent) -> None:
    asked = {"task_id": "task_1", "message": "Which order?"}
    door.rooms.answer("get_workflow_result", workflow(answer_needed=asked))
    answer = await client.call_tool("workflow_result", {"workflow_id": "wf_1", "wait_seconds": 30})
    assert answer.structured_content is not None
    assert answer.structured_content["answer_needed"] == asked
    assert "task_answer with task_id task_1" in answer.structured_content["next"]


async def test_a_wait_that_is_over_answers_with_the_state_so_far(door: McpWorld, client: Agent) -> None:
    async def running(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"])
        return workflow()

    door.rooms.answer("get_workflow_result", running)
    began = time.monotonic()
    answer = await client.call_tool("workflow_result", {"workflow_id": "wf_1", "wait_seconds": 1})
    assert time.monotonic() - began < 4
    assert answer.structured_content is not None
    assert answer.structured_content["status"] == "running"
    assert "again later" in text_of(answer)


async def test_a_failed_workflow_says_why(door: McpWorld, client: Agent) -> None:
    failed = workflow(WorkflowStatus.FAILED, failure={"type": "TaskExpired", "message": "Nobody answered."})
    door.rooms.answer("get_workflow", failed)
    answer = await client.call_tool("workflow_status", {"workflow_id": "wf_1"})
    assert answer.structured_content is not None
    assert answer.structured_content["failure"] == {"type": "TaskExpired", "message": "Nobody answered."}


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            InvalidArgument("INPUT_INVALID", "It does not fit.", errors=[FieldError("input.q", "required", "Needed.")]),
            "INPUT_INVALID: It does not fit.\n- input.q: Needed.\nCorrect what is named and call the tool again.",
        ),
        (NotFound("DEFINITION_NOT_FOUND", "There is no such definition."), "DEFINITION_NOT_FOUND"),
        (Unavailable("DATABASE_UNAVAILABLE", "Away.", retry_after=1.5), "Try again in 2 s."),
    ],
)
async def test_a_refusal_tells_the_model_what_to_do(
    door: McpWorld, client: Agent, refusal: Exception, told: str
) -> None:
    door.rooms.answer("start_workflow", refusal)
    answer = await client.call_tool("workflow_start", START)
    assert answer.is_error is True
    assert told in text_of(answer)


async def test_a_bug_keeps_its_text_to_itself(door: McpWorld, client: Agent, caplog: pytest.LogCaptureFixture) -> None:
    door.rooms.answer("start_workflow", RuntimeError("secret detail"))
    answer = await client.call_tool("workflow_start", START)
    assert answer.is_error is True
    assert "secret" not in text_of(answer)


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("workflow_start", START | {"color": "red"}, "color"),
        ("workflow_start", {"definition": "x"}, "input"),
        ("workflow_start", START | {"definition": 7}, "definition"),
        ("workflow_start", START | {"input": "{}"}, "input"),
        ("workflow_start", START | {"handoff": {"summary": "s", "mood": 1}}, "handoff.mood"),
        ("workflow_start", START | {"handoff": {"agent": {"confidence": True}}}, "handoff.agent.confidence"),
        ("workflow_start", START | {"input": {"a": ["b\u0000"]}}, "input.a[0]"),
        ("workflow_start", START | {"idempotency_key": "with space"}, "idempotency_key"),
        ("workflow_result", {"workflow_id": "wf_1", "wait_seconds": 51}, "wait_seconds"),
        ("workflow_result", {"workflow_id": "wf_1", "wait_seconds": "5"}, "wait_seconds"),
        ("workflow_result", {"workflow_id": "wf_1", "wait_seconds": True}, "wait_seconds"),
        ("workflow_status", {}, "workflow_id"),
        ("workflow_status", {"workflow_id": "wf_\u0000"}, "workflow_id"),
    ],
)
async def test_bad_arguments_are_refused_by_name_and_reach_no_room(
    door: McpWorld, client: Agent, tool: str, arguments: dict[str, Any], path: str
) -> None:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error is True
    assert f"- {path}: " in text_of(answer)
    assert door.rooms.asked == []


async def test_an_unknown_tool_is_refused(door: McpWorld, client: Agent) -> None:
    answer = await client.call_tool("workflow_delete", {})
    assert answer.is_error is True
    assert door.rooms.asked == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_ends_early_when_the_door_closes(signer: Signer, migrated: Migrated, era: str) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")

    async def held(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"])
        return workflow()

    async with mcp_door(signer, schema.app_url) as door, door.client(era) as client:
        door.rooms.answer("get_workflow_result", held)
        waiting = asyncio.create_task(client.call_tool("workflow_result", {"workflow_id": "w", "wait_seconds": 50}))
        await eventually(lambda: len(door.rooms.asked) == 2)
        door.drain.begin()
        answer = await asyncio.wait_for(waiting, 3)
    assert answer.structured_content is not None
    assert answer.structured_content["status"] == "running"


@pytest.mark.parametrize("era", ERAS)
async def test_a_key_that_is_revoked_during_a_wait_ends_it(
    signer: Signer, migrated: Migrated, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    monkeypatch.setattr("orkestra.mcp_gateway.tools.workflows.SLICE_SECONDS", 1)

    async def held(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"])
        return workflow()

    async with mcp_door(signer, schema.app_url) as door, door.client(era) as client:
        door.rooms.answer("get_workflow_result", held)
        waiting = asyncio.create_task(client.call_tool("workflow_result", {"workflow_id": "w", "wait_seconds": 30}))
        await eventually(lambda: len(door.rooms.asked) == 2)
        del door.rooms.people["ork_agent"]
        answer = await asyncio.wait_for(waiting, 6)
        door.rooms.know("ork_agent")
    assert answer.is_error is True
    assert "CREDENTIAL_INVALID" in text_of(answer)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer ork_revoked"}, {"authorization": "Basic eA=="}])
async def test_without_a_good_key_nobody_comes_in(door: McpWorld, headers: dict[str, str]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx2.AsyncClient() as http:
        answer = await http.post(door.url, json=body, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "CREDENTIAL" in answer.json()["error"]["message"]


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_shows_why_a_key_is_refused(door: McpWorld, era: str) -> None:
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - a group or the error itself
        async with door.client(era, key="ork_revoked") as client:
            await client.list_tools()
    assert raised.group_contains(MCPError, match="CREDENTIAL_INVALID") or "CREDENTIAL_INVALID" in str(raised.value)


async def test_other_hosts_and_origins_are_not_served(door: McpWorld) -> None:
    good = {"authorization": "Bearer ork_agent", "accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx2.AsyncClient(headers=good) as http:
        host = await http.post(door.url, json=body, headers={"host": "evil.example"})
        origin = await http.post(door.url, json=body, headers={"origin": "https://evil.example"})
    assert (host.status_code, origin.status_code) == (421, 403)


VERSIONS = ["2025-06-18", "2026-07-28"]
META = (
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    '"io.modelcontextprotocol/clientCapabilities":{},'
    '"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"}}'
)


def sending(version: str) -> httpx2.AsyncClient:
    """A client that sends bytes as a call of workflow_start."""
    headers = {
        "authorization": "Bearer ork_agent",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": version,
        "mcp-method": "tools/call",
        "mcp-name": "workflow_start",
    }
    return httpx2.AsyncClient(headers=headers)


def start_with(arguments: str) -> bytes:
    call = f'{{"name":"workflow_start","arguments":{arguments},{META}}}'
    return f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{call}}}'.encode()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "BODY_NOT_JSON"),
        (b"", 400, "BODY_NOT_JSON"),
        (b"\xff\xfe{}", 400, "BODY_NOT_JSON"),
        (b" " * 70_000, 413, "BODY_TOO_LARGE"),
        (start_with('{"definition":"d","definition":"e","input":{}}'), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":1,"a":2}}'), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":NaN}}'), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":-Infinity}}'), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":1e999}}'), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":' + "9" * 5000 + "}}"), 400, "REQUEST_INVALID"),
        (start_with('{"definition":"d","input":{"a":' + "[" * 50 + "]" * 50 + "}}"), 400, "REQUEST_INVALID"),
        (start_with("{}").replace(b'"id":1', b'"id":"\\u0000"'), 400, "REQUEST_INVALID"),
    ],
)
async def test_a_body_that_is_no_strict_json_is_an_error_that_says_why(
    door: McpWorld, version: str, body: bytes, status: int, reason: str
) -> None:
    async with sending(version) as http:
        answer = await http.post(door.url, content=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["data"]["reason"] == reason
    assert error["message"].startswith(f"{reason}: ")
    assert error["code"] == (-32700 if reason == "BODY_NOT_JSON" else -32600)
    assert door.rooms.asked == []


async def test_a_body_that_is_not_declared_json_is_refused(door: McpWorld) -> None:
    async with sending(VERSIONS[0]) as http:
        answer = await http.post(door.url, content=start_with("{}"), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["data"]["reason"]) == (415, "CONTENT_TYPE_UNSUPPORTED")


async def test_the_official_client_shows_why_a_body_is_refused(door: McpWorld) -> None:
    async with door.client() as client:
        with pytest.raises(MCPError, match="REQUEST_INVALID: JSON must not be nested deeper"):
            await client.call_tool("workflow_start", START | {"input": nested(50)})


@pytest.mark.parametrize("value", ['"\\u0000"', '"\\ud800"'])
@pytest.mark.parametrize("version", VERSIONS)
async def test_text_that_cannot_be_stored_never_reaches_a_room(door: McpWorld, version: str, value: str) -> None:
    async with sending(version) as http:
        answer = await http.post(door.url, content=start_with(f'{{"definition":"d","input":{{"a":{value}}}}}'))
    assert answer.status_code in (200, 400)
    assert "isError" in answer.text or "error" in answer.json()
    assert door.rooms.asked == []


def nested(depth: int) -> Any:
    return {} if depth == 0 else {"a": nested(depth - 1)}


async def test_too_many_calls_are_429_with_the_time_to_wait(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url, per_key=Limit("key", 2, 60)) as door, httpx2.AsyncClient() as http:
        headers = {"authorization": f"Bearer {door.rooms.know('ork_fast')}"}
        answers = [await http.post(door.url, json={}, headers=headers) for _ in range(3)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert int(answers[2].headers["retry-after"]) > 20
    assert "RATE_LIMITED" in answers[2].json()["error"]["message"]
    assert "ratelimit" in answers[0].headers


async def test_the_door_ends_in_time_while_a_client_holds_a_call(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")

    async def stuck(_ctx: Context, _request: Model) -> Model:
        await asyncio.sleep(60)
        return workflow()

    call = {"name": "workflow_status", "arguments": {"workflow_id": "w"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"authorization": "Bearer ork_agent", "accept": "application/json, text/event-stream"}
    async with mcp_door(signer, schema.app_url) as door, httpx2.AsyncClient(headers=headers, timeout=30) as http:
        door.rooms.answer("get_workflow", stuck)
        calling = asyncio.create_task(http.post(door.url, json=body))
        await eventually(lambda: len(door.rooms.asked) == 1)
        began = time.monotonic()
        await door.server.stop()
        assert time.monotonic() - began < 5
        await asyncio.wait([calling])
        assert calling.exception() is not None
