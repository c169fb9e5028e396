"""An agent's key decides nothing by any path: every rpc, every REST route and every MCP tool is tried on a real task.

The paths are read from the services' own lists, so that a new one is tried without anybody remembering it, and what a
person with the same arguments achieves shows which of them decide.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_origin
from uuid import uuid4

import grpc
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Tool
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, ROOMS, Endpoint
from orkestra.testkit.stack import Stack
from orkestra.v1.identity import ExchangeCredentialRequest, IdentityServiceClient
from orkestra.v1.task import (
    ClaimTaskRequest,
    CreateTaskRequest,
    GetTaskRequest,
    Task,
    TaskServiceClient,
    TaskStatus,
)
from orkestra.wire import Error, Model, RpcClient
from pydantic import AwareDatetime, ValidationError

pytestmark = pytest.mark.xdist_group("stack")

ANSWER = {"answer": "Yes."}
ANN = "ann@demo.example"
FIRST = ("claim_task", "complete_task")
"""What is known to decide; a person's tries find these and whatever else does."""
UNCHANGED = ("assignee", "outcome", "result", "completed_by", "decided_by")
Call = Callable[[Task], Awaitable[object]]


def given(name: str, task: Task, me: str) -> Any:
    """Returns what an argument of this name is given: the task, the caller, and words that are taken anywhere."""
    if name in ("assignee", "user_id", "on_behalf_of"):
        return me
    if name in ("assignees", "candidate_users", "users"):
        return [me]
    known: dict[str, Any] = {
        "task_id": task.task_id,
        "task_ids": [task.task_id],
        "data": ANSWER,
        "version": task.version,
    }
    known |= {"vote": "approve", "confidence": 0.4, "wait_seconds": 0, "options": [], "args": {}, "use_id": "once"}
    known |= {"title": "More", "reason": "r", "message": "m", "text": "t", "topic": "t", "token": "x", "action": "a"}
    return known.get(name)


class Caller:
    """One principal with its own token, as rooms know it; `me` is how it names itself."""

    def __init__(self, stack: Stack, channels: "dict[str, grpc.aio.Channel]", credential: str, me: str) -> None:
        self._channels = channels
        self._credential = credential
        self.me = me
        self.tasks = self.client(TaskServiceClient)

    def client(self, room: type[RpcClient]) -> Any:
        service = room.__name__.removesuffix("ServiceClient").lower()
        return room(self._channels[service], self._token)

    async def _token(self) -> str:
        identity = IdentityServiceClient(self._channels["identity"])
        return (await identity.exchange_credential(ExchangeCredentialRequest(credential=self._credential))).token

    async def create(self) -> Task:
        asked = CreateTaskRequest(title="May it go back?", candidate_groups=["support-l1"])
        created: Task = await self.tasks.create_task(asked)
        return created


@pytest.fixture(scope="module")
async def channels(stack: Stack) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    opened = {
        room: grpc.aio.insecure_channel(stack.info[room]) for room in ("identity", "task", "workflow", "notification")
    }
    yield opened
    for one in opened.values():
        await one.close(None)


@asynccontextmanager
async def person(stack: Stack, channels: dict[str, grpc.aio.Channel]) -> AsyncIterator[Caller]:
    async with stack.rest(email=ANN) as http:
        me = (await http.get("/v1/me")).json()["subject"]
        yield Caller(stack, channels, http.headers["authorization"].removeprefix("Bearer "), me)


@asynccontextmanager
async def agent(stack: Stack, channels: dict[str, grpc.aio.Channel]) -> AsyncIterator[Caller]:
    async with stack.rest(key="agent") as http:
        me = (await http.get("/v1/me")).json()["subject"]
    yield Caller(stack, channels, stack.info["api_keys"]["agent"], me)


def rpcs(room: type[RpcClient]) -> Iterator[tuple[str, type[Model]]]:
    for name, rpc in vars(room).items():
        if inspect.iscoroutinefunction(rpc):
            yield name, inspect.signature(rpc, eval_str=True).parameters["request"].annotation


def request_of(takes: type[Model], task: Task, me: str) -> Model:
    """Returns a request with everything given that has a known name, and plain values for what must be there."""
    fields = {name: given(name, task, me) for name in takes.model_fields}
    for name, field in takes.model_fields.items():
        if get_origin(field.annotation) is list and fields[name] is not None and not isinstance(fields[name], list):
            fields[name] = [fields[name]] if isinstance(fields[name], str) else None  # answers are no words to find
        if fields[name] is None and field.is_required():
            fields[name] = plain(field.annotation, task, me)
    return takes.model_validate({name: value for name, value in fields.items() if value is not None})


def plain(annotation: Any, task: Task, me: str) -> Any:
    if inspect.isclass(annotation) and issubclass(annotation, Model):
        return request_of(annotation, task, me)
    if inspect.isclass(annotation) and issubclass(annotation, StrEnum):
        return next(iter(annotation))
    if annotation in (datetime, AwareDatetime):
        return datetime.now(UTC)
    return {int: 1, float: 0.5, bool: True, str: "x"}.get(annotation, {})


def decided(before: Task, after: Task) -> bool:
    """Whether something was claimed, released, answered or handed to somebody."""
    same = all(getattr(before, name) == getattr(after, name) for name in UNCHANGED)
    ended = after.status in (TaskStatus.CANCELLED, TaskStatus.EXPIRED)
    return not same or (after.status != before.status and not ended)


async def refusal_of(call: Awaitable[object]) -> str | None:
    try:
        await call
    except Error as refusal:
        return refusal.reason
    except ValidationError:
        return "REQUEST_INVALID"
    return None


async def looked_at(caller: Caller, task: Task) -> Task:
    found: Task = await caller.tasks.get_task(GetTaskRequest(task_id=task.task_id))
    return found


async def test_no_rpc_of_any_room_lets_an_agent_decide(stack: Stack, channels: dict[str, grpc.aio.Channel]) -> None:
    deciding, forgiven, open_to_agents, refusals = set(), {}, {}, {}
    async with agent(stack, channels) as bot, person(stack, channels) as ann:
        for room in ROOMS:
            for name, takes in rpcs(room):
                for is_claimed in (False, True):
                    task = await bot.create()
                    if is_claimed:
                        await ann.tasks.claim_task(ClaimTaskRequest(task_id=task.task_id))
                    before = await looked_at(ann, task)
                    call = getattr(bot.client(room), name)
                    reason = await refusal_of(call(request_of(takes, before, bot.me)))
                    if decided(before, after := await looked_at(ann, task)):
                        open_to_agents[name] = after
                    if room is not TaskServiceClient:
                        continue
                    refusals[name] = reason
                    await refusal_of(getattr(ann.tasks, name)(request_of(takes, after, ann.me)))
                    if decided(after, await looked_at(ann, task)):
                        deciding.add(name)
                        if reason is None:
                            forgiven[name] = after
    assert open_to_agents == {}
    assert forgiven == {}
    assert deciding >= {*FIRST, "release_task"}
    assert {refusals[name] for name in FIRST} == {"ONLY_PEOPLE_DECIDE"}


def arguments_of(endpoint: Endpoint, task: Task, me: str) -> tuple[str, dict[str, Any] | None]:
    filled = {name: given(name, task, me) or "x" for name in endpoint.in_path}
    body = request_of(endpoint.takes, task, me).model_dump(
        mode="json", exclude_none=True, exclude=set(endpoint.in_path)
    )
    return endpoint.path.format_map(filled), body if endpoint.has_body else None


async def test_no_rest_route_lets_an_agent_decide(stack: Stack, channels: dict[str, grpc.aio.Channel]) -> None:
    served = set()
    async with agent(stack, channels) as bot, person(stack, channels) as ann, stack.rest(key="agent") as http:
        told = (await http.get("/v1/openapi.json")).json()["paths"]
        for endpoint in ENDPOINTS:
            assert endpoint.verb.lower() in told[endpoint.path], endpoint
            task = await bot.create()
            path, body = arguments_of(endpoint, task, bot.me)
            headers = {"idempotency-key": uuid4().hex}
            answer = await http.request(endpoint.verb, path, json=body, headers=headers)
            assert answer.status_code < 500, answer.text
            assert not decided(task, await looked_at(ann, task)), (endpoint.verb, endpoint.path)
            if endpoint.rpc.__name__ in FIRST:
                served.add(endpoint.rpc.__name__)
                assert (answer.status_code, answer.json()["code"]) == (403, "ONLY_PEOPLE_DECIDE"), answer.text
    assert served == set(FIRST)


def tool_arguments(tool: Tool, task: Task, me: str) -> dict[str, Any]:
    values: dict[str, Any] = {"string": "x", "integer": 0, "number": 0.5, "object": {}, "array": [], "boolean": True}
    filled = {}
    for name, schema in tool.input_schema["properties"].items():
        value = given(name, task, me)
        if value is None and name in tool.input_schema.get("required", ()):
            value = values[schema["type"]]
        if value is not None:
            filled[name] = value
    return filled


async def test_no_mcp_tool_lets_an_agent_decide(stack: Stack, channels: dict[str, grpc.aio.Channel]) -> None:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    tried = 0
    async with (
        agent(stack, channels) as bot,
        person(stack, channels) as ann,
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        for tool in (await client.list_tools()).tools:
            for words in ({}, {"data": ANSWER}, {"assignees": [bot.me]}):  # unknown arguments are refused, not obeyed
                task = await bot.create()
                await client.call_tool(tool.name, tool_arguments(tool, task, bot.me) | words)
                assert not decided(task, await looked_at(ann, task)), tool.name
                tried += 1
            assert not {"claim", "complete", "vote"} & set(tool.name.split("_")), tool.name
    assert tried >= 3 * 18


async def test_an_agent_that_acts_for_a_person_still_decides_nothing(
    stack: Stack, channels: dict[str, grpc.aio.Channel]
) -> None:
    """Its key was granted everyone; being granted somebody lets it ask for them, not decide in their place."""
    async with agent(stack, channels) as bot, person(stack, channels) as ann:
        asked = CreateTaskRequest(title="For Ann", candidate_groups=["support-l1"], on_behalf_of=ann.me)
        task: Task = await bot.tasks.create_task(asked)
        assert task.on_behalf_of == ann.me
        for name, takes in rpcs(TaskServiceClient):
            await refusal_of(getattr(bot.tasks, name)(request_of(takes, task, ann.me)))
            assert not decided(task, await looked_at(ann, task)), name
        named = CreateTaskRequest(title="By itself", candidate_groups=["support-l1"], allow_agents=[bot.me])
        assert await refusal_of(bot.tasks.create_task(named)) == "AGENTS_NOT_ALLOWED"
