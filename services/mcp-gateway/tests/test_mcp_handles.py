"""The tasks extension: a client that declares it holds a handle instead of a call."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
import pytest_asyncio
from mcp import Client, types
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim, advertise
from mcp.shared.exceptions import MCPError
from mcp_world import MODERN, ROUND, McpWorld, Migrated, asked_task, mcp_door
from orkestra.chassis.tokens import Signer
from orkestra.mcp_gateway.tools.handles import TASKS
from orkestra.v1.task import AnswerTaskRequest
from orkestra.wire import Context, FailedPrecondition, Model, NotFound
from pydantic import ConfigDict, Field

TASK = asked_task().task_id
ANSWERED = ROUND | dict.fromkeys(("answered_at", "closed_at"), "2030-01-31T12:02:00Z") | {"answer": "Order 7."}
QUESTION = {"question": "May I?", "groups": ["support-l2"]}


class Given(types.Result):
    """What a call answers in the place of its result."""

    result_type: Literal["task"] = Field(default="task", alias="resultType")
    task_id: str = Field(alias="taskId")
    status: str
    status_message: str = Field(alias="statusMessage")
    ttl_ms: int | None = Field(alias="ttlMs")
    poll_interval_ms: int = Field(alias="pollIntervalMs")


class Verb(types.Request[dict[str, Any], str]):
    """tasks/get, tasks/update and tasks/cancel."""

    name_param = "taskId"


class State(types.Result):
    """Whatever a verb answers."""

    model_config = ConfigDict(extra="allow")


class Polling(ClientExtension):
    """Holds handles, and polls them until they have a result."""

    identifier = TASKS

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Given, resolve=self.poll)]

    async def poll(self, given: Given, context: ClaimContext) -> types.CallToolResult:
        while True:
            request = Verb(method="tasks/get", params={"taskId": given.task_id})
            state = (await context.session.send_request(request, State)).model_dump()
            if state["status"] != "working":
                return types.CallToolResult.model_validate(state["result"])
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[McpWorld]:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    async with mcp_door(signer, schema.app_url) as world:
        world.rooms.know("ork_stranger")
        yield world


@pytest.fixture(autouse=True)
def _an_open_task(door: McpWorld) -> None:
    door.rooms.reset()
    door.rooms.answer("create_task", asked_task())
    door.rooms.answer("get_task", asked_task())


async def verb(client: Client, method: str, task_id: str = TASK, **params: Any) -> dict[str, Any]:
    request = Verb(method=method, params={"taskId": task_id, **params})
    return (await client.session.send_request(request, State)).model_dump(by_alias=True)


async def test_a_call_is_transparent_to_a_client_that_polls(door: McpWorld) -> None:
    states = iter([asked_task(), asked_task(status="completed", result={"answer": "Yes."})])

    async def looked_at(_ctx: Context, _request: Model) -> Model:
        return next(states)

    door.rooms.answer("get_task", looked_at)
    async with door.client(MODERN, extensions=[Polling()]) as client:
        answer = await client.call_tool("ask_human", QUESTION)
    assert isinstance(answer, types.CallToolResult)
    assert answer.structured_content is not None
    assert answer.structured_content["result"] == {"answer": "Yes."}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("ask_human", QUESTION), ("request_approval", {"action": "a", "args": {}}), ("task_wait", {"task_id": TASK})],
)
async def test_a_handle_says_whom_it_waits_for(door: McpWorld, tool: str, arguments: dict[str, Any]) -> None:
    async with door.client(MODERN, extensions=[Polling()]) as client:
        given = await client.session.call_tool(tool, arguments, allow_claimed=True)
        state = await verb(client, "tasks/get")
    assert isinstance(given, Given)
    assert (given.task_id, given.status, given.ttl_ms) == (TASK, "working", None)
    assert given.status_message == "waiting for support-l2"
    assert (state["status"], state["statusMessage"]) == ("working", "waiting for support-l2")


async def test_a_refused_question_is_an_ordinary_error(door: McpWorld) -> None:
    door.rooms.answer("create_task", FailedPrecondition("NO", "Not now."))
    async with door.client(MODERN, extensions=[Polling()]) as client:
        answer = await client.call_tool("ask_human", QUESTION)
        other = await client.call_tool("task_get", {"task_id": TASK})
    assert isinstance(answer, types.CallToolResult)
    assert answer.is_error is True
    assert isinstance(other, types.CallToolResult), "only calls that wait give handles"


async def test_an_undeclared_client_gets_no_handle_and_no_verb(door: McpWorld) -> None:
    async with door.client(MODERN) as client:
        answer = await client.call_tool("ask_human", QUESTION | {"wait_seconds": 0})
        with pytest.raises(MCPError) as raised:
            await verb(client, "tasks/get")
    assert isinstance(answer, types.CallToolResult)
    assert raised.value.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("task_id", [TASK, "task_1.x", "no such"])
async def test_an_id_is_no_credential(door: McpWorld, method: str, task_id: str) -> None:
    if task_id != TASK:
        door.rooms.answer("get_task", NotFound("TASK_NOT_FOUND", "There is no such task."))
    params = {"inputResponses": {"changes-1": {"action": "accept"}}} if method == "tasks/update" else {}
    async with door.client(MODERN, "ork_stranger", extensions=[Polling()]) as client:
        with pytest.raises(MCPError) as raised:
            await verb(client, method, task_id, **params)
    assert (raised.value.code, raised.value.message) == (types.INVALID_PARAMS, "Task not found")
    assert {asked.rpc for asked in door.rooms.asked} <= {"get_task"}


@pytest.mark.parametrize(
    ("status", "shown"), [("completed", "completed"), ("expired", "completed"), ("cancelled", "cancelled")]
)
async def test_the_end_of_a_task_is_the_end_of_its_handle(door: McpWorld, status: str, shown: str) -> None:
    door.rooms.answer("get_task", asked_task(status=status, reason="Asked twice."))
    async with door.client(MODERN, extensions=[Polling()]) as client:
        state = await verb(client, "tasks/get")
    assert state["status"] == shown
    if shown == "completed":
        assert state["result"]["structuredContent"]["status"] == status
    else:
        assert state["statusMessage"] == "Asked twice."


async def test_a_client_that_cannot_be_asked_gets_the_request_as_result_for_good(door: McpWorld) -> None:
    async with door.client(MODERN, extensions=[Polling()]) as client:
        door.rooms.answer("get_task", asked_task(status="waiting", change_requests=[ROUND]))
        asked = await verb(client, "tasks/get")
        door.rooms.answer("get_task", asked_task(change_requests=[ANSWERED]))
        later = await verb(client, "tasks/get")
        following = await client.session.call_tool("task_wait", {"task_id": TASK}, allow_claimed=True)
        assert isinstance(following, Given)
        state = await verb(client, "tasks/get", following.task_id)
    assert asked["status"] == later["status"] == "completed"
    assert asked["result"] == later["result"], "an end stays what it was"
    assert asked["result"]["structuredContent"]["answer_needed"] == {"task_id": TASK, "message": "Which order?"}
    assert (following.task_id, state["status"]) == (f"{TASK}.1", "working")


async def test_the_clients_own_user_is_asked_where_the_client_can(door: McpWorld) -> None:
    async def never(*_: Any) -> types.ElicitResult:
        raise AssertionError("the server asks through the handle")

    door.rooms.answer("answer_task", asked_task())
    async with door.client(MODERN, extensions=[Polling()], elicitation_callback=never) as client:
        door.rooms.answer("get_task", asked_task(status="waiting", change_requests=[ROUND]))
        state = await verb(client, "tasks/get")
        given = {"changes-1": {"action": "accept", "content": {"message": "Order 7."}}, "other": {"action": "accept"}}
        await verb(client, "tasks/update", inputResponses=given)
        await verb(client, "tasks/update", inputResponses={"changes-1": {"action": "decline"}})
    assert state["status"] == "input_required"
    request = state["inputRequests"]["changes-1"]
    assert "Which order?" in request["params"]["message"]
    types.ElicitRequest.model_validate(request)
    answers = [asked.request for asked in door.rooms.asked if asked.rpc == "answer_task"]
    assert [answer.message for answer in answers if isinstance(answer, AnswerTaskRequest)] == [
        "Order 7.",
        "The requester declined to answer.",
    ]


async def test_a_handle_is_cancelled_once(door: McpWorld) -> None:
    door.rooms.answer("cancel_task", asked_task(status="cancelled"))
    async with door.client(MODERN, extensions=[Polling()]) as client:
        await verb(client, "tasks/cancel")
        door.rooms.answer("get_task", asked_task(status="cancelled"))
        await verb(client, "tasks/cancel")
    assert [asked.rpc for asked in door.rooms.asked].count("cancel_task") == 1


async def test_the_extension_is_advertised(door: McpWorld) -> None:
    async with door.client("auto", extensions=[advertise(TASKS)]) as client:
        assert client.server_capabilities is not None
        assert TASKS in (client.server_capabilities.extensions or {})
