"""Between an answer and the wake-up of its workflow anything may die; the answer still arrives, once."""

import asyncio
import shutil
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

INPUT = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
MOST_SECONDS = 3.0
AWAY_SECONDS = 60.0
T = TypeVar("T")


async def start(http: httpx.AsyncClient) -> str:
    started = await http.post("/v1/workflows", json={"definition": "customer-support", "input": INPUT})
    assert started.status_code == 201, started.text
    workflow_id: str = started.json()["workflow_id"]
    return workflow_id


async def task_of(http: httpx.AsyncClient, workflow_id: str) -> str:
    async def first() -> str | None:
        tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
        return str(tasks[0]["task_id"]) if tasks else None

    return await eventually(first, timeout=30)


async def complete(http: httpx.AsyncClient, task_id: str, answer: str) -> None:
    done = await http.post(f"/v1/tasks/{task_id}/complete", json={"data": {"answer": answer}})
    assert done.status_code == 200, done.text


async def finished(http: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    async def end() -> dict[str, Any] | None:
        answer = await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 5})
        closed = answer.status_code == 200 and answer.json()["status"] != "running"
        return dict(answer.json()) if closed else None

    return await eventually(end, timeout=60)


async def assert_answered_once(person: httpx.AsyncClient, task_id: str) -> None:
    entries = (await person.get(f"/v1/tasks/{task_id}/history")).raise_for_status().json()["entries"]
    assert [entry["event"] for entry in entries].count("completed") == 1
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("victim", ["task-service", "workflow-worker", "nats", "temporal", "worker"])
async def test_kill_9_between_completion_and_wake_up_loses_nothing(stack: Stack, victim: str) -> None:
    async with stack.rest(key="system") as system, stack.rest(email=stack.member_of("support-l1")) as person:
        runs = [await start(system) for _ in range(3)]
        tasks = [await task_of(person, workflow_id) for workflow_id in runs]
        async with stack.paused("workflow-worker"):  # nothing can be woken in here
            for number, task_id in enumerate(tasks):
                await complete(person, task_id, f"answer {number}")
            await stack.kill(victim)
        ends = [await finished(system, workflow_id) for workflow_id in runs]
        for task_id in tasks:
            await eventually_answered_once(person, task_id)
    assert [(end["status"], end["result"]["answer"]) for end in ends] == [
        ("completed", f"answer {number}") for number in range(3)
    ]


async def eventually_answered_once(person: httpx.AsyncClient, task_id: str) -> None:
    async def woken() -> bool:
        return (await person.get(f"/v1/tasks/{task_id}")).json().get("woken_at") is not None

    await eventually(woken, timeout=60)
    await assert_answered_once(person, task_id)


async def test_a_deleted_jetstream_store_is_filled_again(stack: Stack) -> None:
    async with stack.rest(key="system") as system, stack.rest(email=stack.member_of("support-l1")) as person:
        workflow_id = await start(system)
        task_id = await task_of(person, workflow_id)
        async with stack.paused("workflow-worker"):
            await complete(person, task_id, "still here")
            async with stack.paused("nats"):  # else it may write into what is being deleted
                shutil.rmtree(stack.state_dir / "nats")
                await stack.kill("nats")
        end = await finished(system, workflow_id)
        await eventually_answered_once(person, task_id)
    assert (end["status"], end["result"]["answer"]) == ("completed", "still here")


async def test_a_minute_without_temporal_requests_still_answer_and_everything_finishes_later(stack: Stack) -> None:
    async with stack.rest(key="system") as system, stack.rest(email=stack.member_of("support-l1")) as person:
        before = [await start(system) for _ in range(2)]
        tasks = [await task_of(person, workflow_id) for workflow_id in before]
        slowest = Slowest()
        async with stack.paused("temporal"):
            until = time.monotonic() + AWAY_SECONDS
            await slowest.of(complete(person, tasks[0], "meanwhile"))
            started: list[str] = []
            while time.monotonic() < until:
                started.append(await slowest.of(start(system)))
                for path in ("/v1/tasks", f"/v1/tasks/{tasks[1]}", f"/v1/workflows/{started[-1]}", "/v1/workflows"):
                    (await slowest.of(person.get(path) if "tasks" in path else system.get(path))).raise_for_status()
                await slowest.of(system.post(f"/v1/workflows/{before[1]}/signal", json={"signal": "later"}))
                await asyncio.sleep(4)
            await slowest.of(complete(person, tasks[1], "at the end"))
        assert slowest.seconds <= MOST_SECONDS
        assert [(await finished(system, run))["result"]["answer"] for run in before] == ["meanwhile", "at the end"]
        for number, workflow_id in enumerate(started):
            await complete(person, await task_of(person, workflow_id), f"later {number}")
        ends = [await finished(system, workflow_id) for workflow_id in started]
    assert len(started) >= 5
    assert [end["result"]["answer"] for end in ends] == [f"later {number}" for number in range(len(started))]


class Slowest:
    """Remembers how long the slowest of some requests took."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def of(self, request: Awaitable[T]) -> T:
        began = time.monotonic()
        answer = await request
        self.seconds = max(self.seconds, time.monotonic() - began)
        return answer
