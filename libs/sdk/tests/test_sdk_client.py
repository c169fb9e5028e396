"""What the client for programs does with a door's answers; tests/e2e has it before the whole stack."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from customer_support.workflows import Question, customer_support
from orkestra.chassis.http import HttpServer
from orkestra.sdk import Client
from orkestra.v1.task import Task
from orkestra.wire import AlreadyExists, Error, FailedPrecondition, FieldError, Internal, InvalidArgument, Unavailable
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

QUESTION = Question(question="May I?", conversation_id="c-1", customer_id="cust-1")
RUN = {
    "workflow_id": "wf_1",
    "definition": "customer-support",
    "version": 1,
    "status": "running",
    "started_at": "2030-01-31T12:00:00Z",
    "tenant_id": "t",
    "resource_version": 1,
    "updated_at": "2030-01-31T12:00:00Z",
}
TASK = {
    "task_id": "task_1",
    "tenant_id": "t",
    "title": "Customer needs help",
    "priority": "normal",
    "status": "completed",
    "version": 3,
    "revision": 1,
    "created_at": "2030-01-31T12:00:00Z",
    "updated_at": "2030-01-31T12:00:00Z",
}
Answers = Callable[[Request], tuple[int, Any]]


class Door:
    """A REST door that says what a test wants it to."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[Request, Any]] = []

    async def serve(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append((request, json.loads(body) if body else None))
        status, answer = self.answers(request)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(text, status, headers={"retry-after": "0"} if status == 503 else None)


@asynccontextmanager
async def door(answers: Answers) -> AsyncIterator[tuple[Door, Client]]:
    fake = Door(answers)
    app = Starlette(routes=[Route("/{path:path}", fake.serve, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
    server = HttpServer(app, host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    try:
        async with Client(f"http://127.0.0.1:{server.port}/", "ork_known", patience=5) as client:
            yield fake, client
    finally:
        await server.stop()


def problem(status: int, code: str, **more: Any) -> tuple[int, Any]:
    return status, {"type": "", "title": "", "status": status, "detail": "No.", "code": code, "errors": [], **more}


async def test_a_call_that_is_tried_again_has_the_same_request_id_and_another_call_has_its_own() -> None:
    replies = iter([problem(503, "DATABASE_UNAVAILABLE"), problem(409, "REQUEST_RUNNING"), (201, RUN), (201, RUN)])
    async with door(lambda _: next(replies)) as (fake, client):
        started = await client.start(customer_support, QUESTION, tags=["vip"])
        await client.start("customer-support", {"question": None, "nested": {"kept": None}}, request_id="mine")
    assert started.workflow_id == "wf_1"
    keys = [request.headers["idempotency-key"] for request, _ in fake.asked]
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] == "mine" != keys[0]
    assert fake.asked[0][0].headers["authorization"] == "Bearer ork_known"
    assert fake.asked[0][1] == {"definition": "customer-support", "input": QUESTION.model_dump(), "tags": ["vip"]}
    assert fake.asked[3][1]["input"] == {"question": None, "nested": {"kept": None}}


async def test_an_answer_that_was_lost_on_its_way_is_asked_for_again_under_the_same_request_id() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head.lower())[0]))
        heard.append(re.findall(rb"idempotency-key: (\S+)", head.lower())[0])
        if len(heard) > 1:  # the first request had its effect, and its answer never arrived
            body = json.dumps(RUN).encode()
            writer.write(b"HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "ork_known") as client:
        assert (await client.start("customer-support", QUESTION)).workflow_id == "wf_1"
    assert len(heard) == 2
    assert heard[0] == heard[1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 422, 500])
async def test_what_would_be_refused_again_is_asked_once(status: int) -> None:
    async with door(lambda _: problem(status, "NO")) as (fake, client):
        with pytest.raises(Error):
            await client.start("customer-support", QUESTION)
    assert len(fake.asked) == 1


async def test_a_change_without_a_request_id_is_never_sent_twice() -> None:
    async with door(lambda _: problem(503, "DATABASE_UNAVAILABLE")) as (fake, client):
        for verb in ("PUT", "PATCH", "DELETE"):
            with pytest.raises(Unavailable):
                await client.call(Task, verb, "/v1/tasks/task_1")
    assert len(fake.asked) == 3


async def test_a_refusal_is_the_error_that_the_service_raised() -> None:
    errors = [{"path": "data.answer", "code": "required", "message": "This field is required."}]
    replies = iter(
        [
            problem(422, "ANSWER_INVALID", errors=errors),
            problem(409, "TASK_NOT_OPEN", current=TASK),
            problem(409, "BUSINESS_ID_TAKEN"),
        ]
    )
    async with door(lambda _: next(replies)) as (fake, client):
        with pytest.raises(InvalidArgument) as invalid:
            await client.complete("task_1", {})
        with pytest.raises(FailedPrecondition) as late:
            await client.claim("task_1")
        with pytest.raises(AlreadyExists):
            await client.start("customer-support", QUESTION)
    assert invalid.value.errors == (FieldError("data.answer", "required", "This field is required."),)
    assert (late.value.reason, late.value.current) == ("TASK_NOT_OPEN", Task.model_validate(TASK))
    assert len(fake.asked) == 3


async def test_what_does_not_answer_and_what_is_no_door_are_said() -> None:
    async with Client("http://127.0.0.1:1", "ork_known", patience=0) as client:
        with pytest.raises(Unavailable) as away:
            await client.me()
    async with door(lambda _: (200, "<html>")) as (_, client):
        with pytest.raises(Internal) as other:
            await client.me()
    async with door(lambda _: (502, "<html>")) as (_, client):
        with pytest.raises(Internal):
            await client.me()
    assert (away.value.reason, other.value.reason) == ("DOOR_UNREACHABLE", "ANSWER_UNREADABLE")


async def test_lists_go_on_to_the_last_page() -> None:
    pages = {None: {"tasks": [TASK], "next_page_token": "2"}, "2": {"tasks": [TASK, TASK], "next_page_token": None}}
    async with door(lambda request: (200, pages[request.query_params.get("page_token")])) as (fake, client):
        found = [task async for task in client.tasks(group="support-l1")]
    assert len(found) == 3
    assert [dict(request.query_params) for request, _ in fake.asked] == [
        {"group": "support-l1"},
        {"group": "support-l1", "page_token": "2"},
    ]


async def test_waiting_asks_again_until_the_run_has_ended() -> None:
    replies = iter([RUN, RUN, {**RUN, "status": "completed", "result": {"answer": "Yes."}}])
    async with door(lambda _: (200, next(replies))) as (fake, client):
        done = await client.wait("wf_1")
    assert (done.status, done.result, len(fake.asked)) == ("completed", {"answer": "Yes."}, 3)


async def test_waiting_ends_when_the_time_is_over() -> None:
    async with door(lambda _: (200, RUN)) as (fake, client):
        assert (await client.wait("wf_1", timeout=0)).status == "running"
    assert [dict(request.query_params) for request, _ in fake.asked] == [{"wait": "0"}]
