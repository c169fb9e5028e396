"""Whatever is away while a step falls due: afterwards it is performed, once, and told once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

CHAIN = [
    {"after": "2s", "assign_to": {"groups": ["support-l2"]}, "priority": "urgent"},
    {"after": "3s", "remind": True, "notify": ["group:support-l2"]},
]


async def ask(http: httpx.AsyncClient, **sla: Any) -> dict[str, Any]:
    body = {"title": "Soon due", "candidate_groups": ["support-l1"], "sla": sla}
    opened = await http.post("/v1/tasks", json=body)
    assert opened.status_code == 201, opened.text
    return dict(opened.json())


async def told(stack: Stack, task_id: str) -> list[str]:
    """What was told of a task, seen without touching it: reading a task would perform what is due.

    An end that a workflow is slow to confirm is told again, at the same version: that is the same thing.
    """
    connection = await asyncpg.connect(stack.info["postgres"])
    try:
        rows = await connection.fetch(
            "select subject, headers::json ->> 'ce-version' as version from task.outbox"
            " where headers::json ->> 'ce-subject' = $1 order by seq",
            task_id,
        )
    finally:
        await connection.close()
    changes = dict.fromkeys((row["subject"].rpartition(".")[2], row["version"]) for row in rows)
    return [event for event, _ in changes]


async def history(http: httpx.AsyncClient, task_id: str) -> list[tuple[str, str | None]]:
    entries = (await http.get(f"/v1/tasks/{task_id}/history")).raise_for_status().json()["entries"]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    return [(entry["event"], entry["door"]) for entry in entries]


async def passed(at: str) -> None:
    left = datetime.fromisoformat(at) - datetime.now(UTC) + timedelta(seconds=1)
    await asyncio.sleep(max(left.total_seconds(), 0))


@pytest.mark.parametrize("victim", ["worker", "temporal", "task-service", "workflow-worker"])
async def test_steps_that_fall_due_while_something_is_away_are_performed_once(stack: Stack, victim: str) -> None:
    async with stack.rest(key="system") as system, stack.rest(key="admin") as admin:
        chained = await ask(system, complete="1h", escalate=CHAIN)
        expiring = await ask(system, complete="3s")
        async with stack.paused(victim):
            await passed(expiring["sla"]["complete_by"])
            await stack.kill(victim)

        async def rung() -> bool:
            ended = await told(stack, expiring["task_id"])
            return (await told(stack, chained["task_id"]))[1:] != [] and ended[1:] != []

        await eventually(rung, timeout=90, every=0.2)
        assert await history(admin, chained["task_id"]) == [
            ("created", "rest"),
            ("escalated", "clock"),
            ("reminder_due", "clock"),
        ]
        assert await history(admin, expiring["task_id"]) == [("created", "rest"), ("expired", "clock")]
        assert await told(stack, chained["task_id"]) == ["created", "escalated", "reminder_due"]
        assert await told(stack, expiring["task_id"]) == ["created", "expired"]


async def test_an_alarm_rings_at_the_due_time_that_a_manager_has_set(stack: Stack) -> None:
    async with stack.rest(key="system") as system, stack.rest(key="admin") as admin:
        task = await ask(system, complete="10d")
        soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        moved = await admin.patch(
            f"/v1/tasks/{task['task_id']}", json={"complete_by": soon, "reason": "It cannot wait."}
        )
        assert moved.status_code == 200, moved.text

        async def expired() -> bool:
            return (await told(stack, task["task_id"]))[-1] == "expired"

        await eventually(expired, timeout=60, every=0.2)
        assert await history(admin, task["task_id"]) == [("created", "rest"), ("updated", "rest"), ("expired", "clock")]
