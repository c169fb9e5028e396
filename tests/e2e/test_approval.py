"""An action that a person approves, on the running stack: digest, receipt, and one use among several processes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest
import sdk_workflows as author
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from orkestra.rules import action_digest
from orkestra.rules.receipts import read_receipt
from orkestra.sdk.worker import WorkerSettings, run_worker
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("stack")

REFUND = {"order": "4711", "amount": "129.00"}
GROUP = "support-l1"


@pytest.fixture(scope="module", autouse=True)
async def worker(stack: Stack) -> AsyncIterator[None]:
    """A worker of an author beside the stack's own."""
    info = stack.info
    settings = WorkerSettings(
        temporal_address=info["temporal"],
        identity_address=info["identity"],
        task_address=info["task"],
        workflow_address=info["workflow"],
        worker_key=info["api_keys"]["worker"],
        task_queue="approvals",
    )
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_worker([author], settings=settings, stop=stop, ready=ready))
    await eventually(lambda: ready.is_set() or running.done(), timeout=30)
    yield
    stop.set()
    await running


async def decided(stack: Stack, workflow_id: str, outcome: str) -> str:
    """A person decides on the task of the run; returns its id."""
    async with stack.rest(email="eve@demo.example") as http:

        async def first() -> dict[str, Any] | None:
            tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
            return tasks[0] if tasks else None

        task = await eventually(first, timeout=30)
        body = {"data": {"comment": "It was ours."}, "outcome": outcome}
        (await http.post(f"/v1/tasks/{task['task_id']}/complete", json=body)).raise_for_status()
        task_id: str = task["task_id"]
        return task_id


async def started(http: httpx.AsyncClient, definition: str, given: dict[str, Any]) -> str:
    answer = await http.post("/v1/workflows", json={"definition": definition, "input": given})
    assert answer.status_code == 201, answer.text
    workflow_id: str = answer.json()["workflow_id"]
    return workflow_id


async def result(http: httpx.AsyncClient, workflow_id: str) -> Any:
    ended = (await http.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 50})).json()
    assert ended["status"] == "completed", ended
    return ended["result"]


async def test_a_workflow_does_what_was_approved_and_uses_the_receipt_up(stack: Stack) -> None:
    async with stack.rest(key="system") as http:
        workflow_id = await started(http, "refund", REFUND)
        task_id = await decided(stack, workflow_id, "approve")
        done = await result(http, workflow_id)
        assert (done["paid"], done["use"]) == (True, "refund-4711")
        history = (await http.get(f"/v1/tasks/{task_id}/history")).json()["entries"]
        token = (await http.get(f"/v1/tasks/{task_id}")).json()["receipt"]["token"]
        again = await http.post("/v1/receipts/redeem", json={"token": token, "use_id": "elsewhere"})
    assert [entry["event"] for entry in history][-1] == "receipt_redeemed"
    assert (again.status_code, again.json()["code"]) == (409, "RECEIPT_USED")


async def test_of_two_processes_that_redeem_one_receipt_one_succeeds(stack: Stack) -> None:
    """The worker redeems inside a workflow, an outside system through the REST door."""
    async with stack.rest(key="system") as http:
        workflow_id = await started(http, "refund-waits", REFUND)
        task_id = await decided(stack, workflow_id, "approve")

        async def token() -> str | None:
            receipt = (await http.get(f"/v1/tasks/{task_id}")).json()["receipt"]
            return receipt["token"] if receipt else None

        use = {"token": await eventually(token), "use_id": "outside"}
        outside, inside = await asyncio.gather(
            http.post("/v1/receipts/redeem", json=use), started(http, "redeems", {"topic": use["token"], "rounds": 0})
        )
        said = (await http.get(f"/v1/workflows/{inside}/result", params={"wait": 50})).json()
    in_workflow = said["status"] == "completed"
    assert in_workflow != (outside.status_code == 200), (said, outside.text)
    refused = outside.json()["code"] if in_workflow else said["failure"]["type"]
    assert refused == "RECEIPT_USED"


async def test_an_agents_approval_over_mcp_carries_a_receipt_that_anybody_can_check(stack: Stack) -> None:
    headers = {"authorization": f"Bearer {stack.info['api_keys']['agent']}"}
    asked = {"action": "refund_payment", "args": REFUND, "groups": ["support-l2"], "wait_seconds": 0}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(stack.info["mcp"], http_client=http)) as agent,
        stack.rest(key="system") as rest,
        stack.rest(email="eve@demo.example") as eve,
    ):
        task_id = (await agent.call_tool("request_approval", asked)).structured_content["task_id"]
        (await eve.post(f"/v1/tasks/{task_id}/complete", json={"data": {}, "outcome": "approve"})).raise_for_status()
        told = (await agent.call_tool("task_wait", {"task_id": task_id, "wait_seconds": 20})).structured_content
        keys = (await rest.get("/v1/receipts/jwks")).json()
        use = {"token": told["receipt"]["token"], "use_id": "once"}
        used = [await agent.call_tool("receipt_redeem", use | {"use_id": name}) for name in ("once", "once", "twice")]
    receipt = read_receipt(told["receipt"]["token"], keys, tenant_id=stack.info["tenant"]["tenant_id"])
    shown = {"form_digest": receipt.form_digest, "shown_digest": receipt.shown_digest}
    assert receipt.action_digest == action_digest("refund_payment", REFUND, **shown)
    assert [answer.is_error for answer in used] == [False, False, True]
