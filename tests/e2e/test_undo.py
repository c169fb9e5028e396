"""An answer that is taken back in the tenant's undo window, over REST on a running stack."""

from typing import Any

import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("stack")

QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
WRONG, RIGHT = {"answer": "No."}, {"answer": "Yes, within 30 days."}


async def window(admin: httpx.AsyncClient, seconds: int) -> None:
    put = await admin.put("/v1/task-settings", json={"undo_seconds": seconds})
    assert (put.status_code, put.json()["undo_seconds"]) == (200, seconds), put.text


async def asked(system: httpx.AsyncClient) -> tuple[str, str]:
    """A run and the task it waits for."""
    started = await system.post("/v1/workflows", json={"definition": "customer-support", "input": QUESTION})
    run = f"/v1/workflows/{started.json()['workflow_id']}"

    async def first() -> str | None:
        listed = (await system.get("/v1/tasks", params={"workflow_id": started.json()["workflow_id"]})).json()["tasks"]
        return listed[0]["task_id"] if listed else None

    return run, f"/v1/tasks/{await eventually(first, timeout=60)}"


async def test_an_answer_is_taken_back_and_the_workflow_hears_the_next_one_alone(stack: Stack) -> None:
    person_of = stack.rest(email=stack.member_of("support-l1"))
    async with stack.rest(key="system") as system, stack.rest(key="admin") as admin, person_of as person:
        run, task = await asked(system)
        try:
            await window(admin, 3600)
            given = await person.post(f"{task}/complete", json={"data": WRONG})
            assert (given.status_code, given.json()["submission"]["result"]) == (200, WRONG), given.text
            seen: dict[str, Any] = (await system.get(task)).json()
            assert (seen["status"], seen["result"], seen["submission"]["result"]) == ("claimed", None, None)
            refused = await admin.post(f"{task}/cancel", json={})
            assert (refused.status_code, refused.json()["code"]) == (409, "TASK_ANSWERED"), refused.text
            assert (await system.post(f"{task}/undo", json={})).status_code == 403
            back = await person.post(f"{task}/undo", json={"reason": "The wrong customer."})
            assert (back.status_code, back.json()["saved"]) == (200, WRONG), back.text
            assert (await person.post(f"{task}/undo", json={})).json()["code"] == "NOTHING_TO_UNDO"
            await window(admin, 1)
            await person.post(f"{task}/complete", json={"data": RIGHT})
        finally:
            await window(admin, 0)
        done = (await system.get(f"{run}/result", params={"wait": 30}, timeout=60)).json()
        assert (done["status"], done["result"]["answer"]) == ("completed", RIGHT["answer"])
        history = (await system.get(f"{task}/history")).json()["entries"]
        assert [entry["event"] for entry in history] == ["created", "submitted", "undone", "submitted", "completed"]
