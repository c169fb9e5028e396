"""The examples on the running stack, started and answered over REST."""

from typing import Any

import httpx
import pytest
from orkestra.testkit import eventually
from orkestra.testkit.stack import Stack

pytestmark = pytest.mark.xdist_group("stack")


async def started(http: httpx.AsyncClient, definition: str, given: dict[str, Any]) -> str:
    answer = await http.post("/v1/workflows", json={"definition": definition, "input": given})
    assert answer.status_code == 201, answer.text
    workflow_id: str = answer.json()["workflow_id"]
    return workflow_id


async def tasks_of(http: httpx.AsyncClient, workflow_id: str, *, count: int) -> list[dict[str, Any]]:
    async def opened() -> list[dict[str, Any]] | None:
        tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
        return tasks if len(tasks) == count else None

    return await eventually(opened, timeout=60)


async def answered(stack: Stack, task_id: str, email: str, **answer: Any) -> None:
    """A manager gives the task to a person, who answers it."""
    async with stack.rest(key="admin") as admin, stack.rest(email=email) as person:
        given = await admin.post(f"/v1/tasks/{task_id}/assign", json={"assignee": email, "reason": "Yours."})
        assert given.status_code == 200, given.text
        done = await person.post(f"/v1/tasks/{task_id}/complete", json=answer)
        assert done.status_code == 200, done.text


async def result_of(http: httpx.AsyncClient, workflow_id: str) -> dict[str, Any]:
    ended = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30}, timeout=40)).json()
    assert ended["status"] == "completed", ended
    result: dict[str, Any] = ended["result"]
    return result


async def test_a_moderator_corrects_the_classifier_and_the_check_knows(stack: Stack) -> None:
    post = {"post_id": "p-7", "author": "eve", "text": "Buy now!", "action": "remove", "rule": "spam"}
    person = stack.member_of("support-l1")
    async with stack.rest(key="agent") as agent, stack.rest(key="admin") as admin:
        alone = await result_of(agent, await started(agent, "content-moderation", {**post, "confidence": 0.95}))
        assert alone == {"action": "remove", "rule": "spam", "by": "classifier", "corrected": []}
        workflow_id = await started(agent, "content-moderation", {**post, "confidence": 0.4})
        [task] = await tasks_of(admin, workflow_id, count=1)
        await answered(stack, task["task_id"], person, data={"action": "hide", "rule": "spam"})
        corrected = await result_of(agent, workflow_id)
        assert (corrected["action"], corrected["corrected"]) == ("hide", ["action"])
        shown = (await admin.get(f"/v1/tasks/{task['task_id']}")).json()
        check_id = shown["context"]["agent"]["check_id"]
        check = (await agent.get(f"/v1/escalation-policies/checks/{check_id}")).json()
        assert (check["decision"], check["threshold"], check["kept_draft"]) == ("escalate", 0.85, False)


async def test_a_refund_is_paid_once_two_of_three_departments_approve(stack: Stack) -> None:
    first, second = (stack.member_of("support-l1", nth=number) for number in (0, 1))
    async with stack.rest(key="agent") as agent, stack.rest(key="admin") as admin:
        refund = {"order_id": "2041", "amount_cents": 8000, "reason": "The cup came broken."}
        workflow_id = await started(agent, "refund-approval", refund)
        tasks = await tasks_of(admin, workflow_id, count=3)
        for task, person in zip(tasks, (first, second), strict=False):
            await answered(stack, task["task_id"], person, data={}, outcome="approve")
        refunded = await result_of(agent, workflow_id)
        assert (refunded["paid"], refunded["payment_id"]) == (True, "refund-2041-8000")
        assert len(set(refunded["decided_by"])) == 2

        async def third_is_cancelled() -> bool:
            return bool((await admin.get(f"/v1/tasks/{tasks[2]['task_id']}")).json()["status"] == "cancelled")

        await eventually(third_is_cancelled, timeout=20)


async def test_an_expense_report_counts_the_offices_hours_and_is_decided_by_an_approver(stack: Stack) -> None:
    person = stack.member_of("support-l1")
    async with stack.rest(key="agent") as agent, stack.rest(key="admin") as admin:
        expense = {"employee": "admin@demo.example", "purpose": "a train to Vienna", "total_cents": 12990}
        workflow_id = await started(agent, "expense-report", expense)
        [task] = await tasks_of(admin, workflow_id, count=1)
        shown = (await admin.get(f"/v1/tasks/{task['task_id']}")).json()
        assert (shown["sla"]["policy"]["calendar"], len(shown["sla"]["policy"]["escalate"])) == ("office", 3)
        await answered(stack, task["task_id"], person, data={}, outcome="approve")
        decided = await result_of(agent, workflow_id)
        assert decided["decision"] == "approved"
