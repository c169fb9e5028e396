"""A story that carries a word and makes secrets at every door, and all places where neither may be found after it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import httpx2
import nats
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from orkestra.testkit.otlp import Received
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client

STREAMS = ("ORKESTRA_EVENTS", "ORKESTRA_DEAD")
OWN_TABLES = """
select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2
"""
SECRET_NAMES = ("secret", "token", "key", "api_key")


def aside(word: str) -> str:
    """Return what reasons and notes say in the story: events tell those, nothing else does."""
    return f"aside-{word[::-1]}"


async def play(stack: Stack, word: str) -> set[str]:
    """Let `word` go through questions, answers, drafts, comments and refusals; returns the secrets made on the way."""
    asked = {"question": f"q {word}", "conversation_id": f"c-{word}", "customer_id": f"k-{word}"}
    handed = {"summary": f"s {word}", "agent": {"name": "support-bot", "model": f"m {word}"}}
    async with stack.rest(key="agent") as agent, stack.rest(email=stack.member_of("support-l1")) as person:
        started = await _run(agent, {"definition": "customer-support", "input": asked, "handoff": handed})
        task = await _task_of(person, started)
        await _ok(person.post(f"{task}/claim", json={}))
        await _ok(person.post(f"{task}/draft", json={"data": {"answer": f"half {word}"}}))
        await _ok(person.post(f"{task}/comments", json={"text": f"comment {word}"}))
        wrong = await person.post(f"{task}/complete", json={"data": {"answer": f"a {word}", "sentiment": f"no {word}"}})
        assert wrong.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        await _ok(person.post(f"{task}/complete", json={"data": {"answer": f"a {word}", "sentiment": "positive"}}))
        ended = await agent.get(f"/v1/workflows/{started}/result", params={"wait": 30})
        assert ended.json()["result"]["answer"] == f"a {word}"
        await _question_back(agent, person, word)
        stopped = await _run(agent, {"definition": "customer-support", "input": asked})
        await _task_of(person, stopped)
        await _ok(agent.post(f"/v1/workflows/{stopped}/cancel", json={"reason": aside(word)}))
        await agent.get(f"/v1/workflows/{stopped}/result", params={"wait": 30})
        refused = await agent.post(
            "/v1/workflows", json={"definition": "customer-support", "input": {"question": word}}
        )
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    await _scheduled(stack, asked, word)
    await _over_mcp(stack, asked, handed)
    return await _secrets(stack, word)


async def _question_back(agent: httpx.AsyncClient, person: httpx.AsyncClient, word: str) -> None:
    """A task without a workflow, whose reviewer asks something."""
    body = {
        "title": "May I?",
        "description": f"about {word}",
        "candidate_groups": ["support-l1"],
        "context": {"summary": word, "data": {"deep": {"er": [word]}}},
    }
    task = f"/v1/tasks/{(await _ok(agent.post('/v1/tasks', json=body)))['task_id']}"
    await _ok(person.post(f"{task}/claim", json={}))
    await _ok(person.post(f"{task}/request-changes", json={"message": f"what of {word}?"}))
    await _ok(agent.post(f"{task}/answer", json={"message": f"this of {word}"}))
    await _ok(person.post(f"{task}/complete", json={"data": {"answer": f"so {word}"}}))


async def _scheduled(stack: Stack, asked: dict[str, str], word: str) -> None:
    async with stack.rest(key="admin") as admin:
        body = {"definition": "customer-support", "input": asked, "every": "24h", "note": aside(word)}
        schedule = (await _ok(admin.post("/v1/schedules", json=body)))["schedule_id"]
        fired = await _ok(admin.post(f"/v1/schedules/{schedule}/trigger", json={}))
        await _task_of(admin, fired["workflow_id"])


async def _over_mcp(stack: Stack, asked: dict[str, str], handed: dict[str, Any]) -> None:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        McpClient(streamable_http_client(stack.info["mcp"], http_client=http)) as client,
    ):
        arguments = {"definition": "customer-support", "input": asked, "handoff": handed}
        started = (await client.call_tool("workflow_start", arguments)).structured_content
        assert started is not None
        refused = await client.call_tool("workflow_start", arguments | {"input": {"question": asked["question"]}})
        assert refused.is_error
        await client.call_tool("workflow_cancel", {"workflow_id": started["workflow_id"]})


async def _secrets(stack: Stack, word: str) -> set[str]:
    """Make secrets, and be refused with some; returns all that must be told nowhere."""
    async with stack.rest(key="admin") as admin:
        made = await _ok(admin.post("/v1/api-keys", json={"name": "leak", "kind": "agent"}))
        hook = {"url": "http://127.0.0.1:9/hook", "events": ["task.completed"]}
        webhook = await _ok(admin.post("/v1/webhooks", json=hook))
        email = f"leak-{word[:8]}@acme.example"
        password = f"pass {word}"
        person = {"email": email, "name": "Leak", "roles": ["member"], "password": password}
        await _ok(admin.post("/v1/users", json=person))
        session = await _ok(admin.post("/v1/sessions", json={"email": email, "password": password}))
        await admin.post("/v1/sessions", json={"email": email, "password": f"wrong {word}"})
        await admin.get("/v1/me", headers={"authorization": f"Bearer ork_leak0000_{word}"})
    info = stack.info
    found = {*info["api_keys"].values(), *(user["password"] for user in info["users"])}
    for answer in (made, webhook, session):
        found |= {value for name, value in answer.items() if name in SECRET_NAMES and isinstance(value, str)}
    kept = json.loads((stack.state_dir / "secrets.json").read_text("utf-8"))
    return found | {value for value in kept.values() if isinstance(value, str) and len(value) >= 16}


async def _run(http: httpx.AsyncClient, body: dict[str, Any]) -> str:
    return str((await _ok(http.post("/v1/workflows", json=body)))["workflow_id"])


async def _task_of(http: httpx.AsyncClient, workflow_id: str) -> str:
    async def first() -> str | None:
        tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
        return f"/v1/tasks/{tasks[0]['task_id']}" if tasks else None

    return await eventually(first, timeout=60)


async def _ok(asked: Any) -> dict[str, Any]:
    answer: httpx.Response = await asked
    assert answer.is_success, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def places(stack: Stack, received: Received) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what logs, spans, figures, streams, Temporal and outboxes hold, each with its name."""
    for log in sorted((stack.state_dir / "logs").glob("*.log")):
        yield f"the log {log.name}", log.read_bytes()
    yield "spans", repr(list(received.spans.values())).encode()
    async with httpx.AsyncClient() as http:
        for name, address in stack.info["health"].items():
            yield f"the figures of {name}", (await http.get(f"{address}/metrics")).raise_for_status().content
    async for place in _messages(stack):
        yield place
    async for place in _histories(stack):
        yield place
    async for name, rows in tables(stack):
        if name.endswith(".outbox"):
            yield name, rows


async def tables(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what every table of the services holds, each with its name."""
    connection = await asyncpg.connect(stack.info["postgres"])
    try:
        for schema, table in await connection.fetch(OWN_TABLES):
            values = (value for row in await connection.fetch(f'table "{schema}"."{table}"') for value in row)
            held = (value if isinstance(value, bytes) else str(value).encode() for value in values)
            yield f"the table {schema}.{table}", b"\n".join(held)
    finally:
        await connection.close()


async def _messages(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    client = await nats.connect(stack.info["nats"])
    try:
        jetstream = client.jetstream()
        for stream in STREAMS:
            state = (await jetstream.stream_info(stream)).state
            for seq in range(max(state.first_seq, 1), state.last_seq + 1):
                message = await jetstream.get_msg(stream, seq)
                said = repr(message.headers).encode() + (message.data or b"")
                yield f"{message.subject} in {stream}", said
    finally:
        await client.close()


async def _histories(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    client = await Client.connect(stack.info["temporal"])
    async for run in client.list_workflows():
        yield f"{run.workflow_type} in Temporal's list", run.raw_info.SerializeToString()
        request = GetWorkflowExecutionHistoryRequest(namespace="default")
        request.execution.workflow_id, request.execution.run_id = run.id, run.run_id
        stored = await client.workflow_service.get_workflow_execution_history(request)
        for event in stored.history.events:
            yield f"event {event.event_id} of {run.workflow_type} in Temporal", event.SerializeToString()
    async for schedule in await client.list_schedules():
        described = await client.get_schedule_handle(schedule.id).describe()
        yield "a schedule in Temporal", described.raw_description.SerializeToString()
