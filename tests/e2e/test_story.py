"""The job that Orkestra exists for, through the public doors of a running stack."""

import asyncio
import time
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("stack")

QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
HANDOFF = {
    "summary": "An opened headset.",
    "conversation": [{"role": "user", "text": "I opened the box. May I still return it?"}],
    "agent": {"name": "support-bot", "confidence": 0.41},
}
ANSWER = {"answer": "Yes, within 30 days.", "sentiment": "positive"}
RESULT = {"answer": "Yes, within 30 days.", "handled_by": "human"}


async def start(http: httpx.AsyncClient, definition: str = "customer-support") -> str:
    body = {"definition": definition, "input": QUESTION, "handoff": HANDOFF}
    started = await http.post("/v1/workflows", json=body)
    assert started.status_code == 201, started.text
    workflow_id: str = started.json()["workflow_id"]
    return workflow_id


async def task_of(http: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    async def first() -> dict[str, Any] | None:
        tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
        return tasks[0] if tasks else None

    return await eventually(first)


async def answer_as_person(stack: Stack, workflow_id: str) -> dict[str, Any]:
    async with stack.rest(email=stack.member_of("support-l1")) as http:
        listed = await task_of(http, workflow_id)
        seen = (await http.get(f"/v1/tasks/{listed['task_id']}")).json()
        (await http.post(f"/v1/tasks/{listed['task_id']}/claim", json={})).raise_for_status()
        (await http.post(f"/v1/tasks/{listed['task_id']}/complete", json={"data": ANSWER})).raise_for_status()
    return dict(seen)


async def test_a_system_asks_over_rest_and_gets_the_persons_answer(stack: Stack) -> None:
    async with stack.rest(key="system") as http:
        workflow_id = await start(http)
        seen = await answer_as_person(stack, workflow_id)
        done = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).json()
    assert (done["status"], done["result"]) == ("completed", RESULT)
    assert seen["description"] == QUESTION["question"]
    assert seen["context"]["conversation"][0]["text"] == HANDOFF["conversation"][0]["text"]  # type: ignore[index]
    assert seen["input"] == QUESTION
    assert seen["candidate_groups"] == ["support-l1"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_agent_asks_over_mcp_and_gets_the_persons_answer(stack: Stack, mode: str) -> None:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http), mode=mode) as client,
    ):
        arguments = {"definition": "customer-support", "input": QUESTION, "handoff": HANDOFF}
        started = (await client.call_tool("workflow_start", arguments)).structured_content
        assert started is not None
        answering = asyncio.create_task(answer_as_person(stack, started["workflow_id"]))
        wait = {"workflow_id": started["workflow_id"], "wait_seconds": 30}
        done = (await client.call_tool("workflow_result", wait)).structured_content
        await answering
        status = (await client.call_tool("workflow_status", {"workflow_id": started["workflow_id"]})).structured_content
    assert done is not None
    assert (done["status"], done["result"]) == ("completed", RESULT)
    assert status is not None
    assert status["status"] == "completed"


async def test_nobody_answers_so_it_escalates_and_then_expires(stack: Stack) -> None:
    async with stack.rest(key="system") as http, stack.rest(email=stack.member_of("support-l2")) as second_line:
        began = time.monotonic()
        workflow_id = await start(http, "customer-support-quick")
        escalated = await task_of(second_line, workflow_id)
        seen_after = time.monotonic() - began
        done = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).json()
        ended_after = time.monotonic() - began
        history = (await second_line.get(f"/v1/tasks/{escalated['task_id']}/history")).json()["entries"]
    assert escalated["sla"]["escalation_level"] == 1
    assert seen_after >= 1
    assert (done["status"], done["failure"]["type"]) == ("failed", "TASK_EXPIRED")
    assert 3 <= ended_after < 15
    assert [entry["event"] for entry in history] == ["created", "escalated", "expired"]


async def test_an_answer_that_does_not_fit_resumes_nothing(stack: Stack) -> None:
    async with stack.rest(key="system") as http, stack.rest(email=stack.member_of("support-l1")) as person:
        workflow_id = await start(http)
        task = await task_of(person, workflow_id)
        bad = {"data": {"sentiment": "furious", "mood": 1}}
        refused = await person.post(f"/v1/tasks/{task['task_id']}/complete", json=bad)
        running = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 1})).json()
        after = (await person.get(f"/v1/tasks/{task['task_id']}")).json()
    assert refused.status_code == 422
    assert {error["path"] for error in refused.json()["errors"]} == {"data.answer", "data.sentiment", "data.mood"}
    assert running["status"] == "running"
    assert (after["status"], after["version"], after["result"]) == ("open", 1, None)


async def test_of_fifty_claims_at_once_one_person_has_it(stack: Stack) -> None:
    async with stack.rest(key="system") as http:
        workflow_id = await start(http)
    async with (
        stack.rest(email=stack.member_of("support-l1", nth=0)) as ann,
        stack.rest(email=stack.member_of("support-l1", nth=1)) as ben,
    ):
        task = await task_of(ann, workflow_id)
        claims = [http.post(f"/v1/tasks/{task['task_id']}/claim", json={}) for http in [ann, ben] * 25]
        answers = await asyncio.gather(*claims)
    winners = [answer for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    for answer in answers:
        problem = answer.json()
        if answer.status_code != 200:
            assert (answer.status_code, problem["code"]) == (409, "TASK_NOT_OPEN")
            assert problem["current"]["assignee"] == winners[0].json()["assignee"]


async def test_cancelling_the_run_cancels_its_task(stack: Stack) -> None:
    async with stack.rest(key="system") as http, stack.rest(email=stack.member_of("support-l1")) as person:
        workflow_id = await start(http)
        task = await task_of(person, workflow_id)
        cancelled = await http.post(f"/v1/workflows/{workflow_id}/cancel", json={"reason": "no longer needed"})
        assert cancelled.status_code == 200, cancelled.text
        done = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).json()

        async def status() -> bool:
            return bool((await person.get(f"/v1/tasks/{task['task_id']}")).json()["status"] == "cancelled")

        await eventually(status)
        late = await person.post(f"/v1/tasks/{task['task_id']}/complete", json={"data": ANSWER})
    assert done["status"] == "cancelled"
    assert (late.status_code, late.json()["current"]["status"]) == (409, "cancelled")
